"""Grow and shrink by the scores, and fill from strokes: what follows model and image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.line_tools import small_button

if TYPE_CHECKING:
    from napari_defectseg.ui.shaping import Shaping


class LevelTools(QWidget):
    """Three buttons for the selected object.

    Parameters
    ----------
    shaping : Shaping
    """

    def __init__(self, shaping: Shaping) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        wheel = "Shift and the mouse wheel do it too"
        self.shrink = small_button(
            "Shrink  ⇧G", "Shrink", f"To the next higher level of the model's scores; {wheel}"
        )
        self.grow = small_button(
            "Grow  G", "Grow", f"To the next lower level of the model's scores; {wheel}"
        )
        self.fill = small_button(
            "Fill from strokes",
            "Fill from strokes",
            "The selected strokes become the object they lie in; other objects fence it in",
        )
        self.shrink.clicked.connect(shaping.shrink)
        self.grow.clicked.connect(shaping.grow)
        self.fill.clicked.connect(shaping.fill_strokes)
        row.addWidget(self.shrink, 1)
        row.addWidget(self.grow, 1)
        column.addLayout(row)
        column.addWidget(self.fill)
