"""Scribble and see, in Correct: on and off, classes or background, what was seen, use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.line_tools import small_button
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.text import text

if TYPE_CHECKING:
    from napari_defectseg.ui.scribbling import Scribbling


class ScribbleForm(QWidget):
    """A button, and once it is pressed what goes with it.

    Parameters
    ----------
    scribbling : Scribbling
    """

    def __init__(self, scribbling: Scribbling) -> None:
        super().__init__()
        self._scribbling = scribbling
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.toggle = small_button(
            "Scribble and see",
            "Scribble and see",
            "A few strokes of each class teach a small model; what it sees is shown at once",
        )
        self.toggle.setCheckable(True)
        self.toggle.clicked.connect(self._on_toggled)
        column.addWidget(self.toggle)
        self.inner = QWidget()
        rows = QVBoxLayout(self.inner)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(theme.SPACE)
        self.kind = Segments(
            "Strokes are",
            (
                (False, "class", "Strokes of the class in hand"),
                (True, "background", "Strokes of what belongs to no class"),
            ),
        )
        self.kind.valueChanged.connect(scribbling.draw_background)
        self.told = text("", "second")
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.clear = small_button("Clear", "Clear strokes", "Take all strokes away")
        self.use = small_button(
            "Use as model →",
            "Use as model",
            "Find the objects of the whole image with what was learnt; Model saves it",
        )
        self.clear.clicked.connect(scribbling.clear)
        self.use.clicked.connect(self._on_use)
        row.addWidget(self.clear)
        row.addWidget(self.use, 1)
        rows.addWidget(self.kind)
        rows.addWidget(self.told)
        rows.addLayout(row)
        column.addWidget(self.inner)
        scribbling.changed.connect(self.show_state)
        self.show_state()

    def show_state(self) -> None:
        """Show whether it is on, and what was seen."""
        on = self._scribbling.on
        self.toggle.setChecked(on)
        self.inner.setVisible(on)
        self.kind.setValue(self._scribbling.background)
        self.told.setText(
            self._scribbling.told or "Draw a stroke of each class, and one of the background."
        )
        self.use.setEnabled(self._scribbling.learnt)

    def _on_toggled(self, on: bool) -> None:
        try:
            if on:
                self._scribbling.start()
            else:
                self._scribbling.stop()
        except DefectSegError as error:
            self._scribbling.failed.emit(error)
        self.toggle.setChecked(self._scribbling.on)

    def _on_use(self) -> None:
        try:
            self._scribbling.use()
        except DefectSegError as error:
            self._scribbling.failed.emit(error)
