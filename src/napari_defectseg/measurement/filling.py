"""Objects in a plane with their holes filled: what lies within their outer line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled

Real = NDArray[np.float64]


@compiled
def filled_moments(
    first: NDArray[np.int64], runs: NDArray[np.int32], boxes: NDArray[np.int64], out: Real
) -> None:
    """Write pixels, and covariances yy, xx, yx in pixels, of what each outer line holds.

    A hole is background that four neighbours do not join to the outside: pixels of the line
    that share a corner close it.

    Parameters
    ----------
    first, runs, boxes
        As `Bodies` has them, in a plane.
    out : ndarray of float, shape (n, 4)
    """
    for body in range(first.size - 1):
        height, width = boxes[body, 4] + 2, boxes[body, 5] + 2
        field = np.zeros((height, width), np.uint8)
        for run in range(first[body], first[body + 1]):
            y = runs[run, 1] - boxes[body, 1] + 1
            shift = 1 - boxes[body, 2]
            field[y, runs[run, 2] + shift : runs[run, 3] + shift] = 1
        _flood(field)
        _sum_up(field, out[body])


@compiled
def _flood(field: NDArray[np.uint8]) -> None:
    """Mark with 2 what is outside: 0 and joined to the first corner."""
    height, width = field.shape
    waiting = np.empty(height * width, np.int64)
    waiting[0] = 0
    field[0, 0] = 2
    count = 1
    while count:
        count -= 1
        y, x = waiting[count] // width, waiting[count] % width
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            v, u = y + dy, x + dx
            if 0 <= v < height and 0 <= u < width and field[v, u] == 0:
                field[v, u] = 2
                waiting[count] = v * width + u
                count += 1


@compiled
def _sum_up(field: NDArray[np.uint8], out: Real) -> None:
    count = 0
    sums = np.zeros(5)
    for y in range(field.shape[0]):
        for x in range(field.shape[1]):
            if field[y, x] != 2:
                count += 1
                sums[0] += y
                sums[1] += x
                sums[2] += y * y
                sums[3] += x * x
                sums[4] += y * x
    if count == 0:
        return
    sums /= count
    out[0] = count
    out[1] = sums[2] - sums[0] * sums[0]
    out[2] = sums[3] - sums[1] * sums[1]
    out[3] = sums[4] - sums[0] * sums[1]
