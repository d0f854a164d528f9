"""One row an image of a collection: how far it is, and what was found."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from napari_defectseg.ui import icons, theme, words
from napari_defectseg.ui.fields import DONE, FAILED, RUNS, FieldState
from napari_defectseg.ui.widgets.text import name

HEIGHT = 132
SIGNS = {DONE: "ok", FAILED: "error", RUNS: "busy"}
SAID = {"waits": "waits", RUNS: "is being predicted", "": "not predicted"}


class FieldList(QListWidget):
    """Shows the states of images; ``chosen`` is sent with the place of one to look at."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(60)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setUniformItemSizes(True)
        name(self, "Images of the collection", "Double click, or Return, to look at an image")
        self.itemActivated.connect(lambda item: self.chosen.emit(self.row(item)))
        self._states: list[FieldState] = []

    def show_states(self, states: Sequence[FieldState], current: int) -> None:
        """Show the rows; those that have not changed are left alone."""
        if len(states) != self.count():
            self.clear()
            self.addItems([""] * len(states))
            self._states = []
        before = self._states or [None] * len(states)
        for row, (old, new) in enumerate(zip(before, states, strict=True)):
            if old != new:
                self._show(self.item(row), new)
        self._states = list(states)
        if current >= 0 and self.currentRow() != current:
            self.setCurrentRow(current)

    def theme_changed(self) -> None:
        """Paint the signs in the theme's colours."""
        states, self._states = self._states, []
        if states:
            self.show_states(states, -1)

    def _show(self, item: QListWidgetItem, state: FieldState) -> None:
        said = words.objects(state.count) if state.state == DONE else SAID.get(state.state, "")
        said = "failed" if state.state == FAILED else said
        item.setText(f"{state.name} · {said}")
        item.setToolTip(state.problem or f"{state.name}: {said}")
        sign = SIGNS.get(state.state, "")
        if sign:
            rgb = theme.colours_of(self)["text"]
            item.setIcon(QIcon(icons.pixmap(sign, rgb, 14)))
        else:
            item.setIcon(QIcon())
