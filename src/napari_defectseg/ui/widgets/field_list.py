"""One row an image of a collection: how far it is, and what was found."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_defectseg.ui import icons, theme, words
from napari_defectseg.ui.fields import DONE, FAILED, RUNS, SKIPPED, WAITS, FieldState
from napari_defectseg.ui.widgets.links import Links
from napari_defectseg.ui.widgets.text import Link, name

HEIGHT = 132
SIGNS = {DONE: "ok", FAILED: "error", RUNS: "busy"}
SAID = {WAITS: "waits", RUNS: "is being predicted", SKIPPED: "skipped", "": "not predicted"}


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
        said = f"{state.percent} %" if state.state == RUNS and state.percent else said
        item.setText(f"{state.name} · {said}")
        item.setToolTip(state.problem or f"{state.name}: {said}")
        sign = SIGNS.get(state.state, "")
        if sign:
            rgb = theme.colours_of(self)["text"]
            item.setIcon(QIcon(icons.pixmap(sign, rgb, 14)))
        else:
            item.setIcon(QIcon())


class FieldTable(QWidget):
    """The list, and a link that leaves out the image that is chosen in it.

    Signal ``skip_asked(int)``: the place of an image that waits or is being predicted.
    """

    skip_asked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.list = FieldList()
        tip = "Leave out the image that is chosen in the list; the others go on"
        self.skip = Link("Skip the chosen image", tip)
        self.links = Links([self.skip])
        column.addWidget(self.list)
        column.addWidget(self.links)
        self.skip.clicked.connect(lambda _=False: self.skip_asked.emit(self.list.currentRow()))
        self.list.currentRowChanged.connect(lambda _: self._offer())
        self._states: list[FieldState] = []
        self._looked_at: int | None = None
        self._offer()

    def show_states(self, states: Sequence[FieldState], current: int) -> None:
        """Show the rows; the row of `current` is chosen when another image is looked at."""
        self._states = list(states)
        moved, self._looked_at = current != self._looked_at, current
        self.list.show_states(states, current if moved else -1)
        self._offer()

    def _offer(self) -> None:
        row, states = self.list.currentRow(), self._states
        self.links.setVisible(0 <= row < len(states) and states[row].state in (WAITS, RUNS))
