"""Labels: titles, sections, running text, and one that elides."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QLabel, QPushButton, QSizePolicy, QWidget
from superqt import QElidingLabel


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


def text(words: str = "", role: str = "", *, wrap: bool = True) -> QLabel:
    """Return a label for running text; `role` is a word of the stylesheet."""
    label = QLabel(words)
    label.setProperty("ds", role)
    label.setWordWrap(wrap)
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
