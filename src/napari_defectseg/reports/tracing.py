"""Outer lines of objects along the edges of their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Step = tuple[int, int]
# Around an object clockwise as it is seen (y down): along the top edge to the right, and so on.
_RIGHT, _DOWN, _LEFT, _UP = (0, 1), (1, 0), (0, -1), (-1, 0)


def outer_lines(mask: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Return the closed outer line of each part of a mask, holes left out.

    Pixels that touch at a corner are of one part. A line goes from corner to corner of pixels,
    so that its polygon covers exactly the pixels within it.

    Parameters
    ----------
    mask : ndarray of bool, shape (y, x)

    Returns
    -------
    list of ndarray of int64, shape (n, 2)
        Corners (y, x), in pixels from the upper left corner of the first pixel; a corner only
        where the line turns.
    """
    edges = _edges(np.pad(np.asarray(mask, bool), 1))
    used: set[tuple[Step, Step]] = set()
    lines = []
    for start in sorted(edges):
        for direction in edges[start]:
            if (start, direction) not in used:
                line = _followed(edges, used, start, direction)
                if _area(line) > 0:  # lines around holes go the other way
                    lines.append(line)
    return lines


def _edges(padded: NDArray[np.bool_]) -> dict[Step, list[Step]]:
    """Return the directions in which lines leave each corner."""
    inside = padded[1:-1, 1:-1]
    found: dict[Step, list[Step]] = {}
    for beside, first, direction in (
        (padded[:-2, 1:-1], (0, 0), _RIGHT),
        (padded[1:-1, 2:], (0, 1), _DOWN),
        (padded[2:, 1:-1], (1, 1), _LEFT),
        (padded[1:-1, :-2], (1, 0), _UP),
    ):
        for y, x in np.argwhere(inside & ~beside).tolist():
            found.setdefault((y + first[0], x + first[1]), []).append(direction)
    return found


def _followed(
    edges: dict[Step, list[Step]], used: set[tuple[Step, Step]], start: Step, first: Step
) -> NDArray[np.int64]:
    """Follow a line until it comes to where it began; each edge leads on to just one."""
    corners: list[Step] = []
    at, direction, before = start, first, None
    while (at, direction) not in used:
        used.add((at, direction))
        if direction != before:
            corners.append(at)
        before = direction
        at = (at[0] + direction[0], at[1] + direction[1])
        direction = _onward(edges[at], before)
    return np.array(corners, np.int64)


def _onward(choices: list[Step], before: Step) -> Step:
    """Turn left where two pixels touch at a corner, so that they stay one part."""
    left = (-before[1], before[0])
    return left if len(choices) > 1 else choices[0]


def _area(line: NDArray[np.int64]) -> float:
    y, x = line[:, 0], line[:, 1]
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2
