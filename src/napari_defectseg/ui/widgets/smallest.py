"""The smallest object that counts, as a diameter, and what that leaves out."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QDoubleSpinBox, QGridLayout, QWidget

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.ui import numbers, sizes, theme
from napari_defectseg.ui.widgets.text import named, text

TIP = "Diameter below which nothing is counted"


class SmallestObject(QWidget):
    """A diameter in the image's unit; ``valueChanged`` is sent with pixels (voxels)."""

    valueChanged = Signal(float)  # noqa: N815 (Qt's own manner)

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(theme.SPACE)
        grid.setColumnStretch(1, 1)
        self._calibration: Calibration | None = None
        self._pixels = 0.0
        self.field = QDoubleSpinBox()
        self.field.setDecimals(2)
        self.field.setRange(0, 1e6)
        self.field.setKeyboardTracking(False)
        self.field.setMinimumWidth(72)
        theme.tabular(self.field)
        grid.addWidget(named(text("Smallest object", wrap=False), self.field, tip=TIP), 0, 0)
        grid.addWidget(self.field, 0, 1)
        self.note = text("", "second")
        grid.addWidget(self.note, 1, 0, 1, 2)
        self.field.valueChanged.connect(self._on_value)

    @property
    def value(self) -> float:
        """The least number of pixels (voxels) of an object."""
        return self._pixels

    def setValue(self, pixels: float, calibration: Calibration) -> None:
        """Show a number of pixels as a diameter; nothing is sent."""
        self._calibration, self._pixels = calibration, pixels
        dims = calibration.ndim
        step = calibration.steps[-1]
        self.field.blockSignals(True)
        self.field.setDecimals(_places(step))
        self.field.setSingleStep(float(f"{step:.1g}"))
        self.field.setSpecialValueText("")
        self.field.setSuffix(f" {calibration.length_unit}")
        self.field.setValue(sizes.diameter_of(pixels, calibration, dims))
        self.field.blockSignals(False)

    def clear(self) -> None:
        """Show nothing."""
        self._calibration = None
        self.field.blockSignals(True)
        self.field.setSuffix("")
        self.field.setSpecialValueText("–")
        self.field.setValue(0)
        self.field.blockSignals(False)
        self.note.setText("")

    def say(self, left_out: int | None) -> None:
        """Say how many objects are too small; None: not known."""
        known = self._calibration
        if known is None:
            self.note.setText("")
            return
        parts = []
        if left_out:
            are = "object is" if left_out == 1 else "objects are"
            parts.append(f"{numbers.count(left_out)} {are} below it and left out.")
        elif left_out == 0 and self._pixels > 1:
            parts.append("No object is below it.")
        limit = sizes.RELIABLE * known.steps[-1]
        least = f"{limit:.3g} {known.length_unit} (7 px)" if known.calibrated else "7 px"
        parts.append(f"Below {least} sizes are not reliable.")
        self.note.setText(" ".join(parts))

    def _on_value(self, diameter: float) -> None:
        known = self._calibration
        if known is not None:
            self._pixels = round(sizes.pixels_of(diameter, known, known.ndim), 1)
            self.valueChanged.emit(self._pixels)


def _places(step: float) -> int:
    """Return how many digits show a tenth of a pixel."""
    digits = 1
    while step < 1 and digits < 5:
        step, digits = step * 10, digits + 1
    return digits
