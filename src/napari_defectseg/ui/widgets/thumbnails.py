"""Pictures of a dataset with the outlines of their masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from napari_defectseg.core.classes import UNLABELLED, ClassMap

SIDE = 58
"""Width and height of a picture in logical px."""
SHARPNESS = 2
"""Pictures are kept at twice their size, for dense screens."""
NUMBER = Qt.ItemDataRole.UserRole
BORDER_PERCENT = (1.0, 99.0)

Picture = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Tile:
    """One picture of the gallery.

    Parameters
    ----------
    key : str
        The pair's name in the dataset.
    title : str
        What stands under it.
    help : str
        The tooltip: specimen, set, size.
    excluded : bool
        Shown crossed out.
    """

    key: str
    title: str
    help: str = ""
    excluded: bool = False


def picture(
    plane: np.ndarray[Any, Any],
    mask: np.ndarray[Any, Any] | None,
    classes: ClassMap,
    side: int = SIDE * SHARPNESS,
) -> Picture:
    """Return a small picture with outlines at full strength.

    Parameters
    ----------
    plane : ndarray, shape (y, x) or (y, x, 3)
        Grey values or colours, any range.
    mask : ndarray of uint8, shape (y, x) or (class, y, x), or None
        Class values, or 0 and 1 in one plane a class.
    classes : ClassMap
    side : int
        Of the square cut out of the middle, in pixels of the picture.

    Returns
    -------
    ndarray of uint8, shape (side, side, 3)
    """
    rows, columns = _sampling(plane.shape[:2], side)
    small = _stretched(plane[np.ix_(rows, columns)])
    if mask is None:
        return small
    for colour, inside in _areas(mask, classes, rows, columns):
        small[_outline(inside)] = colour
    return small


def _sampling(shape: tuple[int, ...], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of a centred square of the picture, every n-th pixel."""
    length = min(shape)
    starts = [(n - length) // 2 for n in shape]
    step = np.arange(side) * length // side
    return starts[0] + step, starts[1] + step


def _stretched(small: np.ndarray) -> Picture:
    values = small[..., :3].astype(np.float32) if small.ndim == 3 else small.astype(np.float32)
    if values.ndim == 3 and values.shape[-1] != 3:
        values = values[..., 0]
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, BORDER_PERCENT) if finite.size else (0.0, 1.0)
    scaled = np.nan_to_num((values - low) / max(high - low, 1e-12)).clip(0, 1) * 255
    grey = scaled.astype(np.uint8)
    return grey.copy() if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)


def _areas(mask, classes: ClassMap, rows, columns):  # type: ignore[no-untyped-def]
    for place, item in enumerate(classes):
        plane = mask if mask.ndim == 2 else mask[place]
        small = plane[np.ix_(rows, columns)]
        inside = small == (item.value if mask.ndim == 2 else 1)
        inside &= small != UNLABELLED
        colour = QColor(item.colour)
        yield (colour.red(), colour.green(), colour.blue()), inside


def _outline(inside: np.ndarray) -> np.ndarray:
    """Return the inner border of an area, two pixels wide."""
    eroded = inside.copy()
    for _ in range(2):
        core = eroded.copy()
        core[1:] &= eroded[:-1]
        core[:-1] &= eroded[1:]
        core[:, 1:] &= eroded[:, :-1]
        core[:, :-1] &= eroded[:, 1:]
        eroded = core
    return inside & ~eroded


class Thumbnails(QListWidget):
    """A grid of pictures; arrows move, Enter opens, Delete leaves a picture out.

    Signals
    -------
    opened : str
        Key of a picture that was double-clicked.
    exclude_asked : str
        Key of a picture that should be left out, or taken back.
    looked_at : str
        Key of the current picture, empty if there is none.
    """

    opened = Signal(str)
    exclude_asked = Signal(str)
    looked_at = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setGridSize(QSize(SIDE + 8, SIDE + 22))
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setMovement(QListWidget.Movement.Static)
        self.setUniformItemSizes(True)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSpacing(0)
        self.setMinimumSize(QSize(120, SIDE + 30))
        self.setAccessibleName("Pictures of the dataset")
        self.setAccessibleDescription("Enter opens a picture, Delete leaves it out.")
        self.itemActivated.connect(lambda item: self.opened.emit(item.data(NUMBER)))
        self.currentItemChanged.connect(
            lambda item, _before: self.looked_at.emit(item.data(NUMBER) if item else "")
        )
        self._items: dict[str, QListWidgetItem] = {}
        self._pictures: dict[str, Picture] = {}
        self._excluded: set[str] = set()

    def sizeHint(self) -> QSize:
        """Return two rows of pictures."""
        return QSize(213, 2 * (SIDE + 22) + 6)

    def minimumSizeHint(self) -> QSize:
        """Return one row."""
        return QSize(120, SIDE + 30)

    def show_tiles(self, tiles: Sequence[Tile]) -> None:
        """Show other pictures; those that were seen before keep their looks."""
        current = self.current
        self.clear()
        self._items.clear()
        self._excluded = {tile.key for tile in tiles if tile.excluded}
        for tile in tiles:
            item = QListWidgetItem(tile.title)
            item.setData(NUMBER, tile.key)
            item.setToolTip(tile.help)
            words = f"{tile.title}, {tile.help}" + (", left out" if tile.excluded else "")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
            item.setSizeHint(self.gridSize())
            self._items[tile.key] = item
            self.addItem(item)
            self._paint(tile.key)
        if current in self._items:
            self.setCurrentItem(self._items[current])

    def set_picture(self, key: str, array: Picture) -> None:
        """Show the picture that has been read."""
        self._pictures[key] = array
        self._paint(key)

    def forget_pictures(self) -> None:
        """Drop what was read, for another dataset."""
        self._pictures.clear()

    @property
    def missing(self) -> list[str]:
        """Keys whose picture has not been read yet."""
        return [key for key in self._items if key not in self._pictures]

    @property
    def current(self) -> str:
        """Key of the current picture, empty if there is none."""
        item = self.currentItem()
        return item.data(NUMBER) if item is not None else ""

    def select(self, key: str) -> None:
        """Choose the picture of a pair and bring it into sight."""
        if (item := self._items.get(key)) is not None:
            self.setCurrentItem(item)
            self.scrollToItem(item)

    def keyboardSearch(self, search: str) -> None:
        """Do nothing: letters belong to the tools."""

    def keyPressEvent(self, event) -> None:
        """Open, leave out, or move; letters go on to the viewer."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.current:
            self.exclude_asked.emit(self.current)
        elif event.text().isalnum() and not event.modifiers():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def _paint(self, key: str) -> None:
        item = self._items.get(key)
        if item is None:
            return
        array = self._pictures.get(key)
        pixmap = _blank() if array is None else pixmap_of(array)
        if key in self._excluded:
            _cross_out(pixmap)
        item.setIcon(QIcon(pixmap))


def _blank() -> QPixmap:
    pixmap = QPixmap(SIDE * SHARPNESS, SIDE * SHARPNESS)
    pixmap.fill(Qt.GlobalColor.gray)
    pixmap.setDevicePixelRatio(SHARPNESS)
    return pixmap


def pixmap_of(array: Picture) -> QPixmap:
    """Return a picture for dense screens."""
    array = np.ascontiguousarray(array)
    height, width = array.shape[:2]
    image = QImage(array.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    pixmap = QPixmap.fromImage(image.copy())
    pixmap.setDevicePixelRatio(SHARPNESS)
    return pixmap


def _cross_out(pixmap: QPixmap) -> None:
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    shade = QColor(Qt.GlobalColor.black)
    shade.setAlphaF(0.55)
    painter.fillRect(0, 0, SIDE, SIDE, shade)
    painter.setPen(QPen(QColor(Qt.GlobalColor.white), 2))
    painter.drawLine(4, 4, SIDE - 4, SIDE - 4)
    painter.drawLine(4, SIDE - 4, SIDE - 4, 4)
    painter.end()
