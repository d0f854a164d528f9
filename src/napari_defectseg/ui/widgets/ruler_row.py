"""How long the line over the scale bar is: px on the left, a length on the right."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLineEdit, QPushButton

from napari_defectseg.core.errors import CalibrationError
from napari_defectseg.core.units import normalise_length, parse_quantity
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.text import Link, name, text

DRAW = "Draw a line along the scale bar in the picture, from its one end to the other."


class RulerRow(Card):
    """Asks for the length of a line; sends ``measured(pixels, length, unit)`` or ``closed()``."""

    measured = Signal(float, float, str)
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._pixels = 0.0
        self.setAccessibleName("Scale bar in the picture")
        self.said = text(DRAW)
        self.column.addWidget(self.said)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.length = QLineEdit()
        self.length.setPlaceholderText("200 nm")
        self.length.setMinimumWidth(48)
        name(self.length, "Length of the scale bar", "What is written beside it, with its unit")
        self.length.returnPressed.connect(self._use)
        self.use = QPushButton("Use")
        name(self.use, "Use this length", "Take the pixel size that follows from it")
        self.use.clicked.connect(self._use)
        cancel = Link("leave", "Take the line away")
        cancel.clicked.connect(self.leave)
        row.addWidget(self.length, 1)
        row.addWidget(self.use)
        row.addWidget(cancel)
        self.column.addLayout(row)
        self.complaint = text("", "strong")
        self.complaint.hide()
        self.column.addWidget(self.complaint)
        self.show_pixels(0.0)

    def show_pixels(self, pixels: float) -> None:
        """Show how long the line is; 0: not drawn yet."""
        self._pixels = pixels
        drawn = pixels > 0
        self.said.setText(f"The line is {pixels:.4g} px long. It stands for:" if drawn else DRAW)
        self.length.setEnabled(drawn)
        self.use.setEnabled(drawn)
        if drawn:
            self.length.setFocus()

    def leave(self) -> None:
        """Give up."""
        self.hide()
        self.closed.emit()

    def _use(self) -> None:
        try:
            length = parse_quantity(self.length.text())
            if normalise_length(length.unit) is None:
                raise CalibrationError(f"{length.unit} is not a unit of length.")
            if not length.value > 0:
                raise CalibrationError("A scale bar is longer than nothing.")
        except CalibrationError as error:
            self.complaint.setText(str(error))
            self.complaint.show()
            return
        self.complaint.hide()
        self.measured.emit(self._pixels, length.value, length.unit)
