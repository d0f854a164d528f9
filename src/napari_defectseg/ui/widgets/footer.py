"""The foot of a page: one primary button that becomes *Stop* while it works."""

from __future__ import annotations

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.widgets.text import name

BUSY_MARK_AFTER = 300
"""Milliseconds until a working primary button shows that it works."""


class Footer(QWidget):
    """Primary button, at most one button before and one behind it, and a line above.

    Signals ``acted`` (primary pressed while idle), ``stopped`` (pressed while working) and
    ``went_on`` (the button behind it).
    """

    acted = Signal()
    stopped = Signal()
    went_on = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("ds", "footer")
        self._words, self._tip, self._working, self._key = "", "", False, ""
        self._enabled = True
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(theme.MARGIN, theme.GAP, theme.MARGIN, theme.GAP)
        self.column.setSpacing(theme.SPACE)
        self.row = QHBoxLayout()
        self.row.setSpacing(theme.SPACE)
        self.column.addLayout(self.row)
        self.primary = QPushButton()
        self.primary.setProperty("ds", "primary")
        self.primary.setDefault(True)
        self.primary.setAutoDefault(True)
        self.primary.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.primary.setMinimumWidth(90)
        self.primary.clicked.connect(self._pressed)
        self.next = QPushButton()
        self.next.setProperty("ds", "next")
        self.next.clicked.connect(self.went_on)
        self.next.hide()
        self.row.addWidget(self.primary, 1)
        self.row.addWidget(self.next)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(BUSY_MARK_AFTER)
        self._timer.timeout.connect(self._mark_busy)

    @property
    def working(self) -> bool:
        """Whether the button stands for *Stop*."""
        return self._working

    def offer(self, words: str, tip: str = "", *, enabled: bool = True) -> None:
        """Set what the primary button does; a disabled one says why in `tip`."""
        self._words, self._tip = words, tip
        if not self._working:
            self._show(words, tip, enabled)
        self._enabled = enabled

    def set_key(self, key: str) -> None:
        """Say by which key the primary button is pressed."""
        self._key = key
        if not self._working:
            self._show(self._words, self._tip, self._enabled)

    def offer_next(self, words: str, tip: str = "") -> None:
        """Show the next step beside the primary button; empty words hide it."""
        self.next.setText(words)
        self.next.setVisible(bool(words))
        name(self.next, words, tip)

    def add_before(self, button: QPushButton) -> None:
        """Put a plain button before the primary one."""
        button.setProperty("ds", "next")
        self.row.insertWidget(self.row.count() - 2, button)

    def set_working(self, working: bool, stop_words: str = "Stop") -> None:
        """Turn the primary button into *Stop*, or back."""
        if working == self._working:
            return
        self._working = working
        if working:
            self._show(stop_words, "Stop; what is done is kept (Escape)", True)
            self._timer.start()
        else:
            self._timer.stop()
            icons.set_icon(self.primary, "")
            self._show(self._words, self._tip, self._enabled)

    def _show(self, words: str, tip: str, enabled: bool) -> None:
        self.primary.setText(words)
        self.primary.setEnabled(enabled)
        tip = f"{tip} ({self._key})" if tip and enabled and self._key else tip
        name(self.primary, words, tip or words)

    def _mark_busy(self) -> None:
        icons.set_icon(self.primary, "stop", size=14)

    def _pressed(self) -> None:
        (self.stopped if self._working else self.acted).emit()
