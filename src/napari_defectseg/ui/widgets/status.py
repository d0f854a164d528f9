"""The status line: journal, device, model; each leads to its why."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.evidence import title_of
from napari_defectseg.ui.session import Session
from napari_defectseg.ui.widgets.text import name

BESIDE = 34
"""Px of a button that its words do not get: icon, gaps and margins."""
UNKNOWN_DEVICE = "CPU or graphics card: looked up when needed"


class StatusButton(QPushButton):
    """An icon and a word that gives way when there is no room."""

    def __init__(self, icon: str) -> None:
        super().__init__()
        icons.set_icon(self, icon, size=13, role="icon")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(22)
        self._whole = self._short = ""

    def say(self, words: str, tip: str, short: str = "") -> None:
        """Show `words` if they fit, else `short` as far as it fits; the tooltip says more."""
        self._whole, self._short = words, short or words
        name(self, words, tip)
        self.resizeEvent(None)

    def resizeEvent(self, event: Any) -> None:
        """Elide anew."""
        room = self.width() - BESIDE
        metrics = self.fontMetrics()
        fits = metrics.horizontalAdvance(self._whole) <= room
        words = self._whole if fits else self._short
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
        self.setText(f" {shown}" if len(shown) > 2 else "")

    def changeEvent(self, event: QEvent) -> None:
        """Elide anew in another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self.resizeEvent(None)


class StatusLine(QWidget):
    """Reads the session's `saved`, `device` and `model`."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setProperty("ds", "status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground, True)
        self.setFixedHeight(26)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.SPACE, 1, theme.SPACE, 1)
        row.setSpacing(theme.SPACE)
        self.saved = StatusButton("done")
        self.device = StatusButton("device")
        self.model = StatusButton("model")
        row.addWidget(self.saved, 4)
        row.addWidget(self.device, 3)
        row.addWidget(self.model, 4)
        self.saved.clicked.connect(lambda: session.go_to("correct", "journal"))
        self.device.clicked.connect(lambda: session.go_to("predict", "device"))
        self.model.clicked.connect(lambda: session.go_to("model"))
        for signal in self._signals():
            signal.connect(self._renew)
        self._renew()

    def release(self) -> None:
        """Listen no more."""
        for signal in self._signals():
            signal.disconnect(self._renew)

    def _signals(self) -> tuple[Any, ...]:
        events = self._session.events
        return events.saved, events.device, events.model

    def _renew(self, value: object = None) -> None:
        session = self._session
        self.saved.setVisible(bool(session.saved))
        words, _, detail = session.saved.partition("\n")
        icons.set_icon(self.saved, "warning" if words.startswith("not") else "done", size=13)
        # In the narrowest dock "on disk" and "not saved" are what matters.
        short = words.removeprefix("all edits ").partition(":")[0]
        self.saved.say(words, detail or words, short)
        if session.device is None:
            self.device.say("processor", UNKNOWN_DEVICE, "CPU")
        else:
            title = session.device.title
            short = "CPU" if title.startswith("processor") else title
            self.device.say(title, f"{title}. {session.device.reason}", short)
        if session.model is None:
            self.model.say("no model", "No model is open. Click to open one (Alt+2)")
        else:
            title = title_of(session.model)
            self.model.say(title, f"{title}: see its card")
