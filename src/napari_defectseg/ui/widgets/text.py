"""Labels: titles, sections, running text, and one that elides."""

from __future__ import annotations

import re

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton, QSizePolicy, QWidget
from superqt import QElidingLabel

LONG_WORD = re.compile(r"\S{22,}")
"""Names and paths that may be wider than a dock."""


class ElidedLabel(QElidingLabel):
    """One line that gives way at its end; the whole text is its tooltip and accessible name."""

    def __init__(self, text: str = "", *, role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setProperty("ds", role)
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(24)
        self.setText(text)

    def setText(self, text: str) -> None:
        """Show `text`, and keep all of it for those who point at it or cannot see it."""
        super().setText(text)
        self.setToolTip(text)
        self.setAccessibleName(text)


class WrappedLabel(QLabel):
    """Running text that is as high as it must be at the width it has.

    A layout alone gives text in a scrolling page the height that it had at another width, and
    a name without spaces as much width as it likes: long ones may break at their points.
    """

    def __init__(self, words: str = "") -> None:
        super().__init__()
        self._height = 0
        self.setWordWrap(True)
        policy = self.sizePolicy()
        policy.setHeightForWidth(False)
        policy.setVerticalPolicy(QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)
        self.setText(words)

    def sizeHint(self) -> QSize:
        """Want the height of the width it has."""
        hint = super().sizeHint()
        return QSize(hint.width(), self._height or hint.height())

    def minimumSizeHint(self) -> QSize:
        """Need no less."""
        hint = super().minimumSizeHint()
        return QSize(hint.width(), self._height or hint.height())

    def setText(self, words: str) -> None:
        """Show `words`."""
        super().setText(LONG_WORD.sub(_breakable, words))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the height of the new width."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Take the height that another font needs."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        height = self.heightForWidth(self.width()) if self.text() else 0
        if height != self._height:
            self._height = height
            self.updateGeometry()


def _breakable(word: re.Match[str]) -> str:
    return re.sub(r"(?<=[._/×\\-])(?=\w)", "\u200b", word[0])


def text(words: str = "", role: str = "", *, wrap: bool = True) -> QLabel:
    """Return a label for running text; `role` is a word of the stylesheet."""
    label = WrappedLabel(words) if wrap else QLabel(words)
    label.setProperty("ds", role)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
    return label


def section(words: str) -> QLabel:
    """Return the heading of a part of a page."""
    return text(words.upper(), "section", wrap=False)


def named(label: QLabel, field: QWidget, *, tip: str = "") -> QLabel:
    """Make `label` the name of `field`: buddy, accessible name and tooltip."""
    label.setBuddy(field)
    name(field, label.text().replace("&", ""), tip)
    return label


def name(widget: QWidget, words: str, tip: str = "") -> None:
    """Say what a control is to those who cannot see it, and what it does to all."""
    widget.setAccessibleName(words)
    if tip:
        widget.setToolTip(tip)
        widget.setAccessibleDescription(tip)


def choice(words: str) -> QComboBox:
    """Return a box of choices that gives way where there is no room."""
    box = QComboBox()
    box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    box.setMinimumWidth(60)
    box.setMinimumContentsLength(4)
    name(box, words, words)
    return box


class Link(QPushButton):
    """An underlined word that does something."""

    def __init__(self, words: str, tip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(words, parent)
        self.setProperty("ds", "link")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        name(self, words, tip)
