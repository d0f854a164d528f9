"""`WaitingLine`: passes of several predictions share one device, first come, first served."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

LOOKS = 0.05
"""Seconds between two looks whether whoever waits has given up."""


class WaitingLine:
    """A fair lock; nobody who waits for it holds anything else, so nobody waits for ever."""

    def __init__(self) -> None:
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    def take(self, given_up: Callable[[], bool]) -> bool:
        """Wait for the turn; false if `given_up` said so meanwhile.

        Parameters
        ----------
        given_up : callable
            Asked now and then while it waits.
        """
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            while self._queue[0] is not ticket and not given_up():
                self._changed.wait(LOOKS)
            if self._queue[0] is ticket and not given_up():
                return True
            self._queue.remove(ticket)
            self._changed.notify_all()
            return False

    def give(self) -> None:
        """Hand the turn on."""
        with self._changed:
            self._queue.popleft()
            self._changed.notify_all()


_lines: dict[str, WaitingLine] = {}
"""One for each device: the device belongs to the whole process, and so does its queue."""
_lock = threading.Lock()


def line_for(device: str) -> WaitingLine:
    """Return the line in front of a device, by the name that `devices.choose` gives it."""
    with _lock:
        return _lines.setdefault(device, WaitingLine())
