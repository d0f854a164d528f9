"""A few facts, each a word and its value."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QGridLayout

from napari_defectseg.ui import theme
from napari_defectseg.ui.widgets.card import Card
from napari_defectseg.ui.widgets.text import ElidedLabel, text


class Facts(Card):
    """Words on the left, values on the right."""

    def __init__(self) -> None:
        super().__init__()
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(theme.GAP)
        self.grid.setVerticalSpacing(2)
        self.grid.setColumnStretch(1, 1)
        self.column.addLayout(self.grid)
        self._rows: list[tuple[str, str]] = []

    @property
    def rows(self) -> list[tuple[str, str]]:
        """What is shown."""
        return list(self._rows)

    def show_facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Show other facts."""
        if list(rows) == self._rows:
            return
        while self.grid.count():
            widget = self.grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        self._rows = list(rows)
        for row, (words, value) in enumerate(rows):
            self.grid.addWidget(text(words, "second", wrap=False), row, 0)
            self.grid.addWidget(ElidedLabel(value), row, 1)
        self.setAccessibleName("; ".join(f"{words}: {value}" for words, value in rows))
