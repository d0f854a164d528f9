"""A model tried on what is seen: one button, and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_defectseg.ui import theme, words
from napari_defectseg.ui.widgets.links import Links
from napari_defectseg.ui.widgets.text import Link, name, text

if TYPE_CHECKING:
    from napari_defectseg.labels.labelmap import LabelMap

TRY = "Test on the current view"
TIP = "Predicts what you see with the card as it is here; nothing of your work is touched"


class ViewTrial(QWidget):
    """Signals ``asked()``: try it; ``cleared()``: take the result away."""

    asked = Signal()
    cleared = Signal()

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.button = QPushButton(TRY)
        name(self.button, TRY, TIP)
        self.button.clicked.connect(lambda _=False: self.asked.emit())
        self.result = text("", "second")
        self.clear = Link("Take it away", "Remove the result of the test from the canvas")
        self.clear.clicked.connect(lambda _=False: self.cleared.emit())
        self.links = Links([self.clear])
        column.addWidget(self.button)
        column.addWidget(self.result)
        column.addWidget(self.links)
        self.show_nothing()

    def show_nothing(self) -> None:
        """Show no result."""
        self._say("", shown=False)

    def show_running(self) -> None:
        """Say that it is being tried."""
        self.button.setEnabled(False)
        self._say("Predicting what you see…", shown=False)

    def show_result(self, labels: LabelMap, seconds: float) -> None:
        """Say how many objects of each class were found in what is seen."""
        counts = dict.fromkeys(labels.classes.names, 0)
        for value in labels.object_classes.values():
            counts[labels.classes.by_value(value).name] += 1
        found = ", ".join(f"{words.count(number)} {one}" for one, number in counts.items())
        self._say(f"In what you see: {found} ({words.took(seconds)}).", shown=True)

    def _say(self, sentence: str, *, shown: bool) -> None:
        self.result.setText(sentence)
        self.result.setVisible(bool(sentence))
        self.links.setVisible(shown)

    def set_possible(self, reason: str) -> None:
        """Let it be tried, or say in the tooltip why it cannot be."""
        self.button.setEnabled(not reason)
        name(self.button, TRY, reason or TIP)
