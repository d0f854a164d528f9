"""The page of the gallery: objects as tiles, sorted by any column, decided many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_defectseg.ui import theme, words
from napari_defectseg.ui.widgets.filter_line import FilterLine
from napari_defectseg.ui.widgets.object_tiles import ObjectTiles
from napari_defectseg.ui.widgets.text import choice, name, text

if TYPE_CHECKING:
    from napari_defectseg.core.classes import ClassMap

DOWN, UP = "↓", "↑"


class GalleryPage(QWidget):
    """Signals ``arranged()``, ``accepted()``, ``deleted()`` and ``class_chosen(value)``."""

    arranged = Signal()
    accepted = Signal()
    deleted = Signal()
    class_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        row.addWidget(text("Sort", wrap=False))
        self.order = choice("What the objects are sorted by")
        self.order.activated.connect(lambda _: self.arranged.emit())
        self.turn = QToolButton()
        self.turn.setText(DOWN)
        self.turn.setCheckable(True)
        self.turn.toggled.connect(self._on_turned)
        row.addWidget(self.order, 1)
        row.addWidget(self.turn)
        column.addLayout(row)
        self.filter = FilterLine("class == 'void'")
        self.filter.changed.connect(lambda _: self.arranged.emit())
        column.addWidget(self.filter)
        self.tiles = ObjectTiles()
        column.addWidget(self.tiles, 1)
        self.told = text("", "second")
        column.addWidget(self.told)
        column.addLayout(self._buttons())
        self._on_turned(False)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.accept = _button("Accept A", "Mark all chosen objects as checked, as one step")
        self.delete = _button("Delete D", "Remove all chosen objects, as one step")
        self.relabel = _button("Class C", "Give all chosen objects another class, as one step")
        self.menu = QMenu(self.relabel)
        self.accept.clicked.connect(self.accepted)
        self.delete.clicked.connect(self.deleted)
        self.relabel.clicked.connect(self.open_classes)
        for button in (self.accept, self.delete, self.relabel):
            row.addWidget(button, 1)
        return row

    @property
    def downwards(self) -> bool:
        """Whether the largest comes first."""
        return not self.turn.isChecked()

    def show_orders(self, orders: Sequence[tuple[str, str]]) -> None:
        """Offer what objects are sorted by: name in code, words; the choice stays if it can."""
        current = self.order.currentData()
        if [self.order.itemData(i) for i in range(self.order.count())] == [o for o, _ in orders]:
            return
        with QSignalBlocker(self.order):
            self.order.clear()
            for value, told in orders:
                self.order.addItem(told, value)
            self.order.setCurrentIndex(max(0, self.order.findData(current)))

    def show_classes(self, classes: ClassMap) -> None:
        """Offer the classes in the menu."""
        self.menu.clear()
        for item in classes:
            action = self.menu.addAction(item.name)
            action.triggered.connect(
                lambda _=False, value=item.value: self.class_chosen.emit(value)
            )

    def open_classes(self) -> None:
        """Open the menu of classes over its button."""
        if self.relabel.isEnabled():
            self.menu.popup(self.relabel.mapToGlobal(self.relabel.rect().topLeft()))

    def show_chosen(self, count: int, total: int, left_out: int) -> None:
        """Say how many objects are chosen, and how many are not shown."""
        shown = f"{words.counted(total, 'object')}, {words.count(count)} chosen"
        rest = f"; {words.count(left_out)} more behind them" if left_out else ""
        self.told.setText(f"{shown}{rest}.")
        for button in (self.accept, self.delete, self.relabel):
            button.setEnabled(count > 0)

    def _on_turned(self, upwards: bool) -> None:
        self.turn.setText(UP if upwards else DOWN)
        said = "Smallest first" if upwards else "Largest first"
        name(self.turn, said, f"{said}; click to turn round")
        self.arranged.emit()


def _button(called: str, tip: str) -> QPushButton:
    button = QPushButton(called)
    button.setProperty("ds", "tight")
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(40)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    name(button, called.rpartition(" ")[0], tip)
    return button
