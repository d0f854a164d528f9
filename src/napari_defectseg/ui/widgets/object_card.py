"""The card of the selected object: what it is, how large, and three things to do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy

from napari_defectseg.review.doubt import touches_border
from napari_defectseg.ui import numbers, theme
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.swatch import Swatch
from napari_defectseg.ui.widgets.text import ElidedLabel, name, text

if TYPE_CHECKING:
    from napari_defectseg.labels.labelmap import LabelMap
    from napari_defectseg.measurement.table import RegionTable
    from napari_defectseg.review.doubt import Doubt


class ObjectCard(Card):
    """Follows the selection; its three buttons act on it."""

    accepted = Signal()
    deleted = Signal()
    class_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        head = QHBoxLayout()
        head.setSpacing(theme.SPACE)
        self.number = text("", "strong", wrap=False)
        self.swatch = Swatch()
        self.class_name = ElidedLabel()
        self.size_label = text("", wrap=False)
        self.size_label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        theme.tabular(self.number)
        theme.tabular(self.size_label)
        head.addWidget(self.number)
        head.addWidget(self.swatch)
        head.addWidget(self.class_name, 1)
        head.addWidget(self.size_label)
        self.column.addLayout(head)
        self.detail = ElidedLabel(role="second")
        self.column.addWidget(self.detail)
        self.why = ElidedLabel(role="second")
        self.why.hide()
        self.column.addWidget(self.why)
        row = QHBoxLayout()
        row.setSpacing(theme.SPACE)
        self.accept = _button("Accept", "A", "It is right: mark it as checked")
        self.delete = _button("Delete", "D", "It is not there: remove it")
        self.relabel = _button("Class", "C", "Give it another class: then a class key or row")
        self.accept.clicked.connect(self.accepted)
        self.delete.clicked.connect(self.deleted)
        self.relabel.clicked.connect(self.class_asked)
        for button in (self.accept, self.delete, self.relabel):
            row.addWidget(button, 1)
        self.column.addLayout(row)

    def show_selection(
        self,
        labels: LabelMap,
        selection: list[int],
        table: RegionTable | None,
        doubt_of: Callable[[int], Doubt | None] = lambda _: None,
    ) -> None:
        """Show one object, several, or that nothing is selected."""
        self.why.hide()
        for button in (self.accept, self.delete, self.relabel):
            button.setEnabled(bool(selection))
        if len(selection) == 1:
            self._show_one(labels, selection[0], table, doubt_of(selection[0]))
            return
        self.swatch.hide()
        self.size_label.setText("")
        self.class_name.setText("")
        if selection:
            self.number.setText(f"{numbers.count(len(selection))} objects")
            checked = len(labels.checked.intersection(selection))
            self.detail.setText(f"{numbers.count(checked)} of them checked")
        else:
            self.number.setText("Nothing selected")
            self.detail.setText("Click an object, or press N")
        name(self, f"{self.number.text()}. {self.detail.text()}")

    def _show_one(
        self, labels: LabelMap, number: int, table: RegionTable | None, doubt: Doubt | None
    ) -> None:
        record = labels.record(number)
        item = labels.classes.by_value(record.class_value)
        self.number.setText(f"Object {number}")
        self.swatch.show_class(item)
        self.swatch.show()
        self.class_name.setText(item.name)
        self.size_label.setText(numbers.with_unit(*diameter(labels, number)))
        details = _details(labels, number, table)
        if doubt is not None:
            details.insert(0, f"doubt {numbers.fixed(doubt.value, 2)}")
            self.why.setText(doubt.why)
            self.why.show()
        self.detail.setText(" · ".join(details))
        said = (f"Object {number}", item.name, self.size_label.text())
        name(self, f"{', '.join(said)}. {self.detail.text()}. {self.why.text()}")


def diameter(labels: LabelMap, number: int) -> tuple[float, str]:
    """Return the equivalent diameter of an object and its unit, from its pixels alone."""
    calibration = labels.calibration
    ndim = calibration.ndim
    size = labels.index.size(number) * float(np.prod(calibration.steps))
    return (2 * ndim * size / np.pi) ** (1 / ndim), calibration.length_unit


def _details(labels: LabelMap, number: int, table: RegionTable | None) -> list[str]:
    parts = ["checked"] if number in labels.checked else []
    parts.append("touches the border" if touches_border(labels, number) else "touches no border")
    if table is not None and "mean_score" in table:
        row = np.flatnonzero(table["label"] == number)
        if row.size:
            parts.append(f"mean p {numbers.plain(float(table['mean_score'][row[0]]), 2)}")
    return parts


def _button(words: str, key: str, tip: str) -> QPushButton:
    button = QPushButton(f"{words} {key}")
    button.setProperty("ds", "tight")
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setMinimumWidth(40)
    # A click leaves the keys on the canvas; the Tab key still reaches it.
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    name(button, words, f"{tip} ({key})")
    return button
