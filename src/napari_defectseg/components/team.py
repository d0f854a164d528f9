"""`Team`: a few threads that share one loop over pixels; results never depend on their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import pairwise
from types import TracebackType
from typing import TypeVar

import numba

T = TypeVar("T")
WORTH = 1 << 21
"""Pixels below which a second thread costs more than it gives."""


class Team:
    """Threads that wait for work, the caller's among them; use it in a ``with`` statement.

    Compiled loops let go of the interpreter lock, so they do run side by side.

    Parameters
    ----------
    size : int
        Number of threads; 1: the caller's alone, and nothing is started.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        # One more than there are parts for others: what is fetched ahead must not wait for them.
        self._pool = ThreadPoolExecutor(size, "pixels") if size > 1 else None

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def cut(self, count: int) -> list[tuple[int, int]]:
        """Return `count` things as neighbouring parts, one a thread: first, and one after."""
        edges = [count * place // self.size for place in range(self.size + 1)]
        return list(pairwise(edges))

    def run(self, calls: Iterable[Callable[[], object]]) -> None:
        """Do all calls side by side and return when they are done."""
        first, *others = calls
        futures = [] if self._pool is None else [self._pool.submit(call) for call in others]
        try:
            first()
            if self._pool is None:
                for call in others:
                    call()
        finally:
            wait(futures)
        for future in futures:
            future.result()

    def ahead(self, calls: Iterable[Callable[[], T]]) -> Iterator[T]:
        """Yield what each call returns, while the next one is already being made."""
        if self._pool is None:
            for call in calls:
                yield call()
            return
        waiting: Future[T] | None = None
        for call in calls:
            following = self._pool.submit(call)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def team_for(pixels: int) -> Team:
    """Return the threads that are worth it for so many pixels: one a core at most.

    numba's own limit holds (``NUMBA_NUM_THREADS``; by itself, the cores this process may use).
    """
    return Team(max(1, min(int(numba.config.NUMBA_NUM_THREADS), pixels // WORTH)))
