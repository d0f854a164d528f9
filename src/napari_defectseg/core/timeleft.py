"""`TimeLeft`: how long work will still take, from how far it had come when; no clock of its own."""

from __future__ import annotations

from collections import deque

WINDOW = 0.08
"""Share of the work, as there was at the beginning, whose pace counts: what was before is
forgotten, so that after a change of pace the answer is right again within a tenth."""
TRUSTED = 0.05
"""Share of the work from which on a forecast is no longer needed."""


class TimeLeft:
    """Estimates the time left; tell it each step by `take`.

    What lies before the first step is not counted, so work that was resumed goes by its own pace.
    The first step of some length also pays for setting up and is left out once there is another.

    Parameters
    ----------
    expected : float or None
        Seconds that all of the work will take, from a forecast; None: there is none.
    """

    def __init__(self, expected: float | None = None) -> None:
        self._expected = expected
        self._points: deque[tuple[float, float]] = deque()
        self._first: tuple[float, float] | None = None
        self._warm = False

    def take(self, share: float, now: float) -> None:
        """Take how far the work is.

        Parameters
        ----------
        share : float
            Share of all work that is done, 0 to 1; a step back begins anew, and the
            forecast no longer holds.
        now : float
            Seconds of any clock that does not go back.
        """
        if self._points and share < self._points[-1][0]:
            self._points.clear()
            self._warm, self._expected = False, None
        if self._points and share == self._points[-1][0]:
            return
        self._points.append((share, now))
        if len(self._points) == 1:
            self._first = (share, now)
            return
        if not self._warm and len(self._points) > 2:
            self._points.popleft()
            self._warm = True
        self._forget()

    def left(self, now: float) -> float | None:
        """Return the seconds left at a time, None while there is nothing to go by."""
        if not self._points:
            return None
        share, then = self._points[-1]
        pace = self._pace()
        if pace is None or share >= 1:
            return None
        whole = pace * (1 - share)
        # A step that is on its way is counted down, but never beyond its own length.
        lap = share - self._points[-2][0] if len(self._points) > 1 else 0.0
        return whole - min(max(0.0, now - then), pace * lap, whole)

    def _forget(self) -> None:
        """Keep the points of the window alone, and one before it."""
        assert self._first is not None
        latest = self._points[-1][0]
        length = WINDOW * (1 - self._first[0])
        while len(self._points) > 2 and latest - self._points[1][0] >= length * (1 - 1e-9):
            self._points.popleft()

    def _pace(self) -> float | None:
        """Return seconds for all of the work, as it goes now."""
        if len(self._points) < 2:
            return self._expected
        (before, begun), (share, now) = self._points[0], self._points[-1]
        measured = (now - begun) / (share - before)
        if self._expected is None:
            return measured
        assert self._first is not None
        weight = min(1.0, (share - self._first[0]) / (TRUSTED * (1 - self._first[0])))
        return weight * measured + (1 - weight) * self._expected
