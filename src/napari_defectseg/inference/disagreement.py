"""`Spread`: the mean of several models' scores, and how far they lie apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.images.image import ArrayLike
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.pieces import Part
from napari_defectseg.inference.scores import Room
from napari_defectseg.inference.tiling import Box

if TYPE_CHECKING:
    from napari_defectseg.inference.several import Member

Array = np.ndarray[Any, Any]
PIXELS = 1 << 24
"""So many are finished at once."""


class FirstChannel:
    """The first channel of an array that may lie on the disk."""

    def __init__(self, array: ArrayLike) -> None:
        self._array = array
        self.shape = tuple(int(n) for n in array.shape[1:])
        self.dtype = array.dtype

    def __getitem__(self, key: Any) -> Any:
        key = key if isinstance(key, tuple) else (key,)
        return self._array[(0, *key)]


class Spread:
    """Takes the scores of one model after the other; the mean grows in place (Welford 1962).

    Parameters
    ----------
    mean : Room
        Becomes the mean.
    squares : Room or None
        Of the same shape; becomes the sum of the squared deviations. None: nobody asks for it.
    apart : bool
        Whether each model has a mean of its own, over its directions, in channels of its own.
    """

    def __init__(self, mean: Room, squares: Room | None = None, *, apart: bool = False) -> None:
        self._mean, self._squares, self._apart = mean, squares, apart
        self._count = 0
        self._taken: list[Box] = []
        self._repeated = False

    def start(self, member: Member) -> None:
        """Begin with the next model, or the next direction of one."""
        self._count = 1 if self._apart and member.first else self._count + 1
        self._taken = []
        self._repeated = False

    def again(self) -> None:
        """Let the model begin anew, in smaller tiles; what it gave before counts."""
        self._repeated = True

    def flush(self) -> None:
        """Have nothing that waits."""

    def take(self, where: Box, scores: Array) -> Part:
        """Take scores of a model, once a pixel, and return the mean there so far."""
        mean = np.asarray(self._mean.readable[where])
        fresh = self._fresh(where) if self._repeated else np.True_
        delta = np.where(fresh, scores - mean, np.float32(0))
        grown = mean + delta / np.float32(self._count)
        self._mean.target[where] = grown
        if self._squares is not None:
            squares = np.asarray(self._squares.readable[where])
            self._squares.target[where] = squares + delta * np.where(fresh, scores - grown, 0)
        self._taken.append(where)
        return Part(where, grown)

    def finished(self, job: Job) -> ArrayLike | None:
        """Return the standard deviation of the models, of the class where it is largest.

        Parameters
        ----------
        job : Job

        Returns
        -------
        ndarray of float32
            Shape of a mask: 0 where all agree, at most 0.5 where half of them are certain of
            what the others exclude. None where nobody asked for it.
        """
        room = self._squares
        if room is None:
            return None
        shape = job.scores_shape
        rows = max(1, PIXELS // max(1, math.prod(shape[2:]) * shape[0]))
        for start in range(0, shape[1], rows):
            at = slice(start, min(start + rows, shape[1]))
            squares = np.asarray(room.readable[(slice(None), at)])
            spread = np.sqrt(squares.max(axis=0, keepdims=True) / np.float32(self._count))
            room.target[(slice(0, 1), at)] = spread
        if isinstance(room.readable, np.ndarray):
            alone: Array = room.readable[0].copy()  # a view would keep the rest
            return alone
        return FirstChannel(room.readable)

    def _fresh(self, where: Box) -> Array:
        """Return where this model has not given anything yet, channels in front."""
        fresh = np.ones((1, *(part.stop - part.start for part in where[1:])), bool)
        for box in self._taken:
            inside = tuple(
                slice(max(a.start, b.start) - a.start, min(a.stop, b.stop) - a.start)
                for a, b in zip(where[1:], box[1:], strict=True)
            )
            if all(part.start < part.stop for part in inside):
                fresh[(slice(None), *inside)] = False
        return fresh
