"""`Matrix`: several columns against one another, with how strongly they go together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_defectseg.ui import numbers, theme

GAP = 3
CELL = 26
"""Rows and columns of a cell's picture."""


@dataclass(frozen=True)
class Cell:
    """Two columns.

    Parameters
    ----------
    x, y : str
        Keys of the columns.
    counts : ndarray of int, shape (rows, columns)
        How many objects lie where; row 0 holds the least values of `y`.
    value : float
        Pearson's r; nan where it is not defined.
    linked : bool
        Whether the two are linked by definition, so that r says nothing.
    """

    x: str
    y: str
    counts: np.ndarray
    value: float
    linked: bool = False


@dataclass(frozen=True)
class Cells:
    """What a matrix shows.

    Parameters
    ----------
    keys, titles : tuple of str
        Columns and what they are called.
    pairs : mapping of (int, int) to Cell
        By row and column of the matrix, row above column: the lower half.
    objects : int
    """

    keys: tuple[str, ...]
    titles: tuple[str, ...]
    pairs: dict[tuple[int, int], Cell]
    objects: int

    def summary(self) -> str:
        """Return what a person who does not see the matrix should hear."""
        parts = [
            f"{self.titles[column]} and {self.titles[row]} {_written(cell.value)}"
            for (row, column), cell in self.pairs.items()
            if not cell.linked
        ]
        count = numbers.count(self.objects)
        return f"Correlation of {count} objects: {', '.join(parts) or 'nothing to compare'}."


class Matrix(QWidget):
    """The lower half shows pairs as pictures, the upper one their correlation.

    Signals
    -------
    pair_chosen : str, str
        Keys of the columns of the pair that was clicked.
    """

    pair_chosen = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Matrix of columns")
        self.setToolTip("Click a pair: it is shown as a scatter plot")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.cells: Cells | None = None

    def sizeHint(self) -> QSize:
        """Return a modest size."""
        return QSize(213, 150)

    def minimumSizeHint(self) -> QSize:
        """Return what a narrow dock has."""
        return QSize(120, 100)

    def show_cells(self, cells: Cells) -> None:
        """Draw another matrix."""
        self.cells = cells
        self.setAccessibleDescription(cells.summary())
        self.update()

    def theme_changed(self) -> None:
        """Take over the theme it is shown in; called by `theme.apply`."""
        self.update()

    def mousePressEvent(self, event) -> None:
        """Choose the pair under the mouse."""
        found = self._place_at(event.position().x(), event.position().y())
        if found is not None:
            row, column = max(found), min(found)
            cell = self.cells.pairs[row, column]
            self.pair_chosen.emit(cell.x, cell.y)

    def paintEvent(self, event) -> None:
        """Paint all cells."""
        if self.cells is None:
            return
        painter = QPainter(self)
        ink, soft = theme.colour(self, "text"), theme.colour(self, "secondary")
        for row in range(len(self.cells.keys)):
            for column in range(len(self.cells.keys)):
                box = self._box(row, column)
                painter.setPen(QPen(soft, 1))
                painter.drawRect(box)
                if row == column:
                    self._write(painter, box, self.cells.titles[row], ink)
                elif row > column:
                    _paint_counts(painter, box, self.cells.pairs[row, column].counts, ink)
                else:
                    self._write_value(painter, box, self.cells.pairs[column, row], ink)
        painter.end()

    def _write_value(self, painter: QPainter, box: QRectF, cell: Cell, ink: QColor) -> None:
        text = "linked" if cell.linked else _written(cell.value)
        if np.isfinite(cell.value) and not cell.linked:
            # The bar says the same as the number: length the strength, side the sign.
            middle = box.center().x()
            long = cell.value * (box.width() / 2 - 4)
            bar = QRectF(min(middle, middle + long), box.bottom() - 6, abs(long), 3)
            painter.fillRect(bar, ink)
        self._write(painter, box, text, ink)

    def _write(self, painter: QPainter, box: QRectF, text: str, ink: QColor) -> None:
        painter.setPen(ink)
        metrics = painter.fontMetrics()
        room = int(box.width()) - 4
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, shown)

    def _box(self, row: int, column: int) -> QRectF:
        count = len(self.cells.keys)
        wide, high = (self.width() - 1) / count, (self.height() - 1) / count
        return QRectF(column * wide, row * high, wide - GAP, high - GAP)

    def _place_at(self, x: float, y: float) -> tuple[int, int] | None:
        if self.cells is None:
            return None
        count = len(self.cells.keys)
        row, column = int(y * count / self.height()), int(x * count / self.width())
        inside = 0 <= row < count and 0 <= column < count
        return (row, column) if inside and row != column else None


def _paint_counts(painter: QPainter, box: QRectF, counts: np.ndarray, ink: QColor) -> None:
    depth = np.log1p(counts) / np.log1p(max(int(counts.max(initial=0)), 1))
    picture = np.zeros((*counts.shape, 4), np.uint8)
    picture[..., :3] = ink.getRgb()[:3]
    picture[..., 3] = np.where(counts > 0, 70 + 185 * depth, 0)
    rows = np.ascontiguousarray(picture[::-1])
    image = QImage(
        rows.data, counts.shape[1], counts.shape[0], rows.strides[0], QImage.Format.Format_RGBA8888
    )
    painter.drawImage(box.adjusted(1, 1, -1, -1), image)


def _written(value: float) -> str:
    return f"{value:.2f}".replace("-", numbers.MINUS) if np.isfinite(value) else numbers.NOT_DEFINED
