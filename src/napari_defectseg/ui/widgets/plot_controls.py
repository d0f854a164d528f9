"""Which plot: kind, column, weight, axis, and where to save it."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import clouds, columns, further_plots, theme
from napari_defectseg.ui.widgets.segments import Segments
from napari_defectseg.ui.widgets.text import Link, choice

HISTOGRAM, CUMULATIVE, SCATTER, MATRIX = "histogram", "cumulative", "scatter", "matrix"
PROFILE, ROSE, TIME = "profile", "rose", "time"
KINDS = (
    (HISTOGRAM, "histogram", "How many objects lie in each range of sizes"),
    (CUMULATIVE, "cumulative", "Which share of the objects is at most as large"),
    (SCATTER, "scatter", "One column against another, a point an object"),
    (MATRIX, "matrix", "Several columns against one another, with their correlation"),
    (PROFILE, "profile", "How many objects lie along an axis, or from the middle outwards"),
    (ROSE, "rose", "Which way objects point"),
    (TIME, "time", "Keyhole, melt pool and pores of a movie, frame by frame"),
)
SKIPPED = ("frame", "time", "keyhole_pieces")


class PlotControls(QWidget):
    """The two rows above a plot; knows names of columns, not values.

    Signals
    -------
    changed
        Something else is to be drawn.
    kind_changed
        Another kind of plot is to be shown.
    save_asked
        The plot is to be saved, as picture or as data.
    """

    changed = Signal()
    kind_changed = Signal()
    save_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._table: RegionTable | None = None
        self._frames: RegionTable | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        column.addLayout(self._columns())
        column.addLayout(self._kinds())

    def _columns(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.column_box = choice("What the plot shows")
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
        self.column_box.activated.connect(lambda _: self.changed.emit())
        self.weight.valueChanged.connect(lambda _: self.changed.emit())
        self.scale.valueChanged.connect(lambda _: self.changed.emit())
        return row

    def _kinds(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.kind_box = choice("Kind of plot")
        self.other_box = choice("What stands on the other axis")
        self.other_box.setVisible(False)
        self.save_link = Link("Save…", "Write the plot as a picture, or what it shows as data")
        row.addWidget(self.kind_box, 1)
        row.addWidget(self.other_box, 1)
        row.addWidget(self.save_link)
        self._offer_kinds()
        self.kind_box.activated.connect(self._on_kind)
        self.other_box.activated.connect(lambda _: self.changed.emit())
        self.save_link.clicked.connect(self.save_asked)
        return row

    @property
    def kind(self) -> str:
        """Kind of plot, one of `KINDS`."""
        return str(self.kind_box.currentData())

    @property
    def column(self) -> str:
        """Key of what is shown, empty if there is nothing."""
        key = str(self.column_box.currentData() or "")
        return key if key in self._choices() else ""

    @property
    def other(self) -> str:
        """Key of the column on the other axis."""
        return str(self.other_box.currentData())

    @property
    def by_size(self) -> bool:
        """Whether sizes are added up, not objects counted."""
        return self.weight.value == "size"

    @property
    def logarithmic(self) -> bool:
        """Whether the horizontal axis grows by factors."""
        return self.scale.value == "log"

    def show_table(self, table: RegionTable) -> None:
        """Offer the columns of a table."""
        self._table = table
        self._offer_kinds()
        self._fill()

    def show_frames(self, frames: RegionTable | None) -> None:
        """Offer the curves of a movie; None: there are none yet."""
        self._frames = frames
        if self.kind == TIME:
            self._fill()

    def choose_kind(self, kind: str) -> None:
        """Show another kind of plot."""
        self.kind_box.setCurrentIndex(max(self.kind_box.findData(kind), 0))
        self._on_kind()

    def choose_pair(self, column: str, other: str) -> None:
        """Show two columns against each other."""
        self.choose_kind(SCATTER)
        for box, key in ((self.column_box, column), (self.other_box, other)):
            box.setCurrentIndex(max(box.findData(key), 0))
        self.changed.emit()

    def _on_kind(self, _: object = None) -> None:
        kind = self.kind
        self.other_box.setVisible(kind == SCATTER)
        self.column_box.setVisible(kind != MATRIX)
        self.weight.setVisible(kind in (HISTOGRAM, ROSE))
        self.scale.setVisible(kind in (HISTOGRAM, CUMULATIVE, SCATTER))
        self._fill()
        self.kind_changed.emit()

    def _offer_kinds(self) -> None:
        """Offer the kinds that the table has something for; the chosen one stays."""
        table = self._table
        moving = table is not None and "frame" in table
        wanted = [
            (kind, told, tip)
            for kind, told, tip in KINDS
            if (kind != TIME or moving)
            and (kind != ROSE or (table is not None and further_plots.directions(table)))
        ]
        if [self.kind_box.itemData(k) for k in range(self.kind_box.count())] == [
            kind for kind, _, _ in wanted
        ]:
            return
        before = self.kind_box.currentData()
        self.kind_box.clear()
        for place, (kind, told, tip) in enumerate(wanted):
            self.kind_box.addItem(told, kind)
            self.kind_box.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
        self.kind_box.setCurrentIndex(max(self.kind_box.findData(before), 0))
        if before is not None and before != self.kind:
            self._on_kind()

    def _choices(self) -> Mapping[str, tuple[str, str]]:
        """Return what the kind of plot can show: key to word and tooltip."""
        table, kind = self._table, self.kind
        if table is None:
            return {}
        if kind == TIME:
            frames = self._frames
            if frames is None:
                return {}
            return {
                key: (key.replace("_", " "), column.definition)
                for key, column in frames.columns.items()
                if key not in SKIPPED and column.values.dtype.kind in "fiu"
            }
        if kind == PROFILE:
            return {key: (told, told) for key, told in clouds.profile_keys(table).items()}
        keys = further_plots.directions(table) if kind == ROSE else columns.plottable(table)
        return {
            key: (columns.title(table, key), columns.title(table, key, long=True)) for key in keys
        }

    def _fill(self) -> None:
        _offer(self.column_box, self._choices())
        if self._table is not None:
            keys = columns.plottable(self._table)
            titles = {
                key: (
                    columns.title(self._table, key),
                    columns.title(self._table, key, long=True),
                )
                for key in keys
            }
            _offer(self.other_box, titles, first=1)


def _offer(box: QComboBox, choices: Mapping[str, tuple[str, str]], first: int = 0) -> None:
    keys = list(choices)
    if [box.itemData(place) for place in range(box.count())] == keys:
        return
    before = box.currentData()
    box.clear()
    for place, (key, (told, tip)) in enumerate(choices.items()):
        box.addItem(told, key)
        box.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
    box.setCurrentIndex(keys.index(before) if before in keys else min(first, len(keys) - 1))
