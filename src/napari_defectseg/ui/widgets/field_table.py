"""The images of a collection as a table: name, size, pixel size, state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.text import name

if TYPE_CHECKING:
    from napari_defectseg.images.collection import Collection, Field

COLUMNS = ("field", "size", "px size", "state")
SIZE, STATE = 1, 3
ROOM_FOR_SIZE, ROOM_FOR_STATE = 270, 330
"""Narrower tables leave the size in px, and the end of a long state, to the tooltip."""
FILTER_FROM = 12
"""With fewer images there is nothing to filter."""
STATES = {
    "new": "– new", "predicted": "▸ found", "corrected": "✎ edited", "checked": "✓ checked",
    "unreadable": "⚠ broken",
}  # fmt: skip
ROW, MOST_ROWS = 24, 8


class FieldModel(QAbstractTableModel):
    """Columns over a collection; nothing is copied."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: tuple[Field, ...] = ()
        self._unit = ""

    def set_collection(self, collection: Collection | None) -> None:
        """Show another collection; one with as many images keeps selection and place."""
        entries = () if collection is None else collection.entries
        unit = _usual_unit(entries)
        if unit != self._unit:
            self._unit = unit
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
        if len(entries) == len(self._entries):
            self._entries = entries
            if entries:
                last = self.index(len(entries) - 1, len(COLUMNS) - 1)
                self.dataChanged.emit(self.index(0, 0), last)
            return
        self.beginResetModel()
        self._entries = entries
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of images."""
        return len(self._entries)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: Any, role: int = 0) -> Any:
        """Return the name of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return f"{self._unit}/px" if section == 2 and self._unit else COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        """Return what a cell shows."""
        entry, column = self._entries[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return cells(entry, self._unit)[column]
        if role == Qt.ItemDataRole.UserRole:
            return _sort_keys(entry)[column]
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            return _tip(entry)
        if role == Qt.ItemDataRole.TextAlignmentRole and column in (1, 2):
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None


class FieldTable(QWidget):
    """Sorts, filters, and sends `opened` with the place of the image that was double-clicked."""

    opened = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: name, specimen or state")
        name(self.filter, "Filter the images", "A word of name, specimen or state")
        column.addWidget(self.filter)
        self._model = FieldModel()
        self._sorted = _Sorted()
        self._sorted.setSourceModel(self._model)
        self._sorted.setSortRole(Qt.ItemDataRole.UserRole)
        self.filter.textChanged.connect(self._sorted.set_words)
        self.view = _table(self._sorted)
        self.view.activated.connect(self._on_activated)
        column.addWidget(self.view)

    def show_collection(self, collection: Collection | None, current: int) -> None:
        """Show a collection with one image marked; -1 marks none."""
        self._model.set_collection(collection)
        count = self._model.rowCount()
        self.filter.setVisible(count >= FILTER_FROM)
        self.view.setFixedHeight(ROW * min(MOST_ROWS, count + 1) + ROW + 8)
        if not 0 <= current < count:
            self.view.clearSelection()
            return
        place = self._sorted.mapFromSource(self._model.index(current, 0))
        if place.isValid() and self.view.currentIndex().row() != place.row():
            self.view.setCurrentIndex(place)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what there is no room for."""
        super().resizeEvent(event)
        room = event.size().width()
        self.view.setColumnHidden(SIZE, room < ROOM_FOR_SIZE)
        wide = room >= ROOM_FOR_STATE
        self.view.horizontalHeader().resizeSection(STATE, 88 if wide else 70)

    def row_texts(self, row: int) -> list[str]:
        """Return what a row shows."""
        return [str(self._sorted.index(row, column).data()) for column in range(len(COLUMNS))]

    def _on_activated(self, index: QModelIndex) -> None:
        self.opened.emit(self._sorted.mapToSource(index).row())


class _Sorted(QSortFilterProxyModel):
    """Keeps rows in which every word occurs."""

    def __init__(self) -> None:
        super().__init__()
        self._words: list[str] = []

    def set_words(self, words: str) -> None:
        """Filter by words."""
        self._words = words.lower().split()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:
        """Tell whether a row is shown."""
        entry = self.sourceModel()._entries[row]
        said = f"{entry.name} {entry.specimen} {entry.state} {entry.problem}".lower()
        return all(word in said for word in self._words)


def _usual_unit(entries: Sequence[Field]) -> str:
    """Return the unit of most pixel sizes, empty if there are none."""
    units = Counter(one.calibration.unit for one in entries if one.calibration.in_plane.calibrated)
    return units.most_common(1)[0][0] if units else ""


def cells(entry: Field, unit: str) -> tuple[str, str, str, str]:
    """Return what a row says of an image, its pixel size in a unit."""
    size = _size(entry)
    known = entry.calibration
    if entry.problem:
        step = "–"
    elif known.in_plane.calibrated:
        value = known.in_plane.to(unit or known.unit).steps[-1]
        step = f"{value:.3g}" + (" ?" if known.question else "")
    else:
        step = "⚠ none"
    return entry.name, size, step, STATES.get(entry.state, entry.state)


def _size(entry: Field) -> str:
    if not entry.shape:
        return "–"
    lengths = [str(n) for n, axis in zip(entry.shape, entry.axes, strict=True) if axis != "c"]
    if len(lengths) > 1 and lengths[-1] == lengths[-2]:
        lengths[-2:] = [f"{lengths[-1]}²"]
    return "×".join(lengths)


def _sort_keys(entry: Field) -> tuple[Any, ...]:
    known = entry.calibration.in_plane
    pixels = 1
    for length in entry.shape:
        pixels *= length
    step = known.to("nm").steps[-1] if known.calibrated else 0.0
    return entry.name, float(pixels if entry.shape else 0), step, entry.state


def _tip(entry: Field) -> str:
    if entry.problem:
        return entry.problem
    rows = [
        f"{entry.name} · {entry.specimen}",
        f"{_size(entry)} px · {entry.calibration.describe()} · {entry.state}",
        entry.path,
    ]
    if entry.calibration.question:
        rows.append(entry.calibration.question)
    return "\n".join(rows)


def _table(model: QSortFilterProxyModel) -> QTableView:
    view = QTableView()
    view.setModel(model)
    name(view, "Images of the collection", "Enter or a double click opens an image")
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setShowGrid(False)
    view.setTabKeyNavigation(False)
    view.setWordWrap(False)
    view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setMinimumWidth(120)
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(ROW)
    header = view.horizontalHeader()
    header.setMinimumSectionSize(28)
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column, width in ((1, 52), (2, 54), (3, 70)):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(column, width)
    view.setSortingEnabled(True)
    view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    theme.tabular(view)
    return view
