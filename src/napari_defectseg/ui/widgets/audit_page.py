"""The page of the five-minute review: what to judge now, and what the sample says so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_defectseg.ui import numbers, theme, words
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.text import name, text

if TYPE_CHECKING:
    from napari_defectseg.measurement.audit import AuditEstimate, Share


class AuditPage(QWidget):
    """Signals ``judged(right)`` for the object or place that is looked at, ``class_asked()``."""

    judged = Signal(bool)
    class_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        self.intro = text(
            "A random sample, never the queue's own choice: objects are right or wrong, places are "
            "looked through to the last object.",
            "second",
        )
        column.addWidget(self.intro)
        column.addLayout(self._amounts())
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        name(self.bar, "Judged of the sample")
        column.addWidget(self.bar)
        self.card = Card()
        self.title = text("Not begun", "strong")
        self.task = text("", "second")
        self.card.column.addWidget(self.title)
        self.card.column.addWidget(self.task)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.right = _button("Right A", "It is there, and it is what it is called (A)")
        self.wrong = _button("Wrong D", "It is not there: it is removed (D)")
        tip = "It is there, but of another class: the next one, then Right (C)"
        self.other = _button("Class C", tip)
        self.other.clicked.connect(self.class_asked)
        self.right.clicked.connect(lambda: self.judged.emit(True))
        self.wrong.clicked.connect(lambda: self.judged.emit(False))
        row.addWidget(self.right, 1)
        row.addWidget(self.wrong, 1)
        row.addWidget(self.other, 1)
        self.card.column.addLayout(row)
        column.addWidget(self.card)
        self.result = Card()
        self.precision, self.recall, self.count = text(""), text(""), text("")
        self.there, self.more = text("", "second"), text("", "second")
        for label in (self.precision, self.there, self.recall, self.count, self.more):
            self.result.column.addWidget(label)
        column.addWidget(self.result)
        self.show_nothing()

    def _amounts(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.objects, self.places = QSpinBox(), QSpinBox()
        for box, told, value in ((self.objects, "objects", 24), (self.places, "places", 16)):
            box.setRange(4, 500)
            box.setValue(value)
            box.setMinimumWidth(50)
            name(box, f"How many {told} are looked at", f"How many {told} the sample holds")
            row.addWidget(box)
            row.addWidget(text(told, wrap=False))
        row.addStretch(1)
        return row

    def show_nothing(self) -> None:
        """Show that no sample is drawn."""
        self.title.setText("Not begun")
        self.task.setText("Start draws the sample and shows one after the other.")
        self.bar.setRange(0, 1)
        self.bar.setValue(0)
        self.enable(False)
        self.result.hide()
        for box in (self.objects, self.places):
            box.setEnabled(True)

    def show_task(self, done: int, total: int, title: str, task: str, *, place: bool) -> None:
        """Show what is to be judged now."""
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)
        self.title.setText(title)
        self.task.setText(task)
        self.right.setText("Complete A" if place else "Right A")
        name(self.right, self.right.text()[:-2], self.right.toolTip())
        self.enable(True)
        for button in (self.wrong, self.other):
            button.setVisible(not place)
        for box in (self.objects, self.places):
            box.setEnabled(False)

    def enable(self, enabled: bool) -> None:
        """Let the buttons judge, or not."""
        self.right.setEnabled(enabled)
        self.wrong.setEnabled(enabled)
        self.other.setEnabled(enabled)

    def show_estimate(self, estimate: AuditEstimate) -> None:
        """Show what the verdicts say so far."""
        shares = (("Precision", estimate.precision), ("Recall", estimate.recall))
        known = [(told, share) for told, share in shares if share is not None]
        self.result.setVisible(bool(known))
        for label, (told, share) in zip((self.precision, self.recall), shares, strict=True):
            label.setText(_of_share(told, share))
        there = estimate.there
        other = there is not None and there != estimate.precision
        self.there.setVisible(other)
        if other:
            self.there.setText(_of_share("At the right place", there))
        count = estimate.count
        sure = count is not None and count.value == count.value
        self.count.setVisible(sure)
        if sure:
            self.count.setText(
                f"{words.count(count.predicted)} predicted; corrected "
                f"{words.count(round(count.value))} "
                f"({words.count(round(count.low))} – {words.count(round(count.high))})"
            )
        more = [f"{words.count(share.more)} for {told.lower()}" for told, share in known]
        self.more.setText(f"95 %. More looks that halve the interval: {', '.join(more)}.")


def _of_share(told: str, share: Share | None) -> str:
    if share is None:
        return f"{told} — nothing judged yet"
    value, low, high = (numbers.fixed(v, 2) for v in (share.value, share.low, share.high))
    return f"{told} {value} ({low} – {high}) · n {share.looks}"


def _button(words_: str, tip: str) -> QPushButton:
    button = QPushButton(words_)
    button.setProperty("ds", "tight")
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(40)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    name(button, words_.rpartition(" ")[0], tip)
    return button
