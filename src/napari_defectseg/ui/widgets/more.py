"""One collapsed line that names what is in it, and what in it was changed."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSettings, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.widgets.text import name


class More(QWidget):
    """Controls that are needed seldom; fill `column`.

    Parameters
    ----------
    contents : str
        Names what is inside: ``"device, exactness, tiles"``.
    key : str
        Under which opened or closed is remembered; empty: not remembered.
    """

    def __init__(self, contents: str, key: str = "") -> None:
        super().__init__()
        self._contents, self._key, self._changed = contents, key, ""
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.SPACE)
        self.line = _Line()
        self.line.setProperty("ds", "more")
        self.line.setCheckable(True)
        self.line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.line.toggled.connect(self._open)
        self.inside = QWidget()
        self.column = QVBoxLayout(self.inside)
        self.column.setContentsMargins(theme.GAP, 0, 0, theme.SPACE)
        self.column.setSpacing(theme.SPACE)
        column.addWidget(self.line)
        column.addWidget(self.inside)
        self._open(bool(key) and _store().value(f"more/{key}", False, type=bool))
        self.line.setChecked(self.inside.isVisibleTo(self))

    def set_changed(self, values: Sequence[str]) -> None:
        """Repeat in the line what inside is not as it was: ``("tiles 512",)``."""
        self._changed = ", ".join(values)
        self._say()

    def set_open(self, opened: bool) -> None:
        """Open or close it."""
        self.line.setChecked(opened)

    def _open(self, opened: bool) -> None:
        self.inside.setVisible(opened)
        icons.set_icon(self.line, "down" if opened else "right", size=10)
        if self._key:
            _store().setValue(f"more/{self._key}", opened)
        self._say()

    def _say(self) -> None:
        words = f"More: {self._contents}" + (f" ({self._changed})" if self._changed else "")
        self.line.say(words)


class _Line(QPushButton):
    """Gives way with a sign where there is no room; the tooltip has all of it."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""

    def say(self, words: str) -> None:
        """Show words as far as they fit."""
        self._whole = words
        name(self, words, words)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Elide anew."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = max(0, self.width() - self.iconSize().width() - 12)
        shown = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        self.setText(shown)


def _store() -> QSettings:
    return QSettings("napari-defectseg", "docks")
