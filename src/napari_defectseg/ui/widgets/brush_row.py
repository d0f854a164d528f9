"""The size of the brush, in the unit of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QSlider, QWidget

from napari_defectseg.ui import numbers, theme
from napari_defectseg.ui.widgets.text import name, named, text

if TYPE_CHECKING:
    from napari_defectseg.core.calibration import Calibration

LARGEST = 100
"""In px; larger ones are set in napari's own layer controls."""
FIRST = 12


class BrushRow(QWidget):
    """A slider and what it means in the image."""

    changed = Signal(int)
    """A person has moved the slider: the size in px."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.GAP)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(1, LARGEST)
        self.slider.setValue(FIRST)
        self.slider.setMinimumWidth(40)
        self.slider.valueChanged.connect(self.changed)
        self.size_label = text("", wrap=False)
        self.size_label.setMinimumWidth(52)
        self.size_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        theme.tabular(self.size_label)
        row.addWidget(named(text("Brush", wrap=False), self.slider))
        row.addWidget(self.slider, 1)
        row.addWidget(self.size_label)
        row.addWidget(text("[ ]", "key", wrap=False))

    @property
    def value(self) -> int:
        """Size in px."""
        return self.slider.value()

    def show_size(self, layer: Any, calibration: Calibration) -> None:
        """Show the size that a layer draws with; None: that of the slider."""
        size = int(layer.brush_size) if layer is not None else self.value
        if size != self.value:
            with QSignalBlocker(self.slider):
                self.slider.setValue(size)
        words = numbers.with_unit(size * min(calibration.steps[-2:]), calibration.length_unit, 2)
        self.size_label.setText(words)
        name(self.slider, f"Brush {words}", f"Brush size: {words}, {size} px ([ and ])")
