"""The page that compares: with what, how many differences, and the one that is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_defectseg.ui import theme, words
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.text import choice, name, text

if TYPE_CHECKING:
    from napari_defectseg.review.compare import Comparison

KINDS = (
    ("only left", "only here"),
    ("only right", "only in the other"),
    ("class", "of another class"),
    ("outline", "with another outline"),
    ("several", "of several objects"),
)


class ComparePage(QWidget):
    """Signals ``chosen(place)``, ``took(side)``, ``merging()``."""

    chosen = Signal(int)
    took = Signal(str)
    merging = Signal()

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        row.addWidget(text("With", wrap=False))
        self.other = choice("What the labels are compared with")
        self.other.activated.connect(self.chosen)
        row.addWidget(self.other, 1)
        column.addLayout(row)
        self.merge = _button(
            "Merge someone's edits …",
            "Take what another person has corrected on this image; only contradictions are left "
            "to decide. Choose the folder of their result.",
        )
        self.merge.clicked.connect(self.merging)
        column.addWidget(self.merge)
        self.summary = text("", "second")
        column.addWidget(self.summary)
        self.card = Card()
        self.title = text("No difference chosen", "strong")
        self.detail = text("", "second")
        self.card.column.addWidget(self.title)
        self.card.column.addWidget(self.detail)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.SPACE)
        self.left = _button("Keep A", "Keep what is here, and mark it as checked (A)")
        self.right = _button("Take other D", "Take what the other has (D)")
        self.left.clicked.connect(lambda: self.took.emit("left"))
        self.right.clicked.connect(lambda: self.took.emit("right"))
        buttons.addWidget(self.left, 1)
        buttons.addWidget(self.right, 1)
        self.card.column.addLayout(buttons)
        column.addWidget(self.card)
        self.show_comparison(None)

    def offer(self, names: Sequence[str], current: int) -> None:
        """Offer what the labels can be compared with."""
        shown = [self.other.itemText(i) for i in range(self.other.count())]
        if shown != list(names):
            self.other.clear()
            self.other.addItems(list(names))
        self.other.setCurrentIndex(current)
        self.other.setEnabled(bool(names))

    def show_comparison(self, comparison: Comparison | None) -> None:
        """Show how many differences there are, and the one that is looked at."""
        current = comparison.current if comparison is not None else None
        for button in (self.left, self.right):
            button.setEnabled(current is not None and comparison.at not in comparison.settled)
        if comparison is None:
            self.summary.setText(
                "Choose what to compare with. Another mask or another person's labels: open them "
                "in napari as a labels layer."
            )
        else:
            counts = comparison.counts()
            parts = [f"{words.count(counts[key])} {told}" for key, told in KINDS if counts.get(key)]
            total = words.counted(len(comparison.differences), "difference")
            said = f"{words.count(comparison.matched)} objects in both. {total}"
            self.summary.setText(f"{said}{': ' if parts else ''}{', '.join(parts)}.")
        if current is None:
            self.title.setText("No difference chosen")
            self.detail.setText("Press N to go to the first one." if comparison else "")
            return
        place = f"{comparison.at + 1} of {len(comparison.differences)}"
        self.title.setText(place)
        done = " Settled." if comparison.at in comparison.settled else ""
        self.detail.setText(f"{current.words[0].upper()}{current.words[1:]}.{done}")


def _button(words_: str, tip: str) -> QPushButton:
    button = QPushButton(words_)
    button.setProperty("ds", "tight")
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(40)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    name(button, words_.rpartition(" ")[0], tip)
    return button
