"""A few choices side by side, one of which holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_defectseg.ui.widgets.text import name

Choice: TypeAlias = tuple[Any, str, str]
"""A value, its words and its tooltip."""


class Segments(QWidget):
    """Choices side by side; `valueChanged` is sent when a person or `setValue` changes it.

    Parameters
    ----------
    words : str
        What is chosen, for the accessible names.
    choices : sequence of (value, words, tip)
    even : bool
        Whether all are of one width; false: as wide as their words.
    most : int
        So many in a row.
    """

    valueChanged = Signal(object)  # noqa: N815 (Qt's own manner)

    def __init__(
        self, words: str, choices: Sequence[Choice], *, even: bool = True, most: int = 6
    ) -> None:
        super().__init__()
        self._even, self._most = even, most
        self._words = words
        self.setAccessibleName(words)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._group = QButtonGroup(self)
        self._group.idToggled.connect(self._toggled)
        self._values: list[Any] = []
        self._choices: list[Choice] = []
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_choices(choices)

    @property
    def value(self) -> Any:
        """The value that holds."""
        number = self._group.checkedId()
        return self._values[number] if number >= 0 else None

    def setValue(self, value: Any) -> None:
        """Choose the segment of that value."""
        self._group.button(self._values.index(value)).setChecked(True)

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer other choices, keeping the value if it is among them."""
        if list(choices) == self._choices:
            return
        self._choices = list(choices)
        before = self.value
        self.blockSignals(True)
        for button in self._group.buttons():
            self._group.removeButton(button)
            button.hide()
            button.deleteLater()
        while self._column.count():
            self._column.takeAt(0).layout().deleteLater()
        self._values = [value for value, _, _ in choices]
        for number, (_, words, tip) in enumerate(choices):
            button = QPushButton(words)
            button.setProperty("ds", "segment")
            button.setCheckable(True)
            button.setMinimumWidth(30)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            name(button, f"{self._words}: {words}", tip)
            self._group.addButton(button, number)
            if number % self._most == 0:
                row = QHBoxLayout()
                row.setSpacing(0)
                self._column.addLayout(row)
            row.addWidget(button, 1 if self._even else len(words))
        keep = before if before in self._values else (self._values[0] if self._values else None)
        if keep is not None:
            self.setValue(keep)
        self.blockSignals(False)

    def button(self, value: Any) -> QPushButton:
        """Return the button of a value."""
        return self._group.button(self._values.index(value))

    def _toggled(self, number: int, checked: bool) -> None:
        if checked:
            self.valueChanged.emit(self._values[number])
