"""Conditions that numbers depend on: regions, foil thickness, diffraction, frame rate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.errors import CalibrationError
from napari_defectseg.core.setting import Setting
from napari_defectseg.core.units import Quantity, normalise_time
from napari_defectseg.ui.forms import form_for
from napari_defectseg.ui.widgets.inputs import QuantityInput
from napari_defectseg.ui.widgets.more import More
from napari_defectseg.ui.widgets.role_rows import RoleRows
from napari_defectseg.ui.widgets.text import named, section, text

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.ui.regions import Regions

FOIL = ("thickness", "thickness_method", "g", "zone_axis", "dose")
MOVIE = ("exposure", "scan_direction")


class Conditions(More):
    """What is seldom said, below one line.

    Signals ``acquired(Acquisition)`` and ``framed(time, unit)``.
    """

    acquired = Signal(object)
    framed = Signal(float, str)

    def __init__(self, regions: Regions) -> None:
        super().__init__("role, foil, g, frames", key="data")
        self.column.addWidget(section("What is counted"))
        self.roles = RoleRows(regions)
        self.column.addWidget(self.roles)
        self.column.addWidget(section("Of all images"))
        self.form = form_for(Acquisition, shown=FOIL)
        self.form.valueChanged.connect(self._on_form)
        self.column.addWidget(self.form)
        self.movie = form_for(Acquisition, shown=MOVIE)
        self.movie.valueChanged.connect(self._on_movie)
        self.frame = QuantityInput(
            Setting(unit="s", none="20 µs"), "One frame every", "Time from frame to frame"
        )
        self.frame.changed.connect(self._on_frame)
        self.frame_label = named(text("One frame every", wrap=False), self.frame.focus)
        self.complaint = text("", "strong")
        for widget in (self.frame_label, self.frame, self.complaint, self.movie):
            widget.hide()
            self.column.addWidget(widget)
        self._acquisition = Acquisition()

    def show_acquisition(self, acquisition: Acquisition) -> None:
        """Show what was said."""
        self._acquisition = acquisition
        for form in (self.form, self.movie):
            if form.value != acquisition:
                form.blockSignals(True)
                form.setValue(acquisition)
                form.blockSignals(False)
        self._say_changed()

    def show_image(self, image: CalibratedImage) -> None:
        """Show the frame rate of a movie; hidden for anything else."""
        movie = "t" in image.axes
        for widget in (self.frame_label, self.frame, self.movie):
            widget.setVisible(movie)
        self.complaint.hide()
        known = image.calibration
        time = None if known.frame_time is None else Quantity(known.frame_time, known.time_unit)
        self.frame.set_value(time)

    def show_regions(self) -> None:
        """Show layers and their roles."""
        self.roles.renew()
        self._say_changed()

    def _say_changed(self) -> None:
        said = self._acquisition.as_dict()
        thickness = self._acquisition.thickness
        words = [f"foil {thickness}"] if thickness is not None else []
        words += [f"{name} {said[name]}" for name in ("g", "dose") if name in said]
        self.set_changed((*self.roles.words, *words))

    def _on_form(self, value: Acquisition) -> None:
        self._send({name: getattr(value, name) for name in FOIL})

    def _on_movie(self, value: Acquisition) -> None:
        self._send({name: getattr(value, name) for name in MOVIE})

    def _send(self, changes: dict[str, Any]) -> None:
        self.acquired.emit(replace(self._acquisition, **changes))

    def _on_frame(self) -> None:
        try:
            time = self.frame.value
            if time is None:
                return
            if normalise_time(time.unit) is None or not time.value > 0:
                raise CalibrationError(f"{time} is not the time of a frame.")
        except CalibrationError as error:
            self.complaint.setText(str(error))
            self.complaint.show()
            return
        self.complaint.hide()
        self.framed.emit(time.value, time.unit)
