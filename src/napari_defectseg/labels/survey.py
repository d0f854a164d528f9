"""Passes over whole label planes, compiled: where objects lie, what differs, exchange of values.

All planes are given with four axes, the first ones of length 1 where there are fewer; see `four`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.labels.edit import Box

Corner = NDArray[np.int64]


def four(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view of an array with four axes."""
    return array.reshape((1,) * (4 - array.ndim) + array.shape)


def corner(box: Box) -> Corner:
    """Return where a box begins, with four axes."""
    return np.array([0] * (4 - len(box)) + [side.start for side in box], np.int64)


@compiled
def locate(
    plane: NDArray[np.int32],
    low: NDArray[np.int32],
    high: NDArray[np.int32],
    sizes: NDArray[np.int64],
) -> None:
    """Find the box and size of every object; `low` starts large, `high` and `sizes` at 0."""
    length = plane.shape[3]
    for t in range(plane.shape[0]):
        for z in range(plane.shape[1]):
            for y in range(plane.shape[2]):
                row = plane[t, z, y]
                x = 0
                while x < length:
                    number = row[x]
                    start = x
                    x += 1
                    while x < length and row[x] == number:
                        x += 1
                    if number == 0:
                        continue
                    sizes[number] += x - start
                    low[number, 0] = min(low[number, 0], t)
                    low[number, 1] = min(low[number, 1], z)
                    low[number, 2] = min(low[number, 2], y)
                    low[number, 3] = min(low[number, 3], start)
                    high[number, 0] = max(high[number, 0], t + 1)
                    high[number, 1] = max(high[number, 1], z + 1)
                    high[number, 2] = max(high[number, 2], y + 1)
                    high[number, 3] = max(high[number, 3], x)


@compiled
def largest(plane: NDArray[np.int32]) -> int:
    """Return the largest value."""
    found = 0
    for t in range(plane.shape[0]):
        for z in range(plane.shape[1]):
            for y in range(plane.shape[2]):
                for x in range(plane.shape[3]):
                    found = max(found, plane[t, z, y, x])
    return found


@compiled
def compare(old: NDArray[np.int32], new: NDArray[np.int32], low: Corner, high: Corner) -> int:
    """Count the pixels that differ, and find the box around them (`high` starts at 0)."""
    count = 0
    for t in range(old.shape[0]):
        for z in range(old.shape[1]):
            for y in range(old.shape[2]):
                before = count
                for x in range(old.shape[3]):
                    if old[t, z, y, x] != new[t, z, y, x]:
                        count += 1
                        low[3] = min(low[3], x)
                        high[3] = max(high[3], x + 1)
                if count > before:
                    low[0] = min(low[0], t)
                    low[1] = min(low[1], z)
                    low[2] = min(low[2], y)
                    high[0] = max(high[0], t + 1)
                    high[1] = max(high[1], z + 1)
                    high[2] = max(high[2], y + 1)
    return count


@compiled
def collect(
    old: NDArray[np.int32],
    new: NDArray[np.int32],
    start: Corner,
    mask: NDArray[np.bool_],
    before: NDArray[np.int32],
    after: NDArray[np.int32],
) -> None:
    """Fill the mask of the pixels that differ in a box, and their values on both sides."""
    count = 0
    for t in range(mask.shape[0]):
        for z in range(mask.shape[1]):
            for y in range(mask.shape[2]):
                one = old[start[0] + t, start[1] + z, start[2] + y]
                other = new[start[0] + t, start[1] + z, start[2] + y]
                for x in range(mask.shape[3]):
                    a = one[start[3] + x]
                    b = other[start[3] + x]
                    mask[t, z, y, x] = a != b
                    if a != b:
                        before[count] = a
                        after[count] = b
                        count += 1


@compiled
def holds(
    plane: NDArray[np.int32], start: Corner, mask: NDArray[np.bool_], values: NDArray[np.int32]
) -> bool:
    """Return whether the true pixels of a box have these values."""
    count = 0
    for t in range(mask.shape[0]):
        for z in range(mask.shape[1]):
            for y in range(mask.shape[2]):
                row = plane[start[0] + t, start[1] + z, start[2] + y]
                for x in range(mask.shape[3]):
                    if mask[t, z, y, x]:
                        if row[start[3] + x] != values[count]:
                            return False
                        count += 1
    return True


@compiled
def write(
    plane: NDArray[np.int32], start: Corner, mask: NDArray[np.bool_], values: NDArray[np.int32]
) -> None:
    """Give the true pixels of a box these values."""
    count = 0
    for t in range(mask.shape[0]):
        for z in range(mask.shape[1]):
            for y in range(mask.shape[2]):
                row = plane[start[0] + t, start[1] + z, start[2] + y]
                for x in range(mask.shape[3]):
                    if mask[t, z, y, x]:
                        row[start[3] + x] = values[count]
                        count += 1


@compiled
def account(
    start: Corner,
    mask: NDArray[np.bool_],
    before: NDArray[np.int32],
    after: NDArray[np.int32],
    low: NDArray[np.int32],
    high: NDArray[np.int32],
    sizes: NDArray[np.int64],
) -> None:
    """Bring boxes and sizes up to date after a change.

    A box grows with its object; it shrinks only when the object is gone.
    """
    count = 0
    for t in range(mask.shape[0]):
        for z in range(mask.shape[1]):
            for y in range(mask.shape[2]):
                for x in range(mask.shape[3]):
                    if not mask[t, z, y, x]:
                        continue
                    sizes[before[count]] -= 1
                    number = after[count]
                    count += 1
                    if number == 0:
                        continue
                    sizes[number] += 1
                    for axis, place in enumerate((t, z, y, x)):
                        where = start[axis] + place
                        if where < low[number, axis]:
                            low[number, axis] = where
                        if where >= high[number, axis]:
                            high[number, axis] = where + 1
    sizes[0] = 0
    for i in range(count):
        number = before[i]
        if number != 0 and sizes[number] == 0:
            for axis in range(4):
                low[number, axis] = 2147483647
                high[number, axis] = 0
