"""Throws a widget away once napari has closed the dock around it."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget


class OrphanWatch(QObject):
    """Calls `release` and destroys a widget that lost its parent and found no new one.

    napari takes the inner widget out of a dock that is closed and forgets it: without this
    it would live on, listening and working, as long as anything in Python refers to it.
    """

    def __init__(self, widget: QWidget, release: Callable[[], None]) -> None:
        super().__init__(widget)
        self._widget, self._release = widget, release
        self._had_parent = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch for a change of parents."""
        if watched is self._widget and event.type() == QEvent.Type.ParentChange:
            if self._widget.parentWidget() is not None:
                self._had_parent = True
            elif self._had_parent:
                self._timer.start(0)
        return False

    def _look(self) -> None:
        if self._widget.parentWidget() is None:
            self._release()
            self._widget.deleteLater()
