"""Cards: a raised place, and the one that shows progress and then the result."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout

from napari_defectseg.core.progress import Step
from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.widgets.text import ElidedLabel, Link, name, text
from napari_defectseg.ui.words import about


class Card(QFrame):
    """A raised place; fill `column`."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("ds", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        self.column.setSpacing(theme.SPACE)


class ProgressCard(Card):
    """How far the work has come, and then what came out: one place, nothing jumps.

    Signal ``pause_asked(bool)``: rest, or go on.

    Parameters
    ----------
    what : str
        What is done, for the accessible name.
    pausable : bool
        Whether a link lets it rest.
    """

    pause_asked = Signal(bool)

    def __init__(self, what: str, *, pausable: bool = False) -> None:
        super().__init__()
        self._paused, self._pausable = False, pausable
        self._what = what.capitalize()
        head = QHBoxLayout()
        head.setSpacing(theme.SPACE)
        self.sign = QLabel()
        self.sign.setFixedWidth(18)
        self.title = ElidedLabel(role="strong")
        self.count = text("", "second", wrap=False)
        theme.tabular(self.count)
        head.addWidget(self.sign)
        head.addWidget(self.title, 1)
        head.addWidget(self.count)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        name(self.bar, f"Progress: {what}")
        self.detail = text(" ", "second")
        self.column.addLayout(head)
        self.column.addWidget(self.bar)
        foot = QHBoxLayout()
        foot.setSpacing(theme.SPACE)
        foot.addWidget(self.detail, 1)
        self.pause = Link("Pause", "Let it rest at the next layer of the network")
        self.pause.clicked.connect(lambda _=False: self.pause_asked.emit(not self._paused))
        foot.addWidget(self.pause, 0, Qt.AlignmentFlag.AlignTop)
        self.column.addLayout(foot)
        self.clear()

    def clear(self, title: str = "Not run yet", detail: str = " ") -> None:
        """Keep the place, show nothing done."""
        self._show("", title, "", 0, detail)

    def working(self, step: Step, seconds_left: float | None, unit: str = "") -> None:
        """Show a step; `unit` is what is counted (``"tiles"``)."""
        count = f"{step.done} of {step.total} {unit}".strip() if step.total else ""
        left = f"about {about(seconds_left)} left · " if seconds_left else ""
        percent = round(100 * step.fraction)
        self._show(
            "busy", step.text or self._what, count, percent, f"{left}Stop keeps what is done"
        )
        self.bar.setRange(0, 100 if step.total else 0)
        self.pause.setVisible(self._pausable)

    def set_paused(self, paused: bool, detail: str = "") -> None:
        """Show that it rests, and what is kept; or that it goes on."""
        self._paused = paused
        words = "Go on" if paused else "Pause"
        tip = "Go on where it was" if paused else "Let it rest at the next layer of the network"
        self.pause.setText(words)
        name(self.pause, words, tip)
        if paused:
            count = self.count.text()
            self._show("stop", "Paused", count, self.bar.value(), detail)
            self.pause.show()

    def show_pause(self, paused: bool, last: Step | None) -> None:
        """Show that it rests after a step, or that it goes on."""
        kept = "Nothing is lost"
        if last is not None and last.total:
            kept = f"{last.done} of {last.total} are done and kept"
        self.set_paused(paused, f"{kept}; the network's memory stays taken.")

    def done(self, title: str, count: str = "", detail: str = " ") -> None:
        """Show that it is finished, with numbers."""
        self._show("ok", title, count, 100, detail)

    def show_summary(self, kind: str, title: str, detail: str, percent: int) -> None:
        """Show what came of several images: all of them (``"done"``), or until it was stopped."""
        if kind == "done":
            self.done(title, "", detail)
        else:
            self.stopped(title, percent, detail)

    def stopped(self, title: str, percent: int, detail: str) -> None:
        """Show what was kept of a run that was stopped."""
        self._show("done", title, "stopped", percent, detail)

    def _show(self, icon: str, title: str, count: str, percent: int, detail: str) -> None:
        self.pause.hide()
        icons.set_icon(self.sign, icon)
        self.sign.setVisible(bool(icon))
        self.title.setText(title)
        self.count.setText(count)
        self.detail.setText(detail)
        self.bar.setRange(0, 100)
        self.bar.setValue(percent)
        self.setAccessibleName(f"{title} {count}. {detail}".strip())
