"""`Stopwatch`: seconds of work, without the pauses."""

from __future__ import annotations

import time


class Stopwatch:
    """Counts seconds from the moment it is made, but those between `halt` and `go`."""

    def __init__(self) -> None:
        self._counted = 0.0
        self._since: float | None = time.monotonic()

    @property
    def seconds(self) -> float:
        """What it has counted."""
        running = 0.0 if self._since is None else time.monotonic() - self._since
        return self._counted + running

    @property
    def halted(self) -> bool:
        """Whether it does not count now."""
        return self._since is None

    def halt(self) -> None:
        """Count no more until it goes on."""
        self._counted, self._since = self.seconds, None

    def go(self) -> None:
        """Go on counting."""
        self._counted, self._since = self.seconds, time.monotonic()
