"""The numbers of each class, with unit and interval, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from napari_defectseg.core.classes import ClassMap, DefectClass
from napari_defectseg.ui import icons, numbers, theme, words
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.swatch import Swatch
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, name, text

if TYPE_CHECKING:
    from napari_defectseg.measurement.estimate import Estimate
    from napari_defectseg.measurement.populations import Summary


@dataclass(frozen=True)
class Quantity:
    """A quantity of a class as the card calls it.

    Parameters
    ----------
    key : str
        In `Summary`.
    title : str
    formula : str
        Shown at a click.
    percent : bool
        Written in per cent.
    """

    key: str
    title: str
    formula: str
    percent: bool = False


QUANTITIES: dict[str, Quantity] = {
    item.key: item
    for item in (
        Quantity("mean_equivalent_diameter", "mean ⌀", "Mean of the equivalent diameters."),
        Quantity(
            "number_density_foil_corrected",
            "density",
            "Objects per foil volume, each seen from a depth of t + d: Σ 1/(A·(t + d)).",
        ),
        Quantity(
            "number_density_foil", "density N/At", "Objects per area and foil thickness, N/(A·t)."
        ),
        Quantity("number_density", "density", "Objects per counted area (volume), N/A."),
        Quantity(
            "fraction", "fraction", "Share of the counted area (volume) in these objects.", True
        ),
        Quantity(
            "volume_fraction_foil",
            "vol. fraction",
            "Share of the foil's volume in opaque objects, from their projections.",
            True,
        ),
        Quantity(
            "swelling",
            "swelling",
            "f/(1 - f) of balls with these diameters, if the objects are voids.",
            True,
        ),
        Quantity("sink_strength_voids", "sinks", "4π·r·N, if the objects are voids."),
        Quantity("median_equivalent_diameter", "median ⌀", "Half of the objects are smaller."),
        Quantity(
            "std_equivalent_diameter",
            "spread of ⌀",
            "Standard deviation of the equivalent diameters.",
        ),
    )
}
SHORT = (0.01, 1000.0)
"""Sizes outside get a power of ten: the card is narrow."""
WIDE_NAME = 72
"""Width that the names of classes have at least in a wide dock, in px."""
FIRST_2D = ("mean_equivalent_diameter", "number_density_foil_corrected", "number_density")
FIRST_3D = ("fraction", "number_density")


class NumbersCard(Card):
    """Two lines a class in a narrow dock, one line in a wide one.

    A click on a number says how it is made; the menus of the two columns choose another.
    """

    quantities_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        name(self, "Numbers of each class")
        # In the narrowest dock every pixel beside the numbers counts.
        self.column.setContentsMargins(theme.SPACE, theme.GAP, theme.SPACE, theme.GAP)
        self._summary: Summary | None = None
        self._classes: ClassMap | None = None
        self._chosen: list[str] = []
        self._wide = False
        self._body = QWidget()
        self._grid: QGridLayout | None = None
        self.column.addWidget(self._body)
        self.note = text("", "second")
        self.column.addWidget(self.note)
        self.explanation = text("", "second")
        self.explanation.hide()
        self.column.addWidget(self.explanation)
        self.column.addLayout(self._foot())
        self._noted = False

    def _foot(self) -> QHBoxLayout:
        """Return the last line: what stays when the card is folded, notes, and the fold."""
        row = QHBoxLayout()
        self.short = ElidedLabel(role="second")
        self.short.hide()
        self.more = Link("notes")
        self.more.clicked.connect(self._toggle_notes)
        self.more.hide()
        self.fold = QToolButton()
        self.fold.setProperty("ds", "bare")
        self.fold.clicked.connect(lambda: self.set_folded(not self.folded))
        row.addWidget(self.short, 1)
        row.addWidget(self.more)
        row.addStretch(1)
        row.addWidget(self.fold)
        self.folded = False
        self._say_fold()
        return row

    def set_folded(self, folded: bool) -> None:
        """Leave one line of it, so that a low dock has room for the table; or show it again."""
        self.folded = folded
        self._body.setVisible(not folded)
        self.note.setVisible(not folded)
        self.more.setVisible(not folded and self._has_notes)
        self.short.setVisible(folded)
        if folded:
            self.explanation.hide()
        self._say_fold()

    @property
    def _has_notes(self) -> bool:
        return self._summary is not None and bool(self._summary.warnings)

    def _say_fold(self) -> None:
        icons.set_icon(self.fold, "down" if self.folded else "up", size=10, role="icon")
        verb = "Show" if self.folded else "Fold"
        name(self.fold, f"{verb} the numbers", f"{verb} the numbers of each class")

    def show_summary(self, summary: Summary, classes: ClassMap | None, note: str) -> None:
        """Show other numbers.

        Parameters
        ----------
        summary : Summary
        classes : ClassMap or None
            For the swatches.
        note : str
            One line: which intervals, how many fields, what was left out.
        """
        self._summary, self._classes = summary, classes
        offered = self._offered()
        self._chosen = [key for key in self._chosen if key in offered]
        if not self._chosen:
            flat = (
                "number_density_foil_corrected" in offered
                or summary.region.get("axes", "yx") != "zyx"
            )
            first = [key for key in (FIRST_2D if flat else FIRST_3D) if key in offered]
            self._chosen = first[:2]
        self.note.setText(note)
        notes = len(summary.warnings)
        self.more.setText(f"{notes} note{'s' if notes != 1 else ''}")
        name(self.more, self.more.text(), "What to know before using these numbers")
        self.explanation.setVisible(False)
        self._noted = False
        counts = [int(numbers_["objects"].value or 0) for numbers_ in summary.classes.values()]
        told = words.objects(sum(counts))
        self.short.setText(f"{told} · {', '.join(words.count(count) for count in counts)}")
        self._rebuild()
        self.set_folded(self.folded)

    def set_wide(self, wide: bool) -> None:
        """One line a class instead of two."""
        if wide != self._wide:
            self._wide = wide
            self._rebuild()

    def choose(self, place: int, key: str) -> None:
        """Show another quantity in a column."""
        self._chosen[place] = key
        self._rebuild()
        self.quantities_changed.emit()

    def _offered(self) -> list[str]:
        assert self._summary is not None
        first: Mapping[str, Estimate] = next(iter(self._summary.classes.values()), {})
        return [key for key in QUANTITIES if key in first]

    def _rebuild(self) -> None:
        if self._summary is None:
            return
        self._body.hide()
        self._body.deleteLater()
        self._body = QWidget()
        self._grid = QGridLayout(self._body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.GAP)
        self._grid.setVerticalSpacing(1)
        self.column.insertWidget(0, self._body)
        self._powers = [self._power(key) for key in self._chosen]
        self._heads()
        for row, (class_name, estimates) in enumerate(self._summary.classes.items()):
            self._row(row, class_name, estimates)

    def _heads(self) -> None:
        if self._wide:
            self._grid.addWidget(_right(text("objects", "second", wrap=False)), 0, 2)
        for place, key in enumerate(self._chosen):
            head = QToolButton()
            head.setProperty("ds", "bare")
            head.setText(self._head(key, self._powers[place]))
            head.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            head.setMenu(self._menu(head, place))
            head.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            name(
                head, f"Column {head.text()}".replace("\n", " "), "Click to see another number here"
            )
            self._grid.addWidget(head, *self._at(0, place), Qt.AlignmentFlag.AlignRight)
        self._grid.setColumnStretch(1, 1)

    def _at(self, line: int, place: int) -> tuple[int, int, int, int]:
        """Return row, column and spans of a number: the first one reaches under the name."""
        if self._wide:
            return line, 3 + place, 1, 1
        return (line, 0, 1, 2) if place == 0 else (line, 2, 1, 1)

    def _menu(self, head: QToolButton, place: int) -> QMenu:
        menu = QMenu(head)
        for key in self._offered():
            words = QUANTITIES[key].title
            action = menu.addAction(self._head(key, 0) if words == "density" else words)
            action.triggered.connect(lambda _=False, key=key: self.choose(place, key))
        return menu

    def _head(self, key: str, power: int) -> str:
        item = QUANTITIES[key]
        if item.percent:
            return f"{item.title} (%)"
        head = numbers.header(item.title, self._unit(key), power)
        # In a narrow dock the unit goes below the word.
        return head if self._wide or not power else head.replace(" (", "\n(", 1)

    def _unit(self, key: str) -> str:
        assert self._summary is not None
        return next((c[key].unit for c in self._summary.classes.values() if key in c), "")

    def _power(self, key: str) -> int:
        assert self._summary is not None
        if QUANTITIES[key].percent:
            return -2
        values = [c[key].value for c in self._summary.classes.values() if c[key].value is not None]
        return numbers.common_power(values, SHORT[0], SHORT[1])

    def _row(self, row: int, class_name: str, estimates: Mapping[str, Estimate]) -> None:
        assert self._grid is not None
        line = 1 + row * (1 if self._wide else 2)
        item = self._class(class_name)
        label = ElidedLabel(class_name, role="strong")
        count = int(estimates["objects"].value or 0)
        words = numbers.count(count)
        if not self._wide:
            words += " object" if count == 1 else " objects"
        told = _right(text(words, wrap=False))
        theme.tabular(told)
        if self._wide:
            label.setMinimumWidth(min(WIDE_NAME, label.sizeHint().width()))
            if item is not None:
                self._grid.addWidget(Swatch(item), line, 0)
            self._grid.addWidget(label, line, 1)
            self._grid.addWidget(told, line, 2)
        else:
            # A row of its own: the name has all the room that the number of objects leaves.
            parts = QHBoxLayout()
            parts.setSpacing(theme.SPACE)
            if item is not None:
                parts.addWidget(Swatch(item))
            parts.addWidget(label, 1)
            parts.addWidget(told)
            self._grid.addLayout(parts, line, 0, 1, 3)
        for place, key in enumerate(self._chosen):
            cell = self._cell(class_name, key, estimates[key], self._powers[place])
            at = self._at(line if self._wide else line + 1, place)
            self._grid.addWidget(cell, *at, Qt.AlignmentFlag.AlignRight)

    def _class(self, class_name: str) -> DefectClass | None:
        known = self._classes or ()
        return next((item for item in known if item.name == class_name), None)

    def _cell(self, class_name: str, key: str, estimate: Estimate, power: int) -> QToolButton:
        cell = QToolButton()
        cell.setProperty("ds", "bare")
        cell.setText(written(estimate, power))
        theme.tabular(cell)
        title = self._head(key, power).replace("\n", " ")
        name(cell, f"{class_name}, {title}: {cell.text()}", "Click to see how it is made")
        cell.clicked.connect(lambda: self._explain(class_name, key, estimate))
        return cell

    def _explain(self, class_name: str, key: str, estimate: Estimate) -> None:
        item = QUANTITIES[key]
        parts = [f"{class_name}, {item.title}: {item.formula}"]
        if estimate.value is None:
            parts.append(f"Not defined: {estimate.reason}.")
        elif estimate.low is None:
            parts.append("It has no interval.")
        else:
            scale = 100 if item.percent else 1
            low, high = estimate.low * scale, (estimate.high or 0.0) * scale
            unit = "%" if item.percent else estimate.unit
            parts.append(
                f"Interval {numbers.plain(low)} – {numbers.plain(high)} {unit} ({estimate.basis})."
            )
        self._say(" ".join(parts))

    def _toggle_notes(self) -> None:
        if self._noted:
            self.explanation.hide()
            self._noted = False
            return
        assert self._summary is not None
        self._say("\n".join(f"• {note}" for note in self._summary.warnings))
        self._noted = True

    def _say(self, words: str) -> None:
        same = self.explanation.isVisibleTo(self) and self.explanation.text() == words
        self.explanation.setText(words)
        self.explanation.setVisible(not same)
        self._noted = False


def written(estimate: Estimate, power: int) -> str:
    """Return an estimate divided by a power of ten, with its interval where it has one."""
    scale = 10.0**-power

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * scale

    return numbers.with_interval(
        scaled(estimate.value), scaled(estimate.low), scaled(estimate.high)
    )


def _right(label: QLabel) -> QLabel:
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
