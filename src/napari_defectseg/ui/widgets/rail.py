"""The rail: one button a dock, in the order of work; arrows move in it."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QPainter
from qtpy.QtWidgets import QButtonGroup, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.widgets.text import name

WIDTH, HEIGHT = 56, 48
MARKS = {"done": ("ok", "finished"), "attention": ("warning", "a question waits")}


class RailButton(QToolButton):
    """Icon over a word, with a small mark in its corner."""

    def __init__(self, key: str, words: str, icon: str, tip: str, shortcut: str) -> None:
        super().__init__()
        self.key, self._words, self._tip, self._shortcut = key, words, tip, shortcut
        self.mark = ""
        self.setProperty("ds", "rail")
        self.setText(words)
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setFixedSize(QSize(WIDTH, HEIGHT))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        icons.set_icon(self, icon, size=20)
        self.set_mark("")

    def set_shortcut(self, shortcut: str) -> None:
        """Say by which key it is pressed."""
        self._shortcut = shortcut
        self.set_mark(self.mark)

    def set_mark(self, mark: str) -> None:
        """Show that the step is finished, or that a question waits there."""
        self.mark = mark
        state = f", {MARKS[mark][1]}" if mark else ""
        key = f" ({self._shortcut})" if self._shortcut else ""
        name(self, f"{self._words}{state}", f"{self._tip}{key}{state}")
        self.update()

    def paintEvent(self, event) -> None:
        """Paint the button, then its mark."""
        super().paintEvent(event)
        if self.mark:
            rgb = theme.colours_of(self)["text"]
            painter = QPainter(self)
            painter.drawPixmap(WIDTH - 17, 5, icons.pixmap(MARKS[self.mark][0], rgb, 12))
            painter.end()


class Rail(QWidget):
    """All docks at a glance; `chosen` is sent with the key of the one wished for."""

    chosen = Signal(str)

    def __init__(self, docks: Sequence[tuple[str, str, str, str, str]]) -> None:
        super().__init__()
        self.setProperty("ds", "rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
        self.setFixedWidth(WIDTH)
        self.setAccessibleName("Steps of the work")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, RailButton] = {}
        for entry in docks:
            button = RailButton(*entry)
            button.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            button.clicked.connect(lambda _=False, key=entry[0]: self.chosen.emit(key))
            self._group.addButton(button)
            self._buttons[entry[0]] = button
            column.addWidget(button)
        column.addStretch(1)

    def button(self, key: str) -> RailButton:
        """Return the button of a dock."""
        return self._buttons[key]

    def set_current(self, key: str) -> None:
        """Mark a dock as the one in front; it is the rail's single tab stop."""
        for other, button in self._buttons.items():
            button.setChecked(other == key)
            button.setFocusPolicy(
                Qt.FocusPolicy.StrongFocus if other == key else Qt.FocusPolicy.ClickFocus
            )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go to the dock above or below."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(event.key())
        keys = list(self._buttons)
        here = next((key for key, button in self._buttons.items() if button.hasFocus()), None)
        if step is None or here is None:
            super().keyPressEvent(event)
            return
        there = keys[(keys.index(here) + step) % len(keys)]
        self.chosen.emit(there)
        self._buttons[there].setFocus()
