"""The table of objects: 10⁵ rows stay fluid, and the selection is the session's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from qtpy.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSignalBlocker,
    QSize,
    Qt,
    Signal,
)
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QMenu,
    QTableView,
    QWidget,
)

from napari_defectseg.ui import numbers
from napari_defectseg.ui.widgets.region_model import RegionModel, TableColumn

ROW_HEIGHT = 24
FEWEST = 4
"""Rows, with the header, that there is always room for."""


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
        self.setMinimumSize(QSize(120, FEWEST * ROW_HEIGHT))
        self._wanted: list[str] = []
        self._set_up_headers()
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.selectionModel().currentRowChanged.connect(self._on_current)

    def sizeHint(self) -> QSize:
        """Return a height of a few rows."""
        return QSize(213, 7 * ROW_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Return what a narrow dock has; wider tables scroll sideways in themselves."""
        return QSize(120, FEWEST * ROW_HEIGHT)

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
        known = [column.key for column in columns]
        wanted = [key for key in self._wanted if key in known]
        header = self.horizontalHeader()
        for place, key in enumerate(wanted):
            header.moveSection(header.visualIndex(known.index(key)), place)
        metrics = self.fontMetrics()
        for place, column in enumerate(columns):
            self.setColumnHidden(place, bool(wanted) and column.key not in wanted)
            title = self.regions.headerData(place, Qt.Orientation.Horizontal)
            space = 40 if column.icons else 26
            width = max(metrics.horizontalAdvance(title) + 28, *_widths(column, metrics, space))
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
