"""Messages in their place: an icon, a stripe, a sentence, and links that do something."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QToolButton, QVBoxLayout, QWidget
from superqt import QFlowLayout

from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.widgets.text import Link, name, text

Action = tuple[str, Callable[[], object]]
"""Words of a link, and what it does."""


class MessageStrip(QFrame):
    """One message or question, put aside with `Esc` or its cross.

    Parameters
    ----------
    kind : str
        ``"info"``, ``"warning"`` or ``"error"``.
    sentence : str
    actions : sequence of (str, callable)
    """

    closed = Signal()

    def __init__(
        self, kind: str, sentence: str, actions: Sequence[Action] = (), *, closable: bool = True
    ) -> None:
        super().__init__()
        self.kind, self.sentence = kind, sentence
        self.setProperty("ds", "strip")
        self.setProperty("kind", kind)
        name(self, f"{kind}: {sentence}")
        grid = QGridLayout(self)
        grid.setContentsMargins(theme.GAP, theme.GAP, theme.SPACE, theme.GAP)
        grid.setSpacing(theme.SPACE)
        sign = QLabel()
        icons.set_icon(sign, kind, size=16)
        sign.setFixedWidth(18)
        grid.addWidget(sign, 0, 0, Qt.AlignmentFlag.AlignTop)
        self._label = text(sentence)
        grid.addWidget(self._label, 0, 1)
        grid.setColumnStretch(1, 1)
        if closable:
            cross = QToolButton()
            cross.setProperty("ds", "bare")
            icons.set_icon(cross, "close", size=10, role="icon")
            name(cross, "Put this message aside", "Put this message aside (Esc)")
            cross.clicked.connect(self.put_aside)
            grid.addWidget(cross, 0, 2, Qt.AlignmentFlag.AlignTop)
        if actions:
            links = QWidget()
            flow = QFlowLayout(links)
            flow.setContentsMargins(0, 0, 0, 0)
            flow.setHorizontalSpacing(theme.SPACE)
            flow.setVerticalSpacing(0)
            for words, act in actions:
                link = Link(words)
                link.clicked.connect(lambda _=False, act=act: act())
                flow.addWidget(link)
            grid.addWidget(links, 1, 1, 1, 2)

    def links(self) -> list[Link]:
        """Return its links in order."""
        return self.findChildren(Link)

    def put_aside(self) -> None:
        """Take it away; whoever asked is told by `closed`."""
        self.closed.emit()
        self.hide()
        self.deleteLater()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """`Esc` puts it aside."""
        if event.key() == Qt.Key.Key_Escape:
            self.put_aside()
        else:
            super().keyPressEvent(event)


class Messages(QWidget):
    """The place of a dock's messages; one message a topic."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._strips: dict[str, MessageStrip] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(theme.SPACE)
        self.hide()

    def say(
        self,
        topic: str,
        kind: str,
        sentence: str,
        actions: Sequence[Action] = (),
        *,
        closable: bool = True,
    ) -> MessageStrip:
        """Show a message, in the place of an older one of the same topic."""
        self.take_back(topic)
        strip = MessageStrip(kind, sentence, actions, closable=closable)
        strip.closed.connect(lambda: self._forget(topic, strip))
        self._strips[topic] = strip
        self._column.addWidget(strip)
        icons.repaint(strip, theme.colours_of(self))
        self.show()
        self.changed.emit()
        return strip

    def take_back(self, topic: str) -> None:
        """Take the message of a topic away, if there is one."""
        strip = self._strips.get(topic)
        if strip is not None:
            strip.put_aside()

    def topics(self) -> tuple[str, ...]:
        """Return the topics that are shown."""
        return tuple(self._strips)

    def strip(self, topic: str) -> MessageStrip | None:
        """Return the message of a topic."""
        return self._strips.get(topic)

    def worst(self) -> str:
        """Return the gravest kind that is shown, empty if nothing is."""
        kinds = {strip.kind for strip in self._strips.values()}
        return next((kind for kind in ("error", "warning", "info") if kind in kinds), "")

    def _forget(self, topic: str, strip: MessageStrip) -> None:
        if self._strips.get(topic) is strip:
            del self._strips[topic]
        self._column.removeWidget(strip)
        self.setVisible(bool(self._strips))
        self.changed.emit()
