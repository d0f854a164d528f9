"""Objects as tiles: many in sight at once, several chosen at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qtpy.QtCore import QItemSelectionModel, QSignalBlocker, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QIcon, QKeyEvent, QPixmap, QResizeEvent
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from napari_defectseg.ui.widgets.thumbnails import SHARPNESS, SIDE, Picture, pixmap_of

NUMBER = Qt.ItemDataRole.UserRole
ROWS = 3
"""Rows of tiles in a narrow dock."""


@dataclass(frozen=True)
class ObjectTile:
    """One object of the gallery.

    Parameters
    ----------
    number : int
    caption : str
        What stands under its picture.
    help : str
        The tooltip, and what is read aloud.
    """

    number: int
    caption: str
    help: str


class ObjectTiles(QListWidget):
    """A grid of pictures of objects; Ctrl and Shift choose several, letters go to the viewer.

    Signals
    -------
    chosen : list of int
        A person chose other objects.
    opened : int
        An object was double-clicked, or Enter was pressed on it.
    wanted : list of int
        Objects in sight that have no picture yet.
    """

    chosen = Signal(list)
    opened = Signal(int)
    wanted = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setGridSize(QSize(SIDE + 10, SIDE + 22))
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setMovement(QListWidget.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSpacing(0)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMinimumSize(QSize(120, SIDE + 30))
        self.setAccessibleName("Objects")
        self.setAccessibleDescription("Shift and Ctrl choose several; Enter goes to an object.")
        self._items: dict[int, QListWidgetItem] = {}
        self._pictures: dict[int, Picture] = {}
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._ask)
        self.itemSelectionChanged.connect(lambda: self.chosen.emit(self.selected))
        self.itemActivated.connect(lambda item: self.opened.emit(item.data(NUMBER)))
        self.verticalScrollBar().valueChanged.connect(self._ask_soon)

    def sizeHint(self) -> QSize:
        """Return some rows of pictures."""
        return QSize(213, ROWS * (SIDE + 22) + 6)

    def minimumSizeHint(self) -> QSize:
        """Return one row."""
        return QSize(120, SIDE + 30)

    @property
    def selected(self) -> list[int]:
        """Numbers of the chosen objects, in the order of the tiles."""
        return [n for n, item in self._items.items() if item.isSelected()]

    @property
    def numbers(self) -> list[int]:
        """Numbers of all objects, in the order of the tiles."""
        return list(self._items)

    def show_tiles(self, tiles: Sequence[ObjectTile], selected: Iterable[int] = ()) -> None:
        """Show other objects; pictures that were made stay."""
        place = self.verticalScrollBar().value()
        with QSignalBlocker(self):
            self.clear()
            self._items.clear()
            for tile in tiles:
                item = QListWidgetItem(tile.caption)
                item.setData(NUMBER, tile.number)
                item.setToolTip(tile.help)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, tile.help)
                item.setSizeHint(self.gridSize())
                self._items[tile.number] = item
                self.addItem(item)
                self._paint(tile.number)
        self.select(selected)
        self.verticalScrollBar().setValue(place)
        self._ask_soon()

    def select(self, numbers: Iterable[int]) -> None:
        """Choose objects without saying so; the first is brought into sight."""
        wanted = [self._items[n] for n in numbers if n in self._items]
        with QSignalBlocker(self):
            self.clearSelection()
            for item in wanted:
                item.setSelected(True)
            if wanted:
                keep = QItemSelectionModel.SelectionFlag.NoUpdate
                self.selectionModel().setCurrentIndex(self.indexFromItem(wanted[0]), keep)
        if len(wanted) == 1:
            self.scrollToItem(wanted[0])

    def set_picture(self, number: int, array: Picture) -> None:
        """Show the picture of an object."""
        self._pictures[number] = array
        self._paint(number)

    def forget_pictures(self, numbers: Iterable[int] | None = None) -> None:
        """Drop pictures that are no longer true; None: all."""
        if numbers is None:
            self._pictures.clear()
            return
        for number in numbers:
            self._pictures.pop(number, None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More tiles may be in sight."""
        super().resizeEvent(event)
        self._ask_soon()

    def keyboardSearch(self, search: str) -> None:
        """Do nothing: letters belong to the tools."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move and choose; letters go on to the viewer."""
        if event.text().isalnum():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _paint(self, number: int) -> None:
        item = self._items.get(number)
        if item is None:
            return
        array = self._pictures.get(number)
        if array is not None:
            item.setIcon(QIcon(pixmap_of(array)))
            return
        blank = QPixmap(SIDE * SHARPNESS, SIDE * SHARPNESS)
        blank.fill(Qt.GlobalColor.transparent)
        blank.setDevicePixelRatio(SHARPNESS)
        item.setIcon(QIcon(blank))

    def _ask_soon(self) -> None:
        self._later.start(0)

    def _ask(self) -> None:
        """Ask for the pictures of what is in sight."""
        seen = self.viewport().rect()
        missing = [
            number
            for number, item in self._items.items()
            if number not in self._pictures and self.visualItemRect(item).intersects(seen)
        ]
        if missing:
            self.wanted.emit(missing)
