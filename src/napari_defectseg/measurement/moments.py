"""Sums over the pixels of every object, in one pass over labels and grey values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled

Labels = NDArray[np.int32]

# Columns of the whole-number sums. Positions count from the object's first pixel, so squares
# stay small, and sums of whole numbers are exact.
LABEL, COUNT, CUT = 0, 1, 2
LOW, HIGH = 3, 6
"""First and last index along z, y, x."""
FIRST = 9
"""Position of the object's first pixel in scan order."""
LINEAR = 12
"""Sums of z, y, x from the first pixel."""
SQUARE = 15
"""Sums of zz, yy, xx, zy, zx, yx."""
WHOLE = 21
# Columns of the grey sums; they count from the grey value of the first pixel.
ORIGIN, GREY, GREY_SQUARE, LEAST, MOST, SCORE = 0, 1, 2, 3, 4, 5
REAL = 6

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
        self.whole = np.zeros((ROOM, WHOLE), np.int64)
        self.real = np.zeros((ROOM, REAL), np.float64)

    def add(
        self,
        labels: Labels,
        offset: tuple[int, int, int],
        space: NDArray[np.uint8] | None = None,
        grey: NDArray[np.float64] | None = None,
    ) -> None:
        """Add a slab; slabs come in scan order.

        Parameters
        ----------
        labels : ndarray of int32, shape (z, y, x), contiguous
        offset : tuple of int
            Position of the slab's first pixel in the plane.
        space : ndarray of uint8, shape (z, y, x), or None
            0: not counted; 1: counted; 2: counted, at the border of what is counted.
        grey : ndarray of float64, shape (z, y, x), or None
        """
        nothing = np.zeros((0, 0, 0))
        self.whole, self.real, self.used = _add(
            labels,
            np.zeros((0, 0, 0), np.uint8) if space is None else np.ascontiguousarray(space),
            nothing if grey is None else np.ascontiguousarray(grey, np.float64),
            np.array(offset, np.int64),
            self.row_of,
            self.whole,
            self.real,
            self.used,
        )

    def add_scores(
        self,
        labels: Labels,
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
        _add_scores(
            labels,
            np.zeros((0, 0, 0), np.uint8) if space is None else np.ascontiguousarray(space),
            np.ascontiguousarray(scores, np.float32),
            channel_of,
            self.row_of,
            self.real,
        )

    def rows(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the sums of all objects found, by rising object number."""
        order = np.argsort(self.whole[: self.used, LABEL], kind="stable")
        return self.whole[order], self.real[order]


@compiled
def _add(
    labels: Labels,
    space: NDArray[np.uint8],
    grey: NDArray[np.float64],
    offset: NDArray[np.int64],
    row_of: NDArray[np.int32],
    whole: NDArray[np.int64],
    real: NDArray[np.float64],
    used: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    depth, height, width = labels.shape
    limited = space.size > 0
    for z in range(depth):
        for y in range(height):
            line = labels[z, y]
            x = 0
            while x < width:
                name = line[x]
                # Labels may be edited while they are read: a number that was not announced
                # must not reach beyond the arrays.
                if name <= 0 or name >= row_of.size or (limited and space[z, y, x] == 0):
                    x += 1
                    continue
                begin = x
                cut = 0
                while x < width and line[x] == name:
                    if limited:
                        if space[z, y, x] == 0:
                            break
                        cut |= space[z, y, x] >> 1
                    x += 1
                row = row_of[name]
                if row < 0:
                    if used == whole.shape[0]:
                        whole, real = _twice(whole, real)
                    row = used
                    row_of[name] = row
                    used += 1
                    first = grey[z, y, begin] if grey.size > 0 else 0.0
                    _open(whole[row], real[row], name, first)
                    whole[row, FIRST] = offset[0] + z
                    whole[row, FIRST + 1] = offset[1] + y
                    whole[row, FIRST + 2] = offset[2] + begin
                whole[row, CUT] |= cut
                _add_run(whole[row], offset[0] + z, offset[1] + y, offset[2] + begin, x - begin)
                if grey.size > 0:
                    _add_grey(real[row], grey[z, y], begin, x)
    return whole, real, used


@compiled
def _twice(
    whole: NDArray[np.int64], real: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    size = whole.shape[0]
    more_whole = np.zeros((2 * size, whole.shape[1]), np.int64)
    more_real = np.zeros((2 * size, real.shape[1]), np.float64)
    more_whole[:size] = whole
    more_real[:size] = real
    return more_whole, more_real


@compiled
def _open(whole: NDArray[np.int64], real: NDArray[np.float64], name: int, grey: float) -> None:
    whole[LABEL] = name
    for axis in range(3):
        whole[LOW + axis] = np.iinfo(np.int64).max
        whole[HIGH + axis] = -1
    real[ORIGIN] = grey
    real[LEAST] = np.inf
    real[MOST] = -np.inf


@compiled
def _add_run(whole: NDArray[np.int64], z: int, y: int, x: int, length: int) -> None:
    whole[COUNT] += length
    whole[LOW] = min(whole[LOW], z)
    whole[LOW + 1] = min(whole[LOW + 1], y)
    whole[LOW + 2] = min(whole[LOW + 2], x)
    whole[HIGH] = max(whole[HIGH], z)
    whole[HIGH + 1] = max(whole[HIGH + 1], y)
    whole[HIGH + 2] = max(whole[HIGH + 2], x + length - 1)
    dz = z - whole[FIRST]
    dy = y - whole[FIRST + 1]
    dx = x - whole[FIRST + 2]
    # Sums of dx + k and of its square for k = 0 … length - 1, in closed form.
    steps = length * (length - 1) // 2
    line = length * dx + steps
    square = length * dx * dx + 2 * dx * steps + steps * (2 * length - 1) // 3
    whole[LINEAR] += length * dz
    whole[LINEAR + 1] += length * dy
    whole[LINEAR + 2] += line
    whole[SQUARE] += length * dz * dz
    whole[SQUARE + 1] += length * dy * dy
    whole[SQUARE + 2] += square
    whole[SQUARE + 3] += length * dz * dy
    whole[SQUARE + 4] += dz * line
    whole[SQUARE + 5] += dy * line


@compiled
def _add_grey(real: NDArray[np.float64], line: NDArray[np.float64], begin: int, end: int) -> None:
    origin = real[ORIGIN]
    total = 0.0
    square = 0.0
    least = real[LEAST]
    most = real[MOST]
    for x in range(begin, end):
        value = line[x]
        least = min(least, value)
        most = max(most, value)
        value -= origin
        total += value
        square += value * value
    real[GREY] += total
    real[GREY_SQUARE] += square
    real[LEAST] = least
    real[MOST] = most


@compiled
def _add_scores(
    labels: Labels,
    space: NDArray[np.uint8],
    scores: NDArray[np.float32],
    channel_of: NDArray[np.int16],
    row_of: NDArray[np.int32],
    real: NDArray[np.float64],
) -> None:
    depth, height, width = labels.shape
    limited = space.size > 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                name = labels[z, y, x]
                if name <= 0 or name >= row_of.size or (limited and space[z, y, x] == 0):
                    continue
                channel, row = channel_of[name], row_of[name]
                if channel >= 0 and row >= 0:
                    real[row, SCORE] += scores[channel, z, y, x]
