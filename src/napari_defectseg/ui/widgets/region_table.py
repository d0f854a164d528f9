"""The table of objects: 10⁵ rows stay fluid, and the selection is the session's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from qtpy.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QFont, QIcon, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QMenu,
    QTableView,
    QWidget,
)

from napari_defectseg.ui import numbers

RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
ROW_HEIGHT = 24


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
        self._formats: list[tuple[int, int]] = []
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
        self._formats = [_format_of(column) for column in columns]
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
        power, places = self._formats[column]
        if not np.isfinite(value):
            return numbers.NOT_DEFINED
        return numbers.fixed(float(value) / 10.0**power, places)

    def headerData(self, section: int, orientation, role: int = Qt.ItemDataRole.DisplayRole):
        """Return header text with unit, alignment, and the definition as tooltip."""
        if orientation != Qt.Orientation.Horizontal or section >= len(self._columns):
            return None
        column = self._columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return numbers.header(column.title, column.unit, self._formats[section][0])
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

    def _reorder(self) -> None:
        key, ascending = self._sorted_by
        rows = np.arange(self._labels.size) if self._kept is None else np.flatnonzero(self._kept)
        found = [column for column in self._columns if column.key == key]
        if found:
            rows = rows[_ordering(found[0].values[rows], ascending)]
        self._order = rows
        self._row_of = None


def _ordering(values: np.ndarray, ascending: bool) -> np.ndarray:
    if values.dtype.kind == "O":
        # Few distinct words: sort these, and the rows by their place among them.
        values = np.unique(values.astype(str), return_inverse=True)[1]
    keys = values if ascending else _reversed(values)
    # Ties matter for words, where they are many; for numbers numpy's vectorised sort is faster.
    order = np.argsort(keys, kind=None if keys.dtype.kind == "f" else "stable")
    if values.dtype.kind == "f":
        undefined = np.isnan(values[order])
        order = np.concatenate([order[~undefined], order[undefined]])
    return order


def _reversed(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "f":
        return -values
    if values.dtype.kind in "US":
        values = np.unique(values, return_inverse=True)[1]
    return -values.astype(np.int64)


def _format_of(column: TableColumn) -> tuple[int, int]:
    if column.is_text or column.is_whole:
        return 0, 0
    power = numbers.common_power(column.values)
    return power, numbers.common_places(column.values / 10.0**power)


class RegionTableView(QTableView):
    """Shows a `RegionModel`; several rows can be selected, none can be typed into.

    Signals
    -------
    chosen : object
        Frozen set of the selected object numbers, by mouse or keyboard.
    visited : int
        The object of the current row: the viewer goes there.
    """

    chosen = Signal(object)
    visited = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.regions = RegionModel(self)
        self.setModel(self.regions)
        self.setAccessibleName("Objects")
        self.setAccessibleDescription("One row an object; the arrows move, the header sorts.")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMinimumSize(QSize(120, 4 * ROW_HEIGHT))
        self._wanted: list[str] = []
        self._set_up_headers()
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.selectionModel().currentRowChanged.connect(self._on_current)

    def sizeHint(self) -> QSize:
        """Return a height of a few rows."""
        return QSize(213, 7 * ROW_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return what a narrow dock has; wider tables scroll sideways in themselves."""
        return QSize(120, 4 * ROW_HEIGHT)

    def set_table(self, labels: np.ndarray, columns: Sequence[TableColumn]) -> None:
        """Show other objects; selection, sorting, width and choice of columns stay."""
        shape_before = [column.key for column in self.regions.columns]
        selected = self.selected_labels()
        with QSignalBlocker(self.selectionModel()):
            self.regions.set_table(labels, columns)
        if [column.key for column in columns] != shape_before:
            self._apply_columns()
        self.select(selected)

    def show_columns(self, keys: Sequence[str]) -> None:
        """Show only these columns."""
        self._wanted = list(keys)
        self._apply_columns()

    @property
    def shown_columns(self) -> list[str]:
        """Keys of the columns that are not hidden, as they stand."""
        header = self.horizontalHeader()
        places = range(len(self.regions.columns))
        return [
            self.regions.columns[header.logicalIndex(place)].key
            for place in places
            if not self.isColumnHidden(header.logicalIndex(place))
        ]

    def selected_labels(self) -> frozenset[int]:
        """Return the numbers of the selected objects."""
        model = self.selectionModel()
        rows = [r for s in model.selection() for r in range(s.top(), s.bottom() + 1)]
        return frozenset(self.regions.label_at(row) for row in rows)

    def select(self, labels: Iterable[int]) -> None:
        """Select these rows without telling anybody, and bring the first into sight."""
        rows = sorted(self.regions.rows_of(labels))
        selection, last = QItemSelection(), len(self.regions.columns) - 1
        for first, end in _runs(rows):
            selection.select(self.regions.index(first, 0), self.regions.index(end, last))
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        with QSignalBlocker(self.selectionModel()):
            self.selectionModel().select(selection, flags)
            if rows and self.currentIndex().row() not in rows:
                none = QItemSelectionModel.SelectionFlag.NoUpdate
                self.selectionModel().setCurrentIndex(self.regions.index(rows[0], 0), none)
        if rows:
            self._scroll_to(rows[0])
        self.viewport().update()

    def keyboardSearch(self, search: str) -> None:
        """Do nothing: letters belong to the tools."""

    def keyPressEvent(self, event) -> None:
        """Copy, or move; letters go on to the viewer."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.text().isalnum() and not event.modifiers():
            event.ignore()
        else:
            super().keyPressEvent(event)

    def copy(self) -> None:
        """Put the selected rows, or all, on the clipboard as tab-separated text with header."""
        chosen = sorted(self.regions.rows_of(self.selected_labels()))
        rows = chosen or range(self.regions.rowCount())
        header = self.horizontalHeader()
        places = [header.logicalIndex(i) for i in range(len(self.regions.columns))]
        places = [place for place in places if not self.isColumnHidden(place)]
        horizontal = Qt.Orientation.Horizontal
        lines = ["\t".join(self.regions.headerData(place, horizontal) for place in places)]
        lines += ["\t".join(self.regions.text(row, place) for place in places) for row in rows]
        QApplication.clipboard().setText("\n".join(lines))

    def contextMenuEvent(self, event) -> None:
        """Offer to copy, and to choose columns."""
        menu = self.column_menu()
        menu.exec(event.globalPos())

    def column_menu(self) -> QMenu:
        """Return the menu of columns; a tick is a column that is shown."""
        menu = QMenu(self)
        menu.addAction("Copy", self.copy).setShortcut(QKeySequence(QKeySequence.StandardKey.Copy))
        menu.addSeparator()
        for place, column in enumerate(self.regions.columns):
            action = menu.addAction(numbers.header(column.title, column.unit))
            action.setToolTip(column.definition)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(place))
            action.toggled.connect(lambda on, key=column.key: self._toggle_column(key, on))
        return menu

    def _set_up_headers(self) -> None:
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setSortIndicatorShown(True)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(36)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(
            lambda place: self.column_menu().exec(header.mapToGlobal(place))
        )
        header.setAccessibleName("Columns of the table of objects")
        self.setSortingEnabled(True)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def _toggle_column(self, key: str, shown: bool) -> None:
        wanted = [k for k in self.shown_columns if k != key] + ([key] if shown else [])
        if wanted:
            self.show_columns(wanted)

    def _apply_columns(self) -> None:
        columns = self.regions.columns
        wanted = [key for key in self._wanted if key in {column.key for column in columns}]
        metrics = self.fontMetrics()
        for place, column in enumerate(columns):
            self.setColumnHidden(place, bool(wanted) and column.key not in wanted)
            title = self.regions.headerData(place, Qt.Orientation.Horizontal)
            space = 44 if column.icons else 26
            width = max(metrics.horizontalAdvance(title) + 34, *_widths(column, metrics, space))
            self.setColumnWidth(place, min(width, 150))
            stretch = bool(column.icons)
            mode = QHeaderView.ResizeMode
            self.horizontalHeader().setSectionResizeMode(
                place, mode.Stretch if stretch else mode.Interactive
            )

    def _scroll_to(self, row: int) -> None:
        bar, rect = self.verticalScrollBar(), self.visualRect(self.regions.index(row, 0))
        # Only up and down: going sideways to the first column would hide what is being read.
        if rect.top() < 0 or rect.bottom() > self.viewport().height():
            target = bar.value() + rect.center().y() - self.viewport().height() // 2
            bar.setValue(target)

    def _on_selection(self, *_args) -> None:
        self.chosen.emit(self.selected_labels())

    def _on_current(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self.visited.emit(self.regions.label_at(current.row()))


def _widths(column: TableColumn, metrics, space: int) -> tuple[int, int]:
    if column.is_text:
        names = list(column.icons) or [str(value) for value in column.values[:20]]
        longest = max((metrics.horizontalAdvance(name) for name in names), default=20)
        return longest + space, 40
    return metrics.horizontalAdvance("000.00") + 12, 40


def _runs(rows: Sequence[int]) -> list[tuple[int, int]]:
    """Return first and last of each run of neighbouring rows."""
    if not rows:
        return []
    array = np.asarray(rows)
    breaks = np.flatnonzero(np.diff(array) > 1)
    firsts, lasts = np.r_[0, breaks + 1], np.r_[breaks, array.size - 1]
    return [(int(array[a]), int(array[b])) for a, b in zip(firsts, lasts, strict=True)]
