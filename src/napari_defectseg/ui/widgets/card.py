"""Cards: a raised place, and the one that shows progress and then the result."""

from __future__ import annotations

from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout

from napari_defectseg.core.progress import Step
from napari_defectseg.ui import icons, theme
from napari_defectseg.ui.widgets.text import ElidedLabel, name, text
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
    """How far the work has come, and then what came out: one place, nothing jumps."""

    def __init__(self, what: str) -> None:
        super().__init__()
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
        self.column.addWidget(self.detail)
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
        icons.set_icon(self.sign, icon)
        self.sign.setVisible(bool(icon))
        self.title.setText(title)
        self.count.setText(count)
        self.detail.setText(detail)
        self.bar.setRange(0, 100)
        self.bar.setValue(percent)
        self.setAccessibleName(f"{title} {count}. {detail}".strip())
