"""`Sums`: sums over the pixels of every object, in one pass over runs and grey values."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.runs import Runs
from napari_defectseg.components.team import Team
from napari_defectseg.measurement import moments

SAMPLE = 512
"""Runs that are looked at to share them evenly."""
ROOM = 256
"""Objects that are made room for at first; the room doubles when it is full."""


@dataclass
class Sums:
    """Running sums of the objects of one plane in one frame, filled slab by slab.

    Parameters
    ----------
    highest : int
        The largest object number that will come.
    """

    highest: int
    used: int = 0
    row_of: NDArray[np.int32] = field(init=False)
    whole: NDArray[np.int64] = field(init=False)
    real: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self.row_of = np.full(self.highest + 1, -1, np.int32)
        self.whole = np.zeros((ROOM, moments.WHOLE), np.int64)
        self.real = np.zeros((ROOM, moments.REAL), np.float64)

    def add(
        self,
        runs: Runs,
        offset: tuple[int, int, int],
        space: NDArray[np.uint8] | None = None,
        grey: NDArray[Any] | None = None,
        team: Team | None = None,
    ) -> None:
        """Add a slab; slabs come in scan order.

        Parameters
        ----------
        runs : Runs
            The slab's, object numbers as values.
        offset : tuple of int
            Position of the slab's first pixel in the plane.
        space : ndarray of uint8, shape (z, y, x), or None
            0: not counted; 1: counted; 2: counted, at the border of what is counted.
        grey : ndarray of a type of `grey.PLAIN`, shape (z, y, x), or None
        team : Team or None
            Threads that share the slab. Each takes some of the objects, whole, so the sums are
            made in the same order and are the same to the last bit, however many there are.
        """
        self.used = int(moments.give_rows(runs.value, self.row_of, self.used))
        self._make_room()
        given = (
            runs.first,
            runs.start,
            runs.stop,
            runs.value,
            runs.shape[1],
            _rows(space, np.uint8, runs),
            _rows(grey, np.float64 if grey is None else grey.dtype, runs),
            np.array(offset, np.int64),
            self.row_of,
            self.whole,
            self.real,
        )
        if team is None or team.size == 1 or not len(runs):
            moments.add_runs(*given, 1, self.row_of.size)
        else:
            shares = _shares(runs.value, team.size, self.row_of.size)
            team.run(partial(moments.add_runs, *given, *share) for share in shares)

    def add_scores(
        self,
        runs: Runs,
        space: NDArray[np.uint8] | None,
        scores: NDArray[np.float32],
        channel_of: NDArray[np.int16],
    ) -> None:
        """Add the scores of each object's own class; call it after `add` of the same slab.

        Parameters
        ----------
        scores : ndarray of float32, shape (channel, z, y, x)
        channel_of : ndarray of int16
            Channel of each object number, -1 for none.
        """
        moments.add_scores(
            runs.first,
            runs.start,
            runs.stop,
            runs.value,
            _rows(space, np.uint8, runs),
            np.ascontiguousarray(scores, np.float32).reshape(len(scores), -1, runs.shape[2]),
            channel_of,
            self.row_of,
            self.real,
        )

    def _make_room(self) -> None:
        missing = self.used - len(self.whole)
        if missing > 0:
            more = max(missing, len(self.whole))
            self.whole = np.concatenate([self.whole, np.zeros((more, moments.WHOLE), np.int64)])
            self.real = np.concatenate([self.real, np.zeros((more, moments.REAL), np.float64)])

    def rows(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the sums of all objects with counted pixels, by rising number."""
        there = np.flatnonzero(self.whole[: self.used, moments.COUNT])
        order = there[np.argsort(self.whole[there, moments.LABEL], kind="stable")]
        return self.whole[order], self.real[order]


def _shares(names: NDArray[np.int32], count: int, end: int) -> list[tuple[int, int]]:
    """Return ranges of object numbers with about equally many runs each, 1 to below `end`."""
    some = names[:: max(1, names.size // SAMPLE)]
    inner = np.percentile(some, np.linspace(0, 100, count + 1)[1:-1]).astype(int)
    edges = [1, *(min(max(int(edge), 1), end) for edge in inner), end]
    return list(pairwise(edges))


def _rows(values: NDArray[Any] | None, dtype: Any, runs: Runs) -> NDArray[Any]:
    """Return a slab as rows; none of them where there are no values."""
    width = runs.shape[2]
    if values is None:
        return np.zeros((0, width), dtype)
    return np.ascontiguousarray(values, dtype).reshape(-1, width)
