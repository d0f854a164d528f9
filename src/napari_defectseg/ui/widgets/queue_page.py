"""The page of the queue: order, filter, card, bulk accept, and *This region is complete*."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_defectseg.ui import theme, words
from napari_defectseg.ui.widgets.filter_line import FilterLine
from napari_defectseg.ui.widgets.review_card import ReviewCard
from napari_defectseg.ui.widgets.text import choice, name, text

LEVEL = 0.95
ORDERS = (
    ("doubt", "most doubtful first"),
    ("score", "lowest score first"),
    ("odd", "unlikely size or shape first"),
    ("changed", "changed by the last model first"),
    ("border", "at the border first"),
    ("large", "largest first"),
    ("small", "smallest first"),
    ("number", "by number"),
)


class QueuePage(QWidget):
    """Signals ``arranged(order, filter)``, ``bulk_asked(level)``, ``complete_asked(bool)``."""

    arranged = Signal(str, str)
    bulk_asked = Signal(float)
    level_changed = Signal(float)
    complete_asked = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        row = QHBoxLayout()
        row.addWidget(text("Order", wrap=False))
        self.order = choice("Which objects come first")
        for value, told in ORDERS:
            self.order.addItem(told, value)
        self.order.activated.connect(lambda _: self._arrange())
        row.addWidget(self.order, 1)
        column.addLayout(row)
        self.filter = FilterLine("class == 'void'")
        self.filter.changed.connect(lambda _: self._arrange())
        column.addWidget(self.filter)
        self.card = ReviewCard()
        column.addWidget(self.card)
        column.addLayout(self._bulk())
        self.complete = QCheckBox("This region is complete")
        self.complete.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        name(
            self.complete,
            "This region is complete",
            "What is in sight was looked through and nothing is missing in it. Only such regions "
            "are truth for training and recall: accepted objects say nothing of what was missed "
            "between them.",
        )
        self.complete.clicked.connect(self.complete_asked)
        column.addWidget(self.complete)
        self.told = text("", "second")
        column.addWidget(self.told)

    def _bulk(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        row.addWidget(text("Above p", wrap=False))
        self.level = QDoubleSpinBox()
        self.level.setRange(0, 1)
        self.level.setSingleStep(0.01)
        self.level.setDecimals(2)
        self.level.setValue(LEVEL)
        self.level.setMinimumWidth(58)
        name(self.level, "Mean score to accept from", "Objects with this mean score or a higher")
        self.level.valueChanged.connect(self.level_changed)
        self.bulk = QPushButton()
        self.bulk.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.bulk.setProperty("ds", "tight")
        self.bulk.clicked.connect(lambda: self.bulk_asked.emit(self.level.value()))
        row.addWidget(self.level)
        row.addWidget(self.bulk, 1)
        self.show_bulk(0)
        return row

    def show_bulk(self, count: int) -> None:
        """Say how many objects would be accepted."""
        self.bulk.setText(f"Accept {words.count(count)}")
        self.bulk.setEnabled(count > 0)
        told = words.counted(count, "object")
        tip = f"Accept {told} at once; one step to undo" if count else "No object waits above it"
        name(self.bulk, f"Accept {told}", tip)

    def show_complete(self, complete: bool, possible: bool) -> None:
        """Show whether what is in sight is complete."""
        self.complete.setChecked(complete)
        self.complete.setEnabled(possible)

    def _arrange(self) -> None:
        self.arranged.emit(self.order.currentData(), self.filter.edit.text().strip())
