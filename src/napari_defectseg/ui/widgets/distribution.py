"""The plot of a table with its controls: bars, points, matrix, profile, rose, curves over time."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import binned, clouds, further_plots, theme, words
from napari_defectseg.ui.plots.cloud import Cloud
from napari_defectseg.ui.plots.histogram import Histogram
from napari_defectseg.ui.plots.keeping import Shown
from napari_defectseg.ui.plots.matrix import Matrix
from napari_defectseg.ui.plots.points import Points
from napari_defectseg.ui.plots.rose import Rose
from napari_defectseg.ui.widgets.plot_controls import (
    CUMULATIVE,
    HISTOGRAM,
    MATRIX,
    PROFILE,
    ROSE,
    SCATTER,
    TIME,
    PlotControls,
)
from napari_defectseg.ui.widgets.text import ElidedLabel

NARROW_PLOT = 140
"""Height of the plot in a narrow dock, in px."""
LOW_PLOT = 104
"""Its height where the dock is low, too."""
ANY_HEIGHT = 16777215
"""Qt's word for no limit."""
FEW = 50
"""Objects whose bars are marked; more would mark every bar, which says nothing."""
HINTS = {
    HISTOGRAM: "Click a bar, or drag over several",
    CUMULATIVE: "Click a point, or drag a frame",
    SCATTER: "Drag a frame; with Ctrl, a line around",
    MATRIX: "Click a pair to see it as points",
    PROFILE: "Bars: 95 %, counting alone",
    ROSE: "Click a wedge; 0° is to the right",
    TIME: "Click a frame to go there",
}


class Distribution(QWidget):
    """The plot of a table with its controls; knows the rows it shows, not the session."""

    chosen = Signal(object, bool)
    """Ids of the rows in the bars that were clicked; whether they are added."""
    cleared = Signal()
    delete_asked = Signal()
    save_asked = Signal()
    """The plot is to be saved, as picture or as data."""
    frames_asked = Signal()
    """The curves of the movie are wanted; see `show_frames`."""
    frame_chosen = Signal(int)
    """A frame of a curve was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._table: RegionTable | None = None
        self._ids = np.zeros(0, np.int64)
        self._space: ReferenceSpace | None = None
        self._frames: RegionTable | None = None
        self._notes = ""
        self._frame: int | None = None
        self._selection: frozenset[int] = frozenset()
        self._wide = self._low = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.controls = PlotControls()
        column.addWidget(self.controls)
        self.plot, self.points = Histogram(), Points()
        self.matrix, self.rose = Matrix(), Rose()
        self.plots = QStackedWidget()
        for plot in (self.plot, self.points, self.matrix, self.rose):
            self.plots.addWidget(plot)
        self.plots.setFixedHeight(NARROW_PLOT)
        column.addWidget(self.plots)
        self.told = ElidedLabel(role="second")
        column.addWidget(self.told)
        self._connect()

    def _connect(self) -> None:
        self.controls.changed.connect(self._draw)
        self.controls.kind_changed.connect(self._on_kind)
        self.controls.save_asked.connect(self.save_asked)
        self.plot.range_chosen.connect(self._on_range)
        self.points.points_chosen.connect(self._on_points)
        self.rose.range_chosen.connect(self._on_wedge)
        self.matrix.pair_chosen.connect(self.controls.choose_pair)
        for plot in (self.plot, self.points, self.rose):
            plot.cleared.connect(self.cleared)
            plot.delete_asked.connect(self.delete_asked)

    @property
    def kind(self) -> str:
        """Kind of plot, one of `plot_controls.KINDS`."""
        return self.controls.kind

    @property
    def column(self) -> str:
        """Key of the column that is shown, empty if there is none."""
        return self.controls.column

    @property
    def front(self) -> QWidget:
        """The plot that the kind needs."""
        others = {HISTOGRAM: self.plot, MATRIX: self.matrix, ROSE: self.rose}
        return others.get(self.kind, self.points)

    @property
    def shown(self) -> tuple[QWidget, Shown] | None:
        """The plot in front and what it shows; None where there is nothing."""
        found = {
            self.plot: self.plot.bars,
            self.points: self.points.cloud,
            self.matrix: self.matrix.cells,
            self.rose: self.rose.wedges,
        }[self.front]
        return None if found is None else (self.front, found)

    def choose_kind(self, kind: str) -> None:
        """Show another kind of plot."""
        self.controls.choose_kind(kind)

    def show_table(
        self, table: RegionTable, ids: np.ndarray, space: ReferenceSpace | None = None
    ) -> None:
        """Show the rows of a table, each with its id, and what is counted."""
        self._table, self._ids, self._space = table, ids, space
        self.controls.show_table(table)
        self._draw()

    def show_frames(self, frames: RegionTable | None, notes: str = "") -> None:
        """Show the curves of a movie with what a person should know of them.

        None: they are being measured, or there is no movie.
        """
        self._frames, self._notes = frames, notes
        self.controls.show_frames(frames)
        if self.kind == TIME:
            self._draw()

    def show_frame(self, frame: int) -> None:
        """Mark the frame in sight."""
        self._frame = frame
        if self.kind == TIME and self._frames is not None and frame < len(self._frames):
            self.points.show_cursor(float(self._frames["time"][frame]))

    def mark(self, selection: frozenset[int]) -> None:
        """Outline the bars that hold the selected objects, and say which they are."""
        self._selection = selection
        hint = (self.kind == TIME and self._notes) or HINTS[self.kind]
        self.told.setText(_selection_words(selection) or hint)
        if not self.column or self._table is None:
            return
        if self.kind in (SCATTER, CUMULATIVE):
            self.points.mark(np.flatnonzero(np.isin(self._ids, list(selection))))
        elif self.kind == HISTOGRAM:
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
        for part in (self.plot, self.points, self.matrix, self.rose, self.plots):
            part.setMinimumHeight(least)
        self.plots.setMaximumHeight(ANY_HEIGHT if self._wide else least)

    def _on_kind(self) -> None:
        self.plots.setCurrentWidget(self.front)
        if self.kind == TIME and self._frames is None:
            self.frames_asked.emit()
        self._draw()

    def _draw(self, _: object = None) -> None:
        table, kind = self._table, self.kind
        if table is None or (kind != MATRIX and not self.column):
            return
        self.plots.setVisible(True)
        if kind == HISTOGRAM:
            self._draw_bars(table)
        elif kind == MATRIX:
            self.matrix.show_cells(further_plots.cells_of(table))
        elif kind == ROSE:
            by_size = self.controls.by_size
            self.rose.show_wedges(further_plots.wedges_of(table, self.column, by_size=by_size))
        else:
            self.points.show_cloud(self._cloud(table))
            if kind == TIME and self._frame is not None:
                self.show_frame(self._frame)
        self.mark(self._selection)

    def _draw_bars(self, table: RegionTable) -> None:
        bars = binned.bars_of(
            table,
            self.column,
            by_size=self.controls.by_size,
            logarithmic=self.controls.logarithmic,
        )
        self.plots.setVisible(bars is not None)
        if bars is not None:
            self.plot.show_bars(bars)

    def _cloud(self, table: RegionTable) -> Cloud:
        logarithmic = self.controls.logarithmic
        if self.kind == TIME:
            assert self._frames is not None
            return clouds.over_time(self._frames, self.column)
        if self.kind == PROFILE:
            return clouds.along(table, self.column, self._space)
        if self.kind == CUMULATIVE:
            return clouds.cumulative(table, self.column, logarithmic=logarithmic)
        return clouds.against(table, self.column, self.controls.other, logarithmic=logarithmic)

    def _on_points(self, rows: np.ndarray, add: bool) -> None:
        if self.kind == TIME:
            if rows.size:
                self.frame_chosen.emit(int(rows[0]))
        elif self.kind != PROFILE:
            self.chosen.emit(frozenset(self._ids[rows].tolist()), add)

    def _on_range(self, low: float, high: float, add: bool) -> None:
        if self._table is None or not self.column:
            return
        values = np.asarray(self._table[self.column], float)
        last = self.plot.bars is not None and high >= self.plot.bars.edges[-1]
        inside = (values >= low) & ((values <= high) if last else (values < high))
        self.chosen.emit(frozenset(self._ids[inside].tolist()), add)

    def _on_wedge(self, low: float, high: float, add: bool) -> None:
        if self._table is None or not self.column:
            return
        angles = further_plots.degrees_of(self._table, self.column)
        inside = (angles >= low) & (angles < high)
        self.chosen.emit(frozenset(self._ids[inside].tolist()), add)


def _selection_words(selection: frozenset[int]) -> str:
    if not selection:
        return ""
    if len(selection) == 1:
        return f"Object {next(iter(selection))} selected"
    return f"{words.objects(len(selection))} selected"
