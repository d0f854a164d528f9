"""The loops that sum up over the pixels of every object, and what stands in which column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled

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


@compiled
def give_rows(names: NDArray[np.int32], row_of: NDArray[np.int32], used: int) -> int:
    """Give a row to each object not met before; a pass of its own, for nothing may grow later."""
    for index in range(names.size):
        name = names[index]
        # Labels may be edited while they are read: a number that was not announced must not
        # reach beyond the arrays.
        if name > 0 and name < row_of.size and row_of[name] < 0:
            row_of[name] = used
            used += 1
    return used


@compiled
def add_runs(
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    names: NDArray[np.int32],
    height: int,
    space: NDArray[np.uint8],
    grey: NDArray[Any],
    offset: NDArray[np.int64],
    row_of: NDArray[np.int32],
    whole: NDArray[np.int64],
    real: NDArray[np.float64],
    low: int,
    high: int,
) -> None:
    """Add the runs of a slab to the sums; arguments as in `sums.Sums.add`, arrays as rows.

    Only objects with numbers from `low` to below `high` are looked at.
    """
    limited = space.size > 0
    for line in range(first.size - 1):
        z = offset[0] + line // height
        y = offset[1] + line % height
        for run in range(first[line], first[line + 1]):
            name = names[run]
            if name < low or name >= high:
                continue
            row = row_of[name]
            begin = int(start[run])
            while begin < stop[run]:
                end = int(stop[run])
                cut = 0
                if limited:
                    begin, end, cut = _counted(space[line], begin, end)
                    if begin == end:
                        break
                if whole[row, COUNT] == 0:
                    shade = np.float64(grey[line, begin]) if grey.size > 0 else 0.0
                    _open(whole[row], real[row], name, shade)
                    whole[row, FIRST] = z
                    whole[row, FIRST + 1] = y
                    whole[row, FIRST + 2] = offset[2] + begin
                whole[row, CUT] |= cut
                _add_run(whole[row], z, y, offset[2] + begin, end - begin)
                if grey.size > 0:
                    _add_grey(real[row], grey[line], begin, end)
                begin = end


@compiled
def _counted(space: NDArray[np.uint8], begin: int, end: int) -> tuple[int, int, int]:
    """Return the next part of a run that is counted, and whether it is at the border."""
    while begin < end and space[begin] == 0:
        begin += 1
    cut = 0
    after = begin
    while after < end and space[after] != 0:
        cut |= space[after] >> 1
        after += 1
    return begin, after, cut


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
def _add_grey(real: NDArray[np.float64], line: NDArray[Any], begin: int, end: int) -> None:
    origin = real[ORIGIN]
    total = 0.0
    square = 0.0
    least = real[LEAST]
    most = real[MOST]
    for x in range(begin, end):
        value = np.float64(line[x])
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
def add_scores(
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    names: NDArray[np.int32],
    space: NDArray[np.uint8],
    scores: NDArray[np.float32],
    channel_of: NDArray[np.int16],
    row_of: NDArray[np.int32],
    real: NDArray[np.float64],
) -> None:
    """Add the scores of a slab; arguments as in `sums.Sums.add_scores`, arrays as rows."""
    limited = space.size > 0
    for line in range(first.size - 1):
        for run in range(first[line], first[line + 1]):
            name = names[run]
            if name <= 0 or name >= row_of.size or channel_of[name] < 0:
                continue
            total = 0.0
            for x in range(start[run], stop[run]):
                if not limited or space[line, x] != 0:
                    total += scores[channel_of[name], line, x]
            real[row_of[name], SCORE] += total
