"""How a column is distributed: which column, which weight, which axis, and the bars."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import binned, columns, theme, words
from napari_defectseg.ui.plots.histogram import Histogram
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.text import ElidedLabel, choice

NARROW_PLOT = 140
"""Height of the plot in a narrow dock, in px."""
LOW_PLOT = 104
"""Its height where the dock is low, too."""
ANY_HEIGHT = 16777215
"""Qt's word for no limit."""
FEW = 50
"""Objects whose bars are marked; more would mark every bar, which says nothing."""


class Distribution(QWidget):
    """The histogram of a table with its controls; knows the rows it shows, not the session."""

    chosen = Signal(object, bool)
    """Ids of the rows in the bars that were clicked; whether they are added."""
    cleared = Signal()
    delete_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._table: RegionTable | None = None
        self._ids = np.zeros(0, np.int64)
        self._selection: frozenset[int] = frozenset()
        self._wide = self._low = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        column.addLayout(self._controls())
        self.plot = Histogram()
        self.plot.setFixedHeight(NARROW_PLOT)
        column.addWidget(self.plot)
        self.told = ElidedLabel(role="second")
        column.addWidget(self.told)
        self.plot.range_chosen.connect(self._on_range)
        self.plot.cleared.connect(self.cleared)
        self.plot.delete_asked.connect(self.delete_asked)

    def _controls(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.column_box = choice("What the histogram shows")
        self.weight = Segments(
            "Height of the bars",
            (("n", "n", "Count objects"), ("size", "vol", "Add up their areas or volumes")),
        )
        self.scale = Segments(
            "Axis", (("lin", "lin", "Equal steps"), ("log", "log", "Steps by a factor"))
        )
        row.addWidget(self.column_box, 1)
        row.addWidget(self.weight)
        row.addWidget(self.scale)
        self.column_box.activated.connect(self._draw)
        self.weight.valueChanged.connect(self._draw)
        self.scale.valueChanged.connect(self._draw)
        return row

    @property
    def column(self) -> str:
        """Key of the column that is shown, empty if there is none."""
        key = self.column_box.currentData()
        return key if self._table is not None and key in self._table else ""

    def show_table(self, table: RegionTable, ids: np.ndarray) -> None:
        """Show the rows of a table, each with its id."""
        self._table, self._ids = table, ids
        _fill_columns(self.column_box, table)
        self._draw()

    def mark(self, selection: frozenset[int]) -> None:
        """Outline the bars that hold the selected objects, and say which they are."""
        self._selection = selection
        self.told.setText(_selection_words(selection))
        if not self.column or self._table is None:
            return
        few = selection if len(selection) <= FEW else frozenset()
        values = self._table[self.column][np.isin(self._ids, list(few))]
        self.plot.mark([float(value) for value in values])

    def set_wide(self, wide: bool) -> None:
        """Use the room of a wide dock."""
        self._wide = wide
        self._set_height()

    def set_low(self, low: bool) -> None:
        """Leave the room of a low dock to the table."""
        self._low = low
        self._set_height()

    def _set_height(self) -> None:
        self.told.setVisible(self._wide or not self._low)
        least = LOW_PLOT if self._low or self._wide else NARROW_PLOT
        self.plot.setMinimumHeight(least)
        self.plot.setMaximumHeight(ANY_HEIGHT if self._wide else least)

    def _draw(self, _: object = None) -> None:
        if self._table is None or not self.column:
            return
        bars = binned.bars_of(
            self._table,
            self.column,
            by_size=self.weight.value == "size",
            logarithmic=self.scale.value == "log",
        )
        self.plot.setVisible(bars is not None)
        if bars is not None:
            self.plot.show_bars(bars)
            self.mark(self._selection)

    def _on_range(self, low: float, high: float, add: bool) -> None:
        if self._table is None or not self.column:
            return
        values = np.asarray(self._table[self.column], float)
        last = self.plot.bars is not None and high >= self.plot.bars.edges[-1]
        inside = (values >= low) & ((values <= high) if last else (values < high))
        self.chosen.emit(frozenset(self._ids[inside].tolist()), add)


def _fill_columns(box: QComboBox, table: RegionTable) -> None:
    keys = columns.plottable(table)
    if [box.itemData(place) for place in range(box.count())] == keys:
        return
    before = box.currentData()
    box.clear()
    for place, key in enumerate(keys):
        box.addItem(columns.title(table, key), key)
        tip = columns.title(table, key, long=True)
        box.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
    box.setCurrentIndex(keys.index(before) if before in keys else 0)


def _selection_words(selection: frozenset[int]) -> str:
    if not selection:
        return "Click a bar, or drag over several"
    if len(selection) == 1:
        return f"Object {next(iter(selection))} selected"
    return f"{words.objects(len(selection))} selected"
