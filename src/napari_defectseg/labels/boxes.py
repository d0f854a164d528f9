"""Arithmetic of boxes (tuples of slices with start and stop)."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.labels.edit import Box, Sides


def whole(shape: tuple[int, ...]) -> Box:
    """Return the box of a whole plane."""
    return tuple(slice(0, int(length)) for length in shape)


def slice_box(shape: tuple[int, ...], axis: int, index: int) -> Box:
    """Return the box of one slice: what a tool is limited to when it works *in the slice*."""
    box = list(whole(shape))
    box[axis] = slice(index, index + 1)
    return tuple(box)


def of_sides(sides: Sides) -> Box:
    """Return the box of starts and stops."""
    return tuple(slice(start, stop) for start, stop in sides)


def sides_of(box: Box) -> Sides:
    """Return start and stop of each axis."""
    return tuple((int(side.start), int(side.stop)) for side in box)


def shape_of(box: Box) -> tuple[int, ...]:
    """Return the lengths of a box."""
    return tuple(max(0, side.stop - side.start) for side in box)


def is_empty(box: Box) -> bool:
    """Whether a box holds no pixel."""
    return any(side.stop <= side.start for side in box)


def meet(first: Box, second: Box) -> Box:
    """Return the part that two boxes share; empty sides have stop ≤ start."""
    return tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )


def join(first: Box, second: Box) -> Box:
    """Return the smallest box around two boxes."""
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )


def grown(box: Box, margin: int, limit: Box) -> Box:
    """Return the box with a margin on all sides, inside `limit`."""
    return meet(tuple(slice(side.start - margin, side.stop + margin) for side in box), limit)


def inside(box: Box, outer: Box) -> Box:
    """Return `box` counted from the corner of `outer`."""
    return tuple(
        slice(side.start - base.start, side.stop - base.start)
        for side, base in zip(box, outer, strict=True)
    )


def shifted(box: Box, outer: Box) -> Box:
    """Return a box that is counted from the corner of `outer` in the plane's own indices."""
    return tuple(
        slice(side.start + base.start, side.stop + base.start)
        for side, base in zip(box, outer, strict=True)
    )


def holds(outer: Box, box: Box) -> bool:
    """Whether `box` lies within `outer`."""
    return all(o.start <= b.start and b.stop <= o.stop for o, b in zip(outer, box, strict=True))


def tight(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> Box | None:
    """Return the smallest box around the true pixels; None if there are none."""
    sides = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        found = np.flatnonzero(mask.any(axis=others))
        if found.size == 0:
            return None
        sides.append(slice(int(found[0]), int(found[-1]) + 1))
    return tuple(sides)


def slabs(box: Box, voxels: int = 1 << 24) -> list[Box]:
    """Return the box cut along its first axis into pieces of at most about `voxels` pixels."""
    if is_empty(box):
        return []
    lengths = shape_of(box)
    a_row = max(1, int(np.prod(lengths[1:], dtype=np.int64)))
    step = max(1, voxels // a_row)
    first = box[0]
    return [
        (slice(start, min(start + step, first.stop)), *box[1:])
        for start in range(first.start, first.stop, step)
    ]
