"""The window of a viewer: whether it is still there, and what ends with it."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from threading import main_thread
from typing import Any
from weakref import WeakMethod, ref

from qtpy.compat import isalive
from qtpy.QtCore import QCoreApplication, QEvent
from qtpy.QtWidgets import QWidget


def can_draw(viewer: Any) -> bool:
    """Return whether the canvas of a viewer can be drawn on; true for one without a window.

    napari closes its canvas before it tells docks: overlays that change then are an error.
    """
    window = getattr(viewer, "window", None)
    if window is None:
        return True
    try:
        return isalive(window._qt_viewer.canvas.native)
    except (AttributeError, RuntimeError):
        return False


def is_ending() -> bool:
    """Return whether Python itself is going: Qt destroys what is left then, in no good order."""
    return not main_thread().is_alive()


def at_close(viewer: Any, end: Callable[[], Any]) -> None:
    """Call `end`, a method, when the window of a viewer is gone or Python ends.

    It is never called for a viewer without a window.
    """
    window = getattr(viewer, "window", None)
    if window is not None:
        _End(window._qt_window, end)


def before_exit(end: Callable[[], Any]) -> Callable[[], None]:
    """Call `end`, a method, when Python ends while a window is open and Qt is still whole.

    The bindings of Qt then destroy what is left one by one, and stumble over Python code that
    this makes run, such as event filters and slots of `destroyed` (seen with PyQt 6.11: a
    segmentation fault in its own last step). So what is ours goes before.

    Parameters
    ----------
    end : callable
        A method of what is then to go; held weakly.

    Returns
    -------
    callable
        Calls it off.
    """
    held = WeakMethod(end)

    def last() -> None:
        if (method := held()) is not None:
            method()

    atexit.register(last)
    return lambda: atexit.unregister(last)


def destroy_now(widget: QWidget) -> None:
    """Destroy a widget and all in it without waiting for the next turn of the event loop."""
    widget.setParent(None)
    widget.deleteLater()
    QCoreApplication.sendPostedEvents(widget, QEvent.Type.DeferredDelete.value)


class _End:
    """Calls a method once: with the window, or before Python ends."""

    def __init__(self, window: QWidget, end: Callable[[], Any]) -> None:
        self._window, self._end = ref(window), WeakMethod(end)
        window.destroyed.connect(self)
        # The window's connection keeps this alive, so the method held weakly is there.
        self._call_off = before_exit(self._before_exit)

    def __call__(self, *_: object) -> None:
        self._call_off()
        if (method := self._end()) is not None:
            method()

    def _before_exit(self) -> None:
        window = self._window()
        if window is not None and isalive(window):
            window.destroyed.disconnect(self)
        self()
