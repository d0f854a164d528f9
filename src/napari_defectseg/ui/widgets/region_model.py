"""What the table of objects holds: columns behind one order of rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from qtpy.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QFont, QIcon
from qtpy.QtWidgets import QWidget

from napari_defectseg.ui import numbers

RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
SAMPLE = 10_000
"""Values that are looked at to choose how a column is written."""
LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True)
class TableColumn:
    """A column as the table shows it.

    Parameters
    ----------
    key : str
        Name in files, for example ``"equivalent_diameter_area"``.
    title : str
        What stands in the header, without unit.
    values : ndarray, shape (rows,)
        Numbers, or names for a column of words.
    unit : str
    definition : str
        The tooltip of the header.
    icons : mapping of name to QIcon
        Swatches of class names, empty for other columns.
    """

    key: str
    title: str
    values: np.ndarray
    unit: str = ""
    definition: str = ""
    icons: dict[str, QIcon] = field(default_factory=dict)

    @property
    def is_text(self) -> bool:
        """Whether it holds words."""
        return self.values.dtype.kind in "OUST"

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers."""
        return self.values.dtype.kind in "iu"


class RegionModel(QAbstractTableModel):
    """Columns behind one order of rows; sorting permutes the order, not the data."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels = np.zeros(0, np.int64)
        self._columns: tuple[TableColumn, ...] = ()
        self._formats: dict[int, tuple[int, int]] = {}
        self._rising: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._order = np.zeros(0, np.int64)
        self._row_of: dict[int, int] | None = None
        self._kept: np.ndarray | None = None
        self._sorted_by: tuple[str, bool] = ("", True)
        self._figures: QFont | None = None

    def set_table(self, labels: np.ndarray, columns: Sequence[TableColumn]) -> None:
        """Show other rows, sorted as before if the column is still there."""
        self.beginResetModel()
        self._labels = np.asarray(labels)
        self._columns = tuple(columns)
        self._formats, self._rising = {}, {}
        self._kept = None
        self._reorder()
        self.endResetModel()

    def set_kept(self, kept: np.ndarray | None) -> None:
        """Show only rows where `kept` is true; None shows all."""
        self.beginResetModel()
        self._kept = kept
        self._reorder()
        self.endResetModel()

    def set_figures(self, font: QFont) -> None:
        """Set the font of numbers."""
        self._figures = font

    @property
    def columns(self) -> tuple[TableColumn, ...]:
        """Columns in their own order."""
        return self._columns

    @property
    def shown_labels(self) -> np.ndarray:
        """Object numbers in the order of the rows."""
        return self._labels[self._order]

    def rows_of(self, labels: Iterable[int]) -> list[int]:
        """Return the rows of these objects, those that are shown."""
        if self._row_of is None:
            self._row_of = {int(n): row for row, n in enumerate(self.shown_labels)}
        return [self._row_of[n] for n in labels if n in self._row_of]

    def label_at(self, row: int) -> int:
        """Return the object number of a row."""
        return int(self._labels[self._order[row]])

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of rows shown."""
        return 0 if parent is not None and parent.isValid() else int(self._order.size)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self._columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole):
        """Return text, icon, alignment or font of a cell."""
        if not index.isValid():
            return None
        column = self._columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index.row(), index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return LEFT if column.is_text else RIGHT
        if role == Qt.ItemDataRole.DecorationRole and column.icons:
            return column.icons.get(str(column.values[self._order[index.row()]]))
        if role == Qt.ItemDataRole.FontRole and not column.is_text:
            return self._figures
        return None

    def text(self, row: int, column: int) -> str:
        """Return what a cell says."""
        shown = self._columns[column]
        value = shown.values[self._order[row]]
        if shown.is_text:
            return str(value) or numbers.NOT_DEFINED
        if shown.is_whole:
            return str(int(value))
        power, places = self._format(column)
        if not np.isfinite(value):
            return numbers.NOT_DEFINED
        return numbers.fixed(float(value) / 10.0**power, places)

    def headerData(self, section: int, orientation, role: int = Qt.ItemDataRole.DisplayRole):
        """Return header text with unit, alignment, and the definition as tooltip."""
        if orientation != Qt.Orientation.Horizontal or section >= len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return numbers.header(column.title, column.unit, self._format(section)[0])
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.definition or column.key
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return LEFT if column.is_text else RIGHT
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; objects where it is not defined come last."""
        if not 0 <= column < len(self._columns):
            return
        hint = QAbstractItemModel.LayoutChangeHint.VerticalSortHint
        self.layoutAboutToBeChanged.emit([], hint)
        before = self.persistentIndexList()
        kept = [(self.label_at(index.row()), index.column()) for index in before]
        ascending = order == Qt.SortOrder.AscendingOrder
        self._sorted_by = (self._columns[column].key, ascending)
        self._reorder()
        rows = {label: self.rows_of([label]) for label, _ in kept}
        after = [self.index(rows[label][0], at) for label, at in kept]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit([], hint)

    def _format(self, column: int) -> tuple[int, int]:
        """Return power of ten and places of a column, found when it is first shown."""
        if column not in self._formats:
            self._formats[column] = _format_of(self._columns[column])
        return self._formats[column]

    def _reorder(self) -> None:
        key, ascending = self._sorted_by
        found = [column for column in self._columns if column.key == key]
        if not found:
            every = np.arange(self._labels.size)
            self._order = every if self._kept is None else np.flatnonzero(self._kept)
        else:
            rows = self._sorted(found[0], ascending)
            self._order = rows if self._kept is None else rows[self._kept[rows]]
        self._row_of = None

    def _sorted(self, column: TableColumn, ascending: bool) -> np.ndarray:
        """Return all rows in the order of a column; sorted once, turned round as often as wanted.

        Undefined values come last either way, and rows of equal value keep their order.
        """
        if column.key not in self._rising:
            self._rising[column.key] = _rising(column.values)
        rows, keys = self._rising[column.key]
        if ascending:
            return rows
        if column.values.dtype.kind == "f":
            defined = rows.size - int(np.count_nonzero(np.isnan(column.values)))
            return np.concatenate([rows[:defined][::-1], rows[defined:]])
        return _falling(keys, rows)


def _rising(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of rising values (undefined ones last), and what was sorted."""
    if values.dtype.kind in "OUST":
        keys = _places(values)
        return np.argsort(keys, kind="stable"), keys
    # Ties matter where they are many; for real numbers numpy's vectorised sort is faster.
    return np.argsort(values, kind=None if values.dtype.kind == "f" else "stable"), values


def _falling(keys: np.ndarray, rising: np.ndarray) -> np.ndarray:
    """Return the order of falling values, groups of equal ones turned back to rising rows."""
    ordered = keys[rising]
    begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    lengths = np.diff(np.append(begins, ordered.size))
    starts, lengths = begins[::-1], lengths[::-1]
    after = np.cumsum(lengths)
    inside = np.arange(ordered.size) - np.repeat(after - lengths, lengths)
    return rising[np.repeat(starts, lengths) + inside]


def _places(words: np.ndarray) -> np.ndarray:
    """Return the place of each word among the distinct ones, which are few, in their order."""
    import pandas

    codes, distinct = pandas.factorize(words.astype(object, copy=False), use_na_sentinel=False)
    rank = np.empty(len(distinct), np.int16 if len(distinct) < 2**15 else np.int64)
    rank[np.argsort(np.asarray(distinct, str), kind="stable")] = np.arange(len(distinct))
    return rank[codes]


def _format_of(column: TableColumn) -> tuple[int, int]:
    if column.is_text or column.is_whole:
        return 0, 0
    # Some values of many say as well how they are best written.
    some = column.values[:: max(1, column.values.size // SAMPLE)]
    power = numbers.common_power(some)
    return power, numbers.common_places(some / 10.0**power)
