"""The Statistics dock: numbers with intervals, histogram and table that agree with the canvas."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_defectseg.core.classes import DefectClass
from napari_defectseg.core.errors import DefectSegError, MeasurementError
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import binned, columns, icons, numbers, theme
from napari_defectseg.ui.docks.base import DockPage
from napari_defectseg.ui.follow import Follower, follower_of
from napari_defectseg.ui.plots.histogram import Histogram
from napari_defectseg.ui.widgets import swatch
from napari_defectseg.ui.widgets.filter_line import FilterLine
from napari_defectseg.ui.widgets.numbers_card import NumbersCard
from napari_defectseg.ui.widgets.region_table import RegionTableView
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.side_by_side import SideBySide
from napari_defectseg.ui.widgets.text import ElidedLabel, name, named, text

NARROW_PLOT = 140
"""Height of the plot in a narrow dock, in px."""
WIDE_PRIMARY = 260
"""Width of the primary button in a wide dock, in px."""
BORDERS = (
    ("count", "count all", "Count objects that touch the border like all others"),
    ("exclude", "leave out", "Leave out objects that touch the border"),
)
EMPTY = "No objects to count."


class StatisticsDock(DockPage):
    """Sizes, fractions and densities of the objects."""

    key, title, icon = "statistics", "Statistics", "statistics"
    tip = "Sizes, fractions and densities"

    # -- building ------------------------------------------------------------------------

    def build(self) -> None:
        """Lay out numbers, plot and table, and tie them to the session."""
        self.follower: Follower = follower_of(self.session)
        self._shown: RegionTable | None = None
        self._kept: np.ndarray | None = None
        self.parts = SideBySide(
            (
                (self._build_numbers(), 0, 3),
                (self._build_plot(), 0, 5),
                (self._build_table(), 1, 5),
            )
        )
        self.parts.turned.connect(self._on_turned)
        self.body.setAlignment(Qt.AlignmentFlag(0))
        self.body.addWidget(self.parts, 1)
        self.footer.offer("Save CSV…", "Write the table, one row an object", enabled=False)
        self.listen(self.session.events.table, self._on_table)
        self.listen(self.session.events.summary, self._on_summary)
        self.listen(self.session.events.labels, self._on_labels)
        self.listen(self.session.events.selection, self._on_selection)
        self.listen(self.follower.changed, self._on_follower)

    def _build_numbers(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        grid = QGridLayout()
        grid.setSpacing(theme.SPACE)
        self.scope = _box("Which objects are counted")
        self.border = _box("Objects that touch the border: a part of them may be missing")
        for value, words, told in BORDERS:
            self.border.addItem(words, value)
            self.border.setItemData(self.border.count() - 1, told, Qt.ItemDataRole.ToolTipRole)
        for row, (words, box) in enumerate((("Count", self.scope), ("Border", self.border))):
            grid.addWidget(named(text(words, wrap=False), box, tip=box.toolTip()), row, 0)
            grid.addWidget(box, row, 1)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        self.card = NumbersCard()
        column.addWidget(self.card)
        column.addStretch(1)
        self.scope.activated.connect(self._show_all)
        self.border.activated.connect(
            lambda _: self.follower.set_settings(border=self.border.currentData())
        )
        self._fill_scope()
        return part

    def _build_plot(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.column_box = _box("What the histogram shows")
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
        column.addLayout(row)
        self.plot = Histogram()
        self.plot.setFixedHeight(NARROW_PLOT)
        column.addWidget(self.plot)
        self.chosen = ElidedLabel(role="second")
        column.addWidget(self.chosen)
        self.column_box.activated.connect(self._show_plot)
        self.weight.valueChanged.connect(lambda _: self._show_plot())
        self.scale.valueChanged.connect(lambda _: self._show_plot())
        self.plot.range_chosen.connect(self._on_range)
        self.plot.cleared.connect(lambda: self.session.select(()))
        return part

    def _build_table(self) -> QWidget:
        part = QWidget()
        column = QVBoxLayout(part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.filter = FilterLine("diameter > 5")
        self.filter.changed.connect(self._on_filter)
        self.table = RegionTableView()
        self.table.show_columns(columns.FIRST)
        self.table.chosen.connect(self._on_rows)
        self.table.visited.connect(self._on_visited)
        theme.tabular(self.table)
        column.addWidget(self.filter)
        column.addWidget(self.table, 1)
        self.csv = QPushButton("CSV…")
        self.csv.setProperty("ds", "next")
        icons.set_icon(self.csv, "export", size=14)
        name(self.csv, "Save CSV…", "Write the table, one row an object")
        self.csv.clicked.connect(self.save_csv)
        return part

    # -- what the session says -----------------------------------------------------------

    def refresh(self) -> None:
        """Show the session as it is."""
        self._on_labels(self.session.labels)
        if self.session.table is not None:
            self._on_table(self.session.table)
        if self.session.summary is not None:
            self._on_summary(self.session.summary)

    def _on_labels(self, labels: Any) -> None:
        if labels is None:
            self.show_empty(
                EMPTY,
                (
                    ("Predict first", lambda: self.session.go_to("predict")),
                    ("Draw some", lambda: self.session.go_to("correct")),
                ),
            )
            self.footer.offer("Save CSV…", "There are no objects yet", enabled=False)
            self.set_mark("")
        else:
            self.show_controls()
            self._fill_scope()
            self._on_follower()

    def _on_follower(self) -> None:
        if self.session.labels is None:
            return
        failure = self.follower.failure
        if failure is not None:
            self.say_error("measure", failure)
        else:
            self.messages.take_back("measure")
        self.heading.setText("Statistics …" if self.follower.busy else "Statistics")
        ready = self.session.table is not None
        self.footer.offer(
            "Save CSV…",
            "Write the table, one row an object" if ready else "The objects are being measured",
            enabled=ready,
        )

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
        self._fill_columns(table)
        self.filter.set_words(columns.filter_words(table))
        unit = table.calibration.length_unit
        self.filter.set_example(f"diameter > 5 {unit}")
        self._on_follower()
        self._show_all()

    def _on_summary(self, summary: Any) -> None:
        if summary is not None:
            self._show_numbers()

    def _on_selection(self, selection: frozenset[int]) -> None:
        if self.table.selected_labels() != selection:
            self.table.select(selection)
        self._mark_bars(selection)
        if self.scope.currentData() == "selected":
            self._show_all()

    # -- showing -------------------------------------------------------------------------

    def counted(self) -> RegionTable | None:
        """Return the rows that are counted: all, one frame, or the selected objects."""
        table = self.session.table
        if table is None:
            return None
        scope = self.scope.currentData()
        if scope == "selected":
            return table.where(np.isin(table["label"], list(self.session.selection)))
        if scope == "frame":
            return table.where(table["frame"] == self._frame())
        return table

    def _show_all(self, _: Any = None) -> None:
        self._shown = self.counted()
        if self._shown is None:
            return
        self.table.set_table(self._shown["label"], columns.table_columns(self._shown, self._swatch))
        self._on_filter(self.filter.edit.text().strip())
        self._show_numbers()

    def _show_numbers(self) -> None:
        table, shown = self.session.table, self._shown
        if table is None or shown is None or self.session.summary is None:
            return
        whole = shown is table
        try:
            summary = self.session.summary if whole else self.follower.summary_of(shown)
        except DefectSegError:
            return
        self.card.show_summary(summary, table.classes, self._note(shown))

    def _note(self, table: RegionTable) -> str:
        parts = ["95 %, counting alone, 1 field."]
        region = table.region
        left = sum(region.border_objects.values()) if region is not None else 0
        if left:
            parts.append(f"{numbers.count(left)} at the border left out.")
        elif "touches_border" in table:
            touching = int(np.count_nonzero(table["touches_border"]))
            parts.append(f"{numbers.count(touching)} touch the border and count.")
        thickness = self.follower.thickness
        if thickness is not None:
            parts.append(f"Foil {thickness}.")
        return " ".join(parts)

    def _show_plot(self, _: Any = None) -> None:
        table = self._visible()
        key = self.column_box.currentData()
        if table is None or key is None or key not in table:
            return
        bars = binned.bars_of(
            table,
            key,
            by_size=self.weight.value == "size",
            logarithmic=self.scale.value == "log",
        )
        self.plot.setVisible(bars is not None)
        if bars is not None:
            self.plot.show_bars(bars)
            self._mark_bars(self.session.selection)

    def _mark_bars(self, selection: frozenset[int]) -> None:
        table, key = self._visible(), self.column_box.currentData()
        self.chosen.setText(self._selection_words(selection))
        if table is None or key is None or key not in table:
            return
        # Thousands of selected objects mark every bar, which says nothing.
        few = selection if len(selection) <= 50 else frozenset()
        values = table[key][np.isin(table["label"], list(few))]
        self.plot.mark([float(value) for value in values])

    def _selection_words(self, selection: frozenset[int]) -> str:
        if not selection:
            return "Click a bar, or drag over several"
        if len(selection) == 1:
            return f"Object {next(iter(selection))} selected"
        return f"{numbers.count(len(selection))} objects selected"

    def _visible(self) -> RegionTable | None:
        if self._shown is None or self._kept is None:
            return self._shown
        return self._shown.where(self._kept)

    # -- what a person does --------------------------------------------------------------

    def _on_filter(self, expression: str) -> None:
        table = self._shown
        if table is None:
            return
        complaint, self._kept = "", None
        if expression:
            try:
                self._kept = self._rows_of(columns.as_filter(expression, table), table)
            except MeasurementError as error:
                complaint = str(error)
        self.filter.complain(complaint)
        self.table.regions.set_kept(self._kept)
        self.table.select(self.session.selection)
        self._show_plot()

    @staticmethod
    def _rows_of(expression: str, table: RegionTable) -> np.ndarray:
        from napari_defectseg.measurement.filters import evaluate_filter

        return evaluate_filter(expression, table)

    def _on_range(self, low: float, high: float, add: bool) -> None:
        table, key = self._visible(), self.column_box.currentData()
        if table is None or key is None:
            return
        values = np.asarray(table[key], float)
        last = self.plot.bars is not None and high >= self.plot.bars.edges[-1]
        inside = (values >= low) & ((values <= high) if last else (values < high))
        found = frozenset(int(number) for number in table["label"][inside])
        self.session.select(found | self.session.selection if add else found)

    def _on_rows(self, chosen: frozenset[int]) -> None:
        self.session.select(chosen)

    def _on_visited(self, label: int) -> None:
        from napari_defectseg.ui.places import fly_to

        fly_to(self.viewer, self.session, label)

    def act(self) -> None:
        """Save the table."""
        self.save_csv()

    def save_csv(self) -> None:
        """Ask for a file and write the table that is shown."""
        table = self._visible()
        if table is None:
            return
        stem = self.session.image.name if self.session.image is not None else "objects"
        path, _ = QFileDialog.getSaveFileName(
            self, "Save the table", f"{stem}-objects.csv", "CSV (*.csv)"
        )
        if path:
            # The system's dialog has asked about overwriting.
            self.write_csv(path, table)

    def write_csv(self, path: str, table: RegionTable) -> None:
        """Write a table and say so."""
        try:
            written = table.write_csv(path, overwrite=True)
        except DefectSegError as error:
            self.say_error("csv", error)
            return
        count = numbers.count(len(table))
        self.messages.say("csv", "info", f"{count} rows are in {written}.")
        self.set_mark("done")

    # -- boxes ---------------------------------------------------------------------------

    def _fill_scope(self) -> None:
        labels = self.session.labels
        offered = [("image", "this image")]
        if labels is not None and "t" in labels.axes:
            offered = [("image", "all frames"), ("frame", "this frame")]
        offered.append(("selected", "selected objects"))
        if [self.scope.itemData(i) for i in range(self.scope.count())] != [k for k, _ in offered]:
            self.scope.clear()
            for key, words in offered:
                self.scope.addItem(words, key)

    def _fill_columns(self, table: RegionTable) -> None:
        keys = columns.plottable(table)
        if [self.column_box.itemData(i) for i in range(self.column_box.count())] == keys:
            return
        before = self.column_box.currentData()
        self.column_box.clear()
        for key in keys:
            self.column_box.addItem(columns.title(table, key), key)
            tip = columns.title(table, key, long=True)
            self.column_box.setItemData(
                self.column_box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole
            )
        self.column_box.setCurrentIndex(keys.index(before) if before in keys else 0)

    def _frame(self) -> int:
        labels = self.session.labels
        if labels is None or "t" not in labels.axes:
            return 0
        ndim = len(labels.axes)
        steps = self.viewer.dims.current_step[-ndim:]
        return int(steps[labels.axes.index("t")])

    def _swatch(self, item: DefectClass) -> QIcon:
        return QIcon(swatch.picture(item, swatch.border_of(self)))

    def theme_changed(self) -> None:
        """Paint the swatches of the table anew."""
        if self._shown is not None:
            self._show_all()

    def _on_turned(self, wide: bool) -> None:
        """Use the room of a wide dock."""
        self.card.set_wide(wide)
        if wide:
            self.plot.setMinimumHeight(120)
            self.plot.setMaximumHeight(16777215)
        else:
            self.plot.setFixedHeight(NARROW_PLOT)
        self.table.show_columns(columns.WIDE if wide else columns.FIRST)
        self.footer.primary.setMaximumWidth(WIDE_PRIMARY if wide else 16777215)
        self.footer.row.setAlignment(
            self.footer.primary, Qt.AlignmentFlag.AlignLeft if wide else Qt.AlignmentFlag(0)
        )


def _box(words: str) -> QComboBox:
    box = QComboBox()
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setMinimumWidth(60)
    box.setMinimumContentsLength(4)
    name(box, words, words)
    return box
