"""The Statistics dock: numbers with intervals, histogram and table that agree with the canvas."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QIcon, QResizeEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_defectseg.core.classes import DefectClass
from napari_defectseg.core.errors import DefectSegError, MeasurementError
from napari_defectseg.measurement.movies.movie import MovieStatistics
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import columns, population, theme
from napari_defectseg.ui.desk import Desk
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.follow import Follower, follower_of
from napari_defectseg.ui.hand import hand_of
from napari_defectseg.ui.movie_curves import LANE, MovieCurves
from napari_defectseg.ui.places import fly_to
from napari_defectseg.ui.population import Population, counting_note
from napari_defectseg.ui.reporting import Reporter
from napari_defectseg.ui.widgets import swatch
from napari_defectseg.ui.widgets.count_boxes import CountBoxes
from napari_defectseg.ui.widgets.distribution import Distribution
from napari_defectseg.ui.widgets.filter_line import FilterLine
from napari_defectseg.ui.widgets.numbers_card import NumbersCard
from napari_defectseg.ui.widgets.region_table import RegionTableView
from napari_defectseg.ui.widgets.result_links import ResultLinks
from napari_defectseg.ui.widgets.side_by_side import SideBySide

WIDE_PRIMARY = 260
"""Width of the primary button in a wide dock, in px."""
LOW = 680
"""Height of the dock below which plot and numbers give room to the table, in px."""
ANY_WIDTH = 16777215
"""Qt's word for no limit."""
EMPTY = "No objects to count."
CSV, CSV_TIP = "CSV…", "Write the table that is shown, one row an object"


class StatisticsDock(DockPage):
    """Sizes, fractions and densities of the objects."""

    key, title, icon = "statistics", "Statistics", "statistics"
    tip = "Sizes, fractions and densities"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out numbers, plot and table, and tie them to the session."""
        self.follower: Follower = follower_of(self.session)
        self.desk = Desk(self)
        self.reporter = Reporter(self)
        self._measured: tuple[population.Measured, ...] = ()
        self._counted: Population | None = None
        self._kept: np.ndarray | None = None
        self._folded = False
        self._columns_for: tuple[bool, bool] | None = None
        self.distribution = Distribution()
        self.parts = SideBySide(
            (
                (self._build_numbers(), 0, 3),
                (self.distribution, 0, 4),
                (self._build_table(), 1, 6),
            )
        )
        self.parts.turned.connect(self._on_turned)
        self.body.setAlignment(Qt.AlignmentFlag(0))
        self.body.addWidget(self.parts, 1)
        self.distribution.chosen.connect(self._on_bars)
        self.distribution.cleared.connect(lambda: self.session.select(()))
        self.distribution.delete_asked.connect(hand_of(self.viewer).delete)
        self.distribution.save_asked.connect(self._on_save_plot)
        self.movie = MovieCurves(self.session)
        self.distribution.frames_asked.connect(self.movie.want)
        self.distribution.frame_chosen.connect(self._on_frame)
        self.movie.found.connect(self._on_movie)
        self.movie.failed.connect(lambda error: self.say_error(LANE, error))
        events = self.session.events
        for signal, slot in (
            (events.table, self._on_table),
            (events.summary, self._on_summary),
            (events.labels, self._on_labels),
            (events.selection, self._on_selection),
            (events.results, self._on_results),
            (events.model, self._on_model),
            (self.viewer.dims.events.current_step, self._on_step),
            (self.follower.changed, self._on_follower),
        ):
            self.listen(signal, slot)

    def _build_numbers(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.boxes = CountBoxes()
        column.addWidget(self.boxes)
        self.card = NumbersCard()
        column.addWidget(self.card)
        column.addStretch(1)
        self.boxes.scope_chosen.connect(self._show_all)
        self.boxes.border_chosen.connect(lambda border: self.follower.set_settings(border=border))
        return part

    def _build_table(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.filter = FilterLine("diameter > 5")
        self.filter.changed.connect(self._on_filter)
        self.filter.focused.connect(self._on_filter_focus)
        self.table = RegionTableView()
        self.table.chosen.connect(self._on_rows)
        self.table.visited.connect(self._on_visited)
        theme.tabular(self.table)
        column.addWidget(self.filter)
        column.addWidget(self.table, 1)
        self.links = ResultLinks(self.desk, self.reporter)
        self.links.columns_chosen.connect(lambda chosen: self.follower.set_settings(columns=chosen))
        column.addWidget(self.links)
        return part

    # -- what the session says -----------------------------------------------------------

    def refresh(self) -> None:
        """Show the session as it is."""
        self.boxes.show_border(self.follower.settings.border)
        self._on_labels(self.session.labels)
        if self.session.table is not None:
            self._on_table(self.session.table)

    def _on_labels(self, labels: Any) -> None:
        if labels is None:
            self.show_empty(
                EMPTY,
                (
                    ("Predict first", lambda: self.session.go_to("predict")),
                    ("Draw some", lambda: self.session.go_to("correct")),
                    ("Open a result…", self.desk.ask_to_open),
                ),
            )
            self.footer.offer("Save result…", "There are no objects yet", enabled=False)
            self.footer.offer_next("")
            self.set_mark("")
        else:
            self.show_controls()
            self._fill_scope()
            self._on_follower()

    def _on_results(self, _: Any = None) -> None:
        if self.session.labels is not None:
            self._fill_scope()

    def _on_follower(self) -> None:
        if self.session.labels is None:
            return
        failure = self.follower.failure
        if failure is not None:
            self.say_error("measure", failure)
        else:
            self.messages.take_back("measure")
        self.boxes.show_border(self.follower.settings.border)
        self.links.show_columns(self.follower.settings.columns)
        self.links.report.setEnabled(self.session.table is not None)
        self.heading.setText("Statistics …" if self.follower.busy else "Statistics")
        ready = self.session.table is not None
        wait = "The objects are being measured"
        self.footer.offer("Save result…", "Write everything" if ready else wait, enabled=ready)
        self.footer.offer_next(CSV, CSV_TIP if ready else wait)
        self.footer.next.setEnabled(ready)
        self._on_model(self.session.model)

    def _on_model(self, model: Any) -> None:
        self.links.show_model(model is not None)

    def _on_table(self, table: RegionTable | None) -> None:
        if table is None:
            return
        if not table.calibration.calibrated:
            self.messages.say(
                "size",
                "warning",
                "No pixel size is known: all sizes are in px.",
                (("Set pixel size…", lambda: self.session.go_to("data", "calibration")),),
            )
        else:
            self.messages.take_back("size")
        self.filter.set_words(columns.filter_words(table))
        self.filter.set_example(f"diameter > 5 {table.calibration.length_unit}")
        self._fill_scope()
        self._on_follower()
        self.movie.out_of_date()
        self._show_all()

    def _on_movie(self, movie: MovieStatistics | None) -> None:
        frames, notes = (None, "") if movie is None else (movie.frames, " ".join(movie.notes))
        self.distribution.show_frames(frames, notes)
        self.distribution.show_frame(self._frame())
        self.messages.take_back(LANE)

    def _on_frame(self, frame: int) -> None:
        """Go to a frame that was clicked in a curve."""
        labels = self.session.labels
        if labels is not None and "t" in labels.axes:
            axis = self.viewer.dims.ndim - len(labels.axes) + labels.axes.index("t")
            self.viewer.dims.set_current_step(axis, frame)

    def _on_summary(self, summary: Any) -> None:
        if summary is not None:
            self._show_numbers()

    def _on_selection(self, selection: frozenset[int]) -> None:
        if self.boxes.scope == population.SELECTED:
            self._show_all()
            return
        if self.table.selected_labels() != selection:
            self.table.select(selection)
        self.distribution.mark(selection)

    def _on_step(self, _: Any = None) -> None:
        self.distribution.show_frame(self._frame())
        if self.boxes.scope == population.FRAME:
            self._show_all()

    # -- showing -------------------------------------------------------------------------

    def counted(self) -> Population | None:
        """Return the rows that are counted, as the box of choices says."""
        return population.counted_of(self.session, self._measured, self.boxes.scope, self._frame())

    def _show_all(self, _: Any = None) -> None:
        self.messages.take_back("count")
        try:
            counted = self.counted()
        except MeasurementError as error:
            self.say_error("count", error)
            return
        self._counted = counted
        if counted is None:
            return
        self._show_columns()
        self.table.set_table(counted.ids, columns.table_columns(counted.table, self._swatch))
        self._on_filter(self.filter.edit.text().strip())
        self._show_numbers()

    def _show_numbers(self) -> None:
        counted = self._counted
        if counted is None or self.session.summary is None:
            return
        try:
            whole = counted.table is self.session.table
            summary = self.session.summary if whole else self.follower.summary_of(counted.table)
        except DefectSegError as error:
            self.say_error("count", error)
            return
        self.card.show_summary(
            summary, counted.table.classes, counting_note(counted.table, self.follower.thickness)
        )

    def _visible(self) -> Population | None:
        if self._counted is None or self._kept is None:
            return self._counted
        return self._counted.where(self._kept)

    # -- what a person does --------------------------------------------------------------

    def _on_filter(self, expression: str) -> None:
        if self._counted is None:
            return
        complaint, self._kept = "", None
        if expression:
            try:
                self._kept = columns.rows_of(expression, self._counted.table)
            except MeasurementError as error:
                complaint = str(error)
        self.filter.complain(complaint)
        self.table.regions.set_kept(self._kept)
        self.table.select(self.session.selection)
        visible = self._visible()
        if visible is not None:
            space = self.session.space if visible.images == 1 else None
            self.distribution.show_table(visible.table, visible.ids, space)
            self.distribution.mark(self.session.selection)

    def _on_bars(self, ids: frozenset[int], add: bool) -> None:
        here = frozenset(row_id for row_id in ids if row_id > 0)
        self.session.select(here | self.session.selection if add else here)

    def _on_rows(self, chosen: frozenset[int]) -> None:
        here = {row_id for row_id in chosen if row_id > 0}
        if here or not chosen:
            self.session.select(here)

    def _on_visited(self, row_id: int) -> None:
        place = self._counted.place(row_id) if self._counted is not None else None
        if place is None:
            fly_to(self.viewer, self.session, row_id)
            return
        # Another image brings another table: not while this one is still telling what was chosen.
        QTimer.singleShot(0, lambda: self._go_to(*place))

    def _go_to(self, measured: population.Measured, number: int) -> None:
        """Go to an object of another image; one that is not open is offered."""
        if measured.image is not None:
            self.session.image = measured.image
            self.session.select([number])
            fly_to(self.viewer, self.session, number)
        elif measured.stored is not None:
            folder = measured.stored.folder
            open_it = (f"Open {measured.name}", lambda: self.desk.open(folder))
            sentence = f"Object {number} lies in {measured.name}."
            self.messages.say("elsewhere", "info", sentence, (open_it,))

    def act(self) -> None:
        """Save everything as a result folder."""
        self.desk.ask_to_save()

    def go_on(self) -> None:
        """Save the table that is shown."""
        visible = self._visible()
        if visible is not None:
            self.desk.ask_to_save_table(visible.table)

    def _on_save_plot(self) -> None:
        shown = self.distribution.shown
        if shown is not None:
            self.desk.ask_to_save_plot(*shown)

    # -- boxes ---------------------------------------------------------------------------

    def _fill_scope(self) -> None:
        labels = self.session.labels
        self._measured = population.measured_of(self.session)
        frames = labels is not None and "t" in labels.axes
        self.boxes.offer(population.choices_of(self._measured, frames=frames))

    def _frame(self) -> int:
        labels = self.session.labels
        if labels is None or "t" not in labels.axes:
            return 0
        steps = self.viewer.dims.current_step[-len(labels.axes) :]
        return int(steps[labels.axes.index("t")])

    def _swatch(self, item: DefectClass) -> QIcon:
        return QIcon(swatch.picture(item, swatch.border_of(self)))

    def theme_changed(self) -> None:
        """Paint the swatches of the table anew."""
        if self._counted is not None:
            self._show_all()

    def _show_columns(self) -> None:
        """Show the first columns, unless a person has chosen others for this kind of table."""
        many = self._counted is not None and self._counted.images > 1
        if self._columns_for == (many, self.parts.wide):
            return
        self._columns_for = (many, self.parts.wide)
        first = columns.WIDE if self.parts.wide else columns.FIRST
        self.table.show_columns(("image", *first) if many else first)

    def _on_turned(self, wide: bool) -> None:
        """Use the room of a wide dock."""
        self.card.set_wide(wide)
        self.distribution.set_wide(wide)
        self.distribution.set_low(self._low)
        self._show_columns()
        self.footer.primary.setMaximumWidth(WIDE_PRIMARY if wide else ANY_WIDTH)
        self.footer.row.setAlignment(
            self.footer.primary, Qt.AlignmentFlag.AlignLeft if wide else Qt.AlignmentFlag(0)
        )

    @property
    def _low(self) -> bool:
        """Whether numbers, plot and table stand below each other in a small window."""
        return not self.parts.wide and self.height() < LOW

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the room of a low dock to the table."""
        super().resizeEvent(event)
        self.distribution.set_low(self._low)

    def _on_filter_focus(self, inside: bool) -> None:
        """Fold the numbers while a person looks for rows in a low dock."""
        if inside and self._low and not self.card.folded:
            self._folded = True
            self.card.set_folded(True)
        elif not inside and self._folded and not self.filter.edit.text():
            self._folded = False
            self.card.set_folded(False)
