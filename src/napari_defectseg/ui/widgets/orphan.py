"""Ends what works in a widget once napari has closed the dock around it, or the whole window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget

from napari_defectseg.ui.windows import before_exit, destroy_now


class WindowEnd(QObject):
    """Calls `act` when a viewer's main window has been closed, while all in it is still there.

    napari destroys its window with all docks in it without asking them.

    Parameters
    ----------
    owner : QObject or None
        With it the watch ends; None: with the window.
    viewer : napari.Viewer or ViewerModel
        One without a window is not watched.
    act : callable
    """

    def __init__(self, owner: QObject | None, viewer: Any, act: Callable[[], None]) -> None:
        # Not kept: the window dies with the last reference to it.
        window = getattr(getattr(viewer, "window", None), "_qt_window", None)
        super().__init__(window if owner is None else owner)
        self._act = act
        self._asked = False
        if window is not None:
            window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch for a close that was not refused: the window hides then."""
        kind = event.type()
        if kind == QEvent.Type.Close and isinstance(watched, QWidget):
            self._asked = True
        elif kind == QEvent.Type.Show:
            self._asked = False
        if self._asked and (kind == QEvent.Type.Hide or not watched.isVisible()):
            watched.removeEventFilter(self)
            self._asked = False
            self._act()
        return False


class OrphanWatch(QObject):
    """Calls `release` when a widget's window goes, or it lost its parent and found no new one.

    napari takes the inner widget out of a dock that is closed and forgets it: without this
    it would live on, listening and working, as long as anything in Python refers to it. An
    orphan is destroyed too, and so is a widget whose window is still open when Python ends.
    """

    # Of the class, too: Qt may still ask when Python has already cleared away the rest.
    _had_parent = False

    def __init__(self, widget: QWidget, release: Callable[[], None], viewer: Any = None) -> None:
        super().__init__(widget)
        WindowEnd(self, viewer, self._end)
        self._widget, self._release, self._ended = widget, release, False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look)
        widget.installEventFilter(self)
        call_off = before_exit(self._before_exit)
        widget.destroyed.connect(lambda *_: call_off())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch for a change of parents."""
        if event.type() == QEvent.Type.ParentChange and watched is self.parent():
            if watched.parentWidget() is not None:
                self._had_parent = True
            elif self._had_parent:
                self._timer.start(0)
        return False

    def _end(self) -> None:
        self._timer.stop()
        if not self._ended:
            self._ended = True
            self._release()

    def _before_exit(self) -> None:
        if isalive(self._widget):
            self._end()
            destroy_now(self._widget)

    def _look(self) -> None:
        if self._widget.parentWidget() is None:
            self._end()
            self._widget.deleteLater()
