"""What a page shows when there is nothing yet: one sentence and where to go."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.widgets.strip import Action
from napari_defectseg.ui.widgets.text import Link, text


class EmptyState(QWidget):
    """A large icon, one sentence what to do, and at most a few links."""

    def __init__(self, icon: str, sentence: str = "", actions: Sequence[Action] = ()) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, theme.MARGIN, 0, theme.MARGIN)
        self._column.setSpacing(theme.GAP)
        self._column.addStretch(2)
        sign = QLabel()
        icons.set_icon(sign, icon, size=48, role="secondary")
        self._column.addWidget(sign, 0, Qt.AlignmentFlag.AlignHCenter)
        self.sentence = text()
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._column.addWidget(self.sentence)
        self._links: list[Link] = []
        self._column.addStretch(3)
        self.say(sentence, actions)

    def say(self, sentence: str, actions: Sequence[Action] = ()) -> None:
        """Show another sentence and other links."""
        self.sentence.setText(sentence)
        self.setAccessibleName(sentence)
        for link in self._links:
            self._column.removeWidget(link)
            link.hide()
            link.deleteLater()
        self._links = []
        for words, act in actions:
            link = Link(words)
            link.clicked.connect(lambda _=False, act=act: act())
            self._column.insertWidget(
                self._column.count() - 1, link, 0, Qt.AlignmentFlag.AlignHCenter
            )
            self._links.append(link)

    def links(self) -> list[Link]:
        """Return its links in order."""
        return list(self._links)
