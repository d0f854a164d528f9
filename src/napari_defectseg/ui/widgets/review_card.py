"""The card of the queue: place, numbers, three small pictures, why it is here, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout

from napari_defectseg.ui import numbers, theme
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.object_card import diameter
from napari_defectseg.ui.widgets.swatch import Swatch
from napari_defectseg.ui.widgets.text import ElidedLabel, name, text

if TYPE_CHECKING:
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.review.doubt import Doubt
    from napari_defectseg.ui.widgets.thumbnails import Picture

SHOWN = 64
"""Side of a small picture in logical px."""
KINDS = ("image", "mask", "scores")


class ReviewCard(Card):
    """One object of the queue; its buttons act on it.

    Signals ``accepted``, ``rejected``, ``class_asked``, ``fix_asked`` and ``skipped``.
    """

    accepted = Signal()
    rejected = Signal()
    class_asked = Signal()
    fix_asked = Signal()
    skipped = Signal()

    def __init__(self) -> None:
        super().__init__()
        head = QHBoxLayout()
        head.setSpacing(theme.SPACE)
        self.title = text("", "strong", wrap=False)
        self.swatch = Swatch()
        self.detail = ElidedLabel()
        theme.tabular(self.title)
        head.addWidget(self.title)
        head.addWidget(self.swatch)
        head.addWidget(self.detail, 1)
        self.column.addLayout(head)
        self.column.addLayout(self._pictures())
        self.why = text("", "second")
        self.column.addWidget(self.why)
        self.buttons: dict[str, QPushButton] = {}
        self._add_row(
            ("accept", "Accept A", "It is right: mark it as checked", self.accepted),
            ("delete", "Delete D", "It is not there: remove it", self.rejected),
            ("relabel", "Class C", "Give it the next class", self.class_asked),
        )
        self._add_row(
            ("fix", "Fix P", "Mend it with the tools of Correct", self.fix_asked),
            ("skip", "Later H", "Look at it later", self.skipped),
        )

    def _pictures(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.pictures: dict[str, QLabel] = {}
        for kind in KINDS:
            column = QVBoxLayout()
            column.setSpacing(0)
            shown = QLabel()
            shown.setFixedSize(SHOWN, SHOWN)
            self.pictures[kind] = shown
            column.addWidget(shown)
            column.addWidget(text(kind, "small", wrap=False))
            row.addLayout(column)
        row.addStretch(1)
        return row

    def _add_row(self, *buttons: tuple[str, str, str, Signal]) -> None:
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        for key, words, tip, signal in buttons:
            button = QPushButton(words)
            button.setProperty("ds", "tight")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setMinimumWidth(40)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            name(button, words.rpartition(" ")[0], tip)
            button.clicked.connect(signal)
            self.buttons[key] = button
            row.addWidget(button, 1)
        self.column.addLayout(row)

    def show_nothing(self, sentence: str) -> None:
        """Show that no object is looked at, and why."""
        self.title.setText("No object")
        self.swatch.hide()
        self.detail.setText("")
        self.why.setText(sentence)
        self.show_pictures([])
        self._enable(False)

    def show_object(self, labels: LabelMap, number: int, place: str, doubt: Doubt | None) -> None:
        """Show an object; `place` is its place in the queue: ``"57 of 168"``."""
        item = labels.classes.by_value(labels.object_classes[number])
        self.title.setText(place)
        self.swatch.show_class(item)
        self.swatch.show()
        parts = [item.name, numbers.with_unit(*diameter(labels, number))]
        if doubt is not None and np.isfinite(doubt.score):
            parts.append(f"p {numbers.fixed(doubt.score, 2)}")
        if number in labels.checked:
            parts.append("checked")
        self.detail.setText(" · ".join(parts))
        if doubt is None:
            self.why.setText("Why here: drawn since the doubts were computed.")
        else:
            value = numbers.fixed(doubt.value, 2)
            self.why.setText(f"Why here: {doubt.why}. Doubt {value}.")
        self._enable(True)
        name(self, f"Object {number}, {place}. {self.detail.text()}. {self.why.text()}")

    def show_pictures(self, found: list[tuple[str, Picture]]) -> None:
        """Show small pictures by their names; what is missing leaves its place empty."""
        known = dict(found)
        for kind, label in self.pictures.items():
            if kind not in known:
                label.clear()
                name(label, f"No picture of the {kind}")
                continue
            array = np.ascontiguousarray(known[kind])
            height, width = array.shape[:2]
            image = QImage(array.data, width, height, 3 * width, QImage.Format.Format_RGB888)
            pixmap = QPixmap.fromImage(image.copy())
            pixmap.setDevicePixelRatio(width / SHOWN)
            label.setPixmap(pixmap)
            name(label, f"The object in the {kind}")

    def _enable(self, enabled: bool) -> None:
        for button in self.buttons.values():
            button.setEnabled(enabled)
