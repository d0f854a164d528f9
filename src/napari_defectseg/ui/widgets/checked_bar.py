"""How many objects have been checked."""

from __future__ import annotations

from qtpy.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from napari_defectseg.ui import theme, words
from napari_defectseg.ui.widgets.text import ElidedLabel, name


class CheckedBar(QWidget):
    """A line and a bar above the primary button of Correct."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.told = ElidedLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        name(self.bar, "Objects checked")
        column.addWidget(self.told)
        column.addWidget(self.bar)

    def show_progress(
        self, done: int, count: int, seconds_left: float | None = None, word: str = "checked"
    ) -> None:
        """Show how many are done (`word` says what), and about how long the rest takes."""
        every = f"All {words.count(count)} {word}"
        some = f"{words.count(done)} of {words.count(count)} {word}"
        if seconds_left:
            some += f" · about {words.about(seconds_left)} left"
        self.told.setText(every if count and done == count else some)
        self.bar.setRange(0, max(1, count))
        self.bar.setValue(done)
