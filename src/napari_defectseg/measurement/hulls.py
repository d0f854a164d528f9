"""Convex outlines of objects in integer coordinates: the points that carry every extreme."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled

Points = NDArray[np.int64]


@compiled
def slice_hull(runs: NDArray[np.int32], begin: int, end: int, out: Points, used: int) -> int:
    """Write the convex polygon of the runs of one slice behind the `used` points of `out`.

    Parameters
    ----------
    runs : ndarray of int32, shape (runs, 4)
    begin, end : int
        Runs of one slice, by rising line.
    out : ndarray of int64, shape (points, 3)
        z, y, x of the corners, down the left side and up the right; points on a side are left
        out. Needs room for twice the runs.
    used : int

    Returns
    -------
    int
        How many points are used now.
    """
    start = used
    used = _chain(runs, begin, end, out, used, True)
    turn = used
    used = _chain(runs, begin, end, out, used, False)
    # The right side goes upwards, and its ends may be those of the left one.
    for k in range((used - turn) // 2):
        for axis in range(3):
            other = out[turn + k, axis]
            out[turn + k, axis] = out[used - 1 - k, axis]
            out[used - 1 - k, axis] = other
    if _same(out, turn - 1, turn):
        for k in range(turn, used - 1):
            for axis in range(3):
                out[k, axis] = out[k + 1, axis]
        used -= 1
    if used - start > 1 and _same(out, start, used - 1):
        used -= 1
    return used


@compiled
def _same(points: Points, one: int, other: int) -> bool:
    same: bool = points[one, 1] == points[other, 1] and points[one, 2] == points[other, 2]
    return same


@compiled
def _chain(
    runs: NDArray[np.int32], begin: int, end: int, out: Points, used: int, left: bool
) -> int:
    """Write one side of the polygon downwards."""
    start = used
    run = begin
    while run < end:
        y = np.int64(runs[run, 1])
        after = run
        while after < end and runs[after, 1] == y:
            after += 1
        x = np.int64(runs[run, 2]) if left else np.int64(runs[after - 1, 3]) - 1
        while used - start > 1 and not _bends(out, used, y, x, left):
            used -= 1
        out[used, 0] = runs[run, 0]
        out[used, 1] = y
        out[used, 2] = x
        used += 1
        run = after
    return used


@compiled
def _bends(out: Points, used: int, y: np.int64, x: np.int64, left: bool) -> bool:
    """Return whether the last point stays a corner when (y, x) follows."""
    dy = out[used - 1, 1] - out[used - 2, 1]
    dx = out[used - 1, 2] - out[used - 2, 2]
    cross = dy * (x - out[used - 2, 2]) - dx * (y - out[used - 2, 1])
    stays: bool = cross > 0 if left else cross < 0
    return stays


@compiled
def body_hull(runs: NDArray[np.int32], begin: int, end: int, out: Points) -> int:
    """Write the polygons of all slices of an object; return the number of points.

    All corners of the convex hull are among them.
    """
    used = 0
    run = begin
    while run < end:
        after = run
        while after < end and runs[after, 0] == runs[run, 0]:
            after += 1
        used = slice_hull(runs, run, after, out, used)
        run = after
    return used


@compiled
def polygon_pixels(points: Points, begin: int, end: int) -> float:
    """Return how many pixel centres a convex polygon of pixel centres holds (Pick's theorem)."""
    twice = 0
    border = 0
    for k in range(begin, end):
        n = k + 1 if k + 1 < end else begin
        twice += points[k, 1] * points[n, 2] - points[n, 1] * points[k, 2]
        a = abs(points[n, 1] - points[k, 1])
        b = abs(points[n, 2] - points[k, 2])
        while b:
            a, b = b, a % b
        border += a
    return abs(twice) / 2 + border / 2 + 1
