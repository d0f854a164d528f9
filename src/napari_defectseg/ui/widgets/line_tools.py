"""Lines under *More* of Correct: cut, join, and their width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDoubleSpinBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import name, named, text

if TYPE_CHECKING:
    from napari_defectseg.core.calibration import Calibration
    from napari_defectseg.ui.hand import Hand
    from napari_defectseg.ui.shaping import Shaping


class LineTools(QWidget):
    """Buttons to cut and join lines, and the width of traced ones.

    Parameters
    ----------
    hand : Hand
    shaping : Shaping
    """

    def __init__(self, hand: Hand, shaping: Shaping) -> None:
        super().__init__()
        self._hand = hand
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        first, second = QHBoxLayout(), QHBoxLayout()
        self.cut = small_button("Cut  K", "Cut line", "Cut a line where it is clicked (K)")
        self.cut.setCheckable(True)
        self.cut.clicked.connect(lambda: hand.take("cut"))
        self.join = small_button("Join", "Join lines", "Make one line of the selected ones")
        self.join.clicked.connect(shaping.join)
        self.width_box = QDoubleSpinBox()
        self.width_box.setRange(1, 99)
        self.width_box.setDecimals(1)
        self.width_box.setSuffix(" px")
        self.width_box.setMinimumWidth(60)
        self.width_box.setValue(hand.line_width)
        self.width_box.valueChanged.connect(self._on_width)
        self.set = small_button("Set", "Set width", "Give the selected lines this width")
        self.set.clicked.connect(shaping.set_width)
        first.addWidget(self.cut)
        first.addWidget(self.join)
        second.addWidget(named(text("Line width", wrap=False), self.width_box))
        second.addWidget(self.width_box, 1)
        second.addWidget(self.set)
        for row in (first, second):
            row.setSpacing(theme.SPACE)
            column.addLayout(row)
        self.show_size(None)

    def show_tool(self, tool: str) -> None:
        """Mark the cut where it is in hand."""
        self.cut.setChecked(tool == "cut")

    def show_size(self, calibration: Calibration | None) -> None:
        """Say what the width means in the image."""
        from napari_defectseg.ui import numbers

        said = "Width of traced lines, and of those it is set for"
        if calibration is not None and calibration.calibrated:
            size = self.width_box.value() * min(calibration.steps[-2:])
            said += f": {numbers.with_unit(size, calibration.length_unit, 2)}"
        name(self.width_box, "Line width", said)

    def _on_width(self, width: float) -> None:
        self._hand.line_width = width
        labels = self._hand.session.labels
        self.show_size(None if labels is None else labels.calibration)


def small_button(words: str, called: str, tip: str) -> QPushButton:
    """Return a button beside others that leaves the keys on the canvas."""
    button = QPushButton(words)
    button.setProperty("ds", "tight")
    button.setMinimumWidth(30)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    name(button, called, tip)
    return button
