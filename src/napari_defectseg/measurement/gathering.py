"""The loops that sort runs by object, and paint one object from its runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled

Z, Y, START, STOP = 0, 1, 2, 3
"""Columns of the runs of objects: line, first column and the one behind the last."""


@compiled
def count_parts(
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    names: NDArray[np.int32],
    space: NDArray[np.uint8],
    row_of: NDArray[np.int32],
    count: NDArray[np.int64],
) -> None:
    """Add to `count` how many runs each object has, after what is not counted is cut away.

    Parameters
    ----------
    first, start, stop, names
        Runs of a slab, object numbers as values.
    space : ndarray of uint8, shape (lines, width), or of no lines
        0: not counted.
    row_of : ndarray of int32
        Row of each object number, -1 for none.
    count : ndarray of int64, one an object
    """
    limited = space.size > 0
    for line in range(first.size - 1):
        for run in range(first[line], first[line + 1]):
            name = names[run]
            if name <= 0 or name >= row_of.size or row_of[name] < 0:
                continue
            if not limited:
                count[row_of[name]] += 1
                continue
            begin = int(start[run])
            while begin < stop[run]:
                begin, end = _next_part(space[line], begin, int(stop[run]))
                if begin < end:
                    count[row_of[name]] += 1
                begin = end


@compiled
def take_parts(
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    names: NDArray[np.int32],
    space: NDArray[np.uint8],
    row_of: NDArray[np.int32],
    height: int,
    offset: NDArray[np.int64],
    used: NDArray[np.int64],
    runs: NDArray[np.int32],
) -> None:
    """Write the runs of a slab behind those that each object has; arguments as `count_parts`.

    Parameters
    ----------
    height : int
        Lines of a slice.
    offset : ndarray of int64
        Position of the slab's first pixel: z, y, x.
    used : ndarray of int64, one an object
        Where its next run belongs; counted on.
    runs : ndarray of int32, shape (all runs, 4)
    """
    limited = space.size > 0
    for line in range(first.size - 1):
        z = offset[0] + line // height
        y = offset[1] + line % height
        for run in range(first[line], first[line + 1]):
            name = names[run]
            if name <= 0 or name >= row_of.size or row_of[name] < 0:
                continue
            row = row_of[name]
            begin = int(start[run])
            while begin < stop[run]:
                end = int(stop[run])
                if limited:
                    begin, end = _next_part(space[line], begin, end)
                place = used[row]
                # Labels may be edited between counting and taking: nothing is written twice.
                if begin < end and place < runs.shape[0]:
                    runs[place, 0] = z
                    runs[place, 1] = y
                    runs[place, 2] = offset[2] + begin
                    runs[place, 3] = offset[2] + end
                    used[row] += 1
                begin = end


@compiled
def _next_part(space: NDArray[np.uint8], begin: int, end: int) -> tuple[int, int]:
    """Return the next part of a run that is counted; an empty one at its end."""
    while begin < end and space[begin] == 0:
        begin += 1
    after = begin
    while after < end and space[after] != 0:
        after += 1
    return begin, after


@compiled
def paint_body(runs: NDArray[np.int32], low: NDArray[np.int64], out: NDArray[Any]) -> None:
    """Set the pixels of one object in an array that begins at `low`, a volume of False."""
    for run in range(runs.shape[0]):
        z = runs[run, 0] - low[0]
        y = runs[run, 1] - low[1]
        for x in range(runs[run, 2] - low[2], runs[run, 3] - low[2]):
            out[z, y, x] = True


@compiled
def lines_of(
    runs: NDArray[np.int32], begin: int, end: int, low: NDArray[np.int64], lines: NDArray[np.int64]
) -> None:
    """Write where the runs of each line of an object's box begin; one more entry than lines."""
    height = low[4]
    here = 0
    for run in range(begin, end):
        line = (runs[run, 0] - low[0]) * height + runs[run, 1] - low[1]
        while here <= line:
            lines[here] = run
            here += 1
    while here < lines.size:
        lines[here] = end
        here += 1
