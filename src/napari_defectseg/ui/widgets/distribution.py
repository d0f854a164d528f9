"""How a column is distributed: which column, which weight, which axis, and the bars."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import binned, clouds, columns, theme, words
from napari_defectseg.ui.plots.histogram import Bars, Histogram
from napari_defectseg.ui.plots.points import Cloud, Points
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, choice

NARROW_PLOT = 140
"""Height of the plot in a narrow dock, in px."""
LOW_PLOT = 104
"""Its height where the dock is low, too."""
ANY_HEIGHT = 16777215
"""Qt's word for no limit."""
HISTOGRAM, CUMULATIVE, SCATTER = "histogram", "cumulative", "scatter"
KINDS = (
    (HISTOGRAM, "histogram", "How many objects lie in each range of sizes"),
    (CUMULATIVE, "cumulative", "Which share of the objects is at most as large"),
    (SCATTER, "scatter", "One column against another, a point an object"),
)
FEW = 50
"""Objects whose bars are marked; more would mark every bar, which says nothing."""


class Distribution(QWidget):
    """The plot of a table with its controls; knows the rows it shows, not the session."""

    chosen = Signal(object, bool)
    """Ids of the rows in the bars that were clicked; whether they are added."""
    cleared = Signal()
    delete_asked = Signal()
    save_asked = Signal()
    """The plot is to be saved, as picture or as data."""

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
        column.addLayout(self._kinds())
        self.plot = Histogram()
        self.points = Points()
        self.plots = QStackedWidget()
        self.plots.addWidget(self.plot)
        self.plots.addWidget(self.points)
        self.plots.setFixedHeight(NARROW_PLOT)
        column.addWidget(self.plots)
        self.told = ElidedLabel(role="second")
        column.addWidget(self.told)
        self.plot.range_chosen.connect(self._on_range)
        self.points.points_chosen.connect(self._on_points)
        for plot in (self.plot, self.points):
            plot.cleared.connect(self.cleared)
            plot.delete_asked.connect(self.delete_asked)

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

    def _kinds(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.kind_box = choice("Kind of plot")
        for place, (kind, told, tip) in enumerate(KINDS):
            self.kind_box.addItem(told, kind)
            self.kind_box.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
        self.other_box = choice("What stands on the other axis")
        self.other_box.setVisible(False)
        self.save_link = Link("Save…", "Write the plot as a picture, or what it shows as data")
        row.addWidget(self.kind_box, 1)
        row.addWidget(self.other_box, 1)
        row.addWidget(self.save_link)
        self.kind_box.activated.connect(self._on_kind)
        self.other_box.activated.connect(self._draw)
        self.save_link.clicked.connect(self.save_asked)
        return row

    @property
    def kind(self) -> str:
        """Kind of plot, one of `KINDS`."""
        return str(self.kind_box.currentData())

    @property
    def shown(self) -> tuple[QWidget, Bars | Cloud] | None:
        """The plot in front and what it shows; None where there is nothing."""
        bars = self.kind == HISTOGRAM
        plot, shown = (self.plot, self.plot.bars) if bars else (self.points, self.points.cloud)
        return None if shown is None else (plot, shown)

    def choose_kind(self, kind: str) -> None:
        """Show another kind of plot."""
        self.kind_box.setCurrentIndex(self.kind_box.findData(kind))
        self._on_kind()

    def _on_kind(self, _: object = None) -> None:
        self.other_box.setVisible(self.kind == SCATTER)
        self.weight.setEnabled(self.kind == HISTOGRAM)
        self.plots.setCurrentWidget(self.plot if self.kind == HISTOGRAM else self.points)
        self._draw()

    @property
    def column(self) -> str:
        """Key of the column that is shown, empty if there is none."""
        key = self.column_box.currentData()
        return key if self._table is not None and key in self._table else ""

    def show_table(self, table: RegionTable, ids: np.ndarray) -> None:
        """Show the rows of a table, each with its id."""
        self._table, self._ids = table, ids
        _fill_columns(self.column_box, table)
        _fill_columns(self.other_box, table, first=1)
        self._draw()

    def mark(self, selection: frozenset[int]) -> None:
        """Outline the bars that hold the selected objects, and say which they are."""
        self._selection = selection
        self.told.setText(_selection_words(selection))
        if not self.column or self._table is None:
            return
        few = selection if len(selection) <= FEW else frozenset()
        if self.kind != HISTOGRAM:
            self.points.mark(np.flatnonzero(np.isin(self._ids, list(selection))))
            return
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
        for part in (self.plot, self.points, self.plots):
            part.setMinimumHeight(least)
        self.plots.setMaximumHeight(ANY_HEIGHT if self._wide else least)

    def _draw(self, _: object = None) -> None:
        if self._table is None or not self.column:
            return
        if self.kind != HISTOGRAM:
            self.plots.setVisible(True)
            self.points.show_cloud(self._cloud(self._table))
            self.mark(self._selection)
            return
        bars = binned.bars_of(
            self._table,
            self.column,
            by_size=self.weight.value == "size",
            logarithmic=self.scale.value == "log",
        )
        self.plots.setVisible(bars is not None)
        if bars is not None:
            self.plot.show_bars(bars)
            self.mark(self._selection)

    def _cloud(self, table: RegionTable) -> Cloud:
        logarithmic = self.scale.value == "log"
        if self.kind == CUMULATIVE:
            return clouds.cumulative(table, self.column, logarithmic=logarithmic)
        other = str(self.other_box.currentData())
        return clouds.against(table, self.column, other, logarithmic=logarithmic)

    def _on_points(self, rows: np.ndarray, add: bool) -> None:
        self.chosen.emit(frozenset(self._ids[rows].tolist()), add)

    def _on_range(self, low: float, high: float, add: bool) -> None:
        if self._table is None or not self.column:
            return
        values = np.asarray(self._table[self.column], float)
        last = self.plot.bars is not None and high >= self.plot.bars.edges[-1]
        inside = (values >= low) & ((values <= high) if last else (values < high))
        self.chosen.emit(frozenset(self._ids[inside].tolist()), add)


def _fill_columns(box: QComboBox, table: RegionTable, first: int = 0) -> None:
    keys = columns.plottable(table)
    if [box.itemData(place) for place in range(box.count())] == keys:
        return
    before = box.currentData()
    box.clear()
    for place, key in enumerate(keys):
        box.addItem(columns.title(table, key), key)
        tip = columns.title(table, key, long=True)
        box.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
    box.setCurrentIndex(keys.index(before) if before in keys else min(first, len(keys) - 1))


def _selection_words(selection: frozenset[int]) -> str:
    if not selection:
        return "Click a bar, or drag over several"
    if len(selection) == 1:
        return f"Object {next(iter(selection))} selected"
    return f"{words.objects(len(selection))} selected"
