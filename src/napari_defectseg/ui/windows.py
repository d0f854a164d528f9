"""The window of a viewer: whether it is still there, and what ends with it."""

from __future__ import annotations

from collections.abc import Callable
from threading import main_thread
from typing import Any

from qtpy.compat import isalive


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
    """Call `end` when the window of a viewer is gone; never for a viewer without one."""
    window = getattr(viewer, "window", None)
    if window is not None:
        window._qt_window.destroyed.connect(lambda *_: end())
