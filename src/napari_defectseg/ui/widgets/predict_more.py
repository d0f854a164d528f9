"""How a prediction is computed: device and why, memory, tiles."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal

from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.ui.forms import SettingsForm, form_for
from napari_defectseg.ui.widgets.more import More
from napari_defectseg.ui.widgets.text import text

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.inference.devices import DeviceChoice
    from napari_defectseg.models.model import Model

SHOWN = ("device", "memory", "tile", "threads", "nan")
USUAL = PredictSettings()


def offered(image: CalibratedImage | None, model: Model | None) -> tuple[str, ...]:
    """Return the fields that mean something for an image and a model."""
    found = SHOWN
    if model is not None and model.card.symmetries and model.card.windows is None:
        found += ("flips",)
    if model is not None and image is not None and model.card.dims == 2 and "z" in image.axes:
        found += ("volume",)
    if image is not None and image.channels > 1:
        found += ("channel",)
    return found


def fitting(
    settings: PredictSettings, image: CalibratedImage | None, model: Model | None
) -> PredictSettings:
    """Return settings without what another image or model was predicted with."""
    absent = {"flips", "volume", "channel"} - set(offered(image, model))
    return replace(settings, **{name: getattr(USUAL, name) for name in absent})


class PredictMore(More):
    """The fields of `PredictSettings` that a person changes; ``valueChanged`` sends a value.

    Parameters
    ----------
    usual : PredictSettings
        What the preferences say.
    """

    valueChanged = Signal(object)  # noqa: N815 (Qt's own manner)

    def __init__(self, usual: PredictSettings) -> None:
        super().__init__("device, memory, tiles", key="predict")
        self._usual = usual
        self._shown = SHOWN
        self.why = text("", "second")
        self.form = self._made(SHOWN)
        self.column.addWidget(self.why)

    def _made(self, shown: tuple[str, ...]) -> SettingsForm[PredictSettings]:
        form = form_for(self._usual, shown=shown)
        form.valueChanged.connect(self._on_value)
        self.column.insertWidget(0, form)
        return form

    @property
    def value(self) -> PredictSettings:
        """The settings that hold."""
        return self.form.value

    def setValue(self, value: PredictSettings) -> None:
        """Show settings; what differs from the usual ones stands in the line."""
        if value == self.form.value:
            return
        for field in fields(value):
            shown = self.form.fields.get(field.name)
            if shown is not None and getattr(self.form.value, field.name) != getattr(
                value, field.name
            ):
                shown.set_value(getattr(value, field.name))
        self.set_changed(self.form.changed_words())

    def show_for(self, image: CalibratedImage | None, model: Model | None) -> None:
        """Ask for a channel, for flips and for directions only where they mean something."""
        shown = offered(image, model)
        if shown != self._shown:
            old, value = self.form, self.form.value
            self.form = self._made(shown)
            self.column.removeWidget(old)
            old.hide()
            old.deleteLater()
            self._shown = shown
            self.setValue(value)

    def show_device(self, device: DeviceChoice | None) -> None:
        """Say what computes, and why that."""
        words = "Which device computes is looked up when it is needed."
        if device is not None:
            words = f"Computed on: {device.title}. {device.reason}"
        self.why.setText(words)

    def _on_value(self, value: PredictSettings) -> None:
        self.set_changed(self.form.changed_words())
        self.valueChanged.emit(value)
