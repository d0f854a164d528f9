"""Boxes of pixels: those that an array is gone through in, what two share, what is left."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TypeAlias

Box: TypeAlias = tuple[slice, ...]


def cut(shape: Sequence[int], sides: Sequence[int]) -> Iterator[Box]:
    """Yield boxes that fill an array, in C order; those at the far ends are smaller.

    Parameters
    ----------
    shape : sequence of int
    sides : sequence of int
        Lengths of a box.
    """
    along = [
        [slice(at, min(at + side, length)) for at in range(0, length, side)]
        for length, side in zip(shape, sides, strict=True)
    ]
    yield from product(*along)


def sides_within(shape: Sequence[int], chunks: Sequence[int], most: int) -> tuple[int, ...]:
    """Return the sides of boxes of whole chunks that hold about `most` values at most.

    They are as long as they can be along the last axes, and one chunk at least.

    Parameters
    ----------
    shape, chunks : sequence of int
        Of the array.
    most : int
    """
    sides = [int(side) for side in chunks]
    size = math.prod(sides)
    for axis in reversed(range(len(sides))):
        times = max(1, min(most // size, -(-int(shape[axis]) // sides[axis])))
        sides[axis], size = sides[axis] * times, size * times
    return tuple(sides)


def common(first: Box, second: Box) -> Box | None:
    """Return what lies in both, None if nothing does."""
    found = tuple(
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )
    return found if all(part.start < part.stop for part in found) else None


def remainder(box: Box, covered: Sequence[Box]) -> list[Box]:
    """Return disjoint boxes that make up what of a box is not covered.

    Parameters
    ----------
    box : tuple of slice
    covered : sequence of tuple of slice
        They may overlap, and reach beyond the box.
    """
    left = [box]
    for one in covered:
        left = [part for whole in left for part in _without(whole, one)]
    return left


def _without(box: Box, hole: Box) -> list[Box]:
    both = common(box, hole)
    if both is None:
        return [box]
    found, rest = [], list(box)
    for axis, (whole, part) in enumerate(zip(box, both, strict=True)):
        for start, stop in ((whole.start, part.start), (part.stop, whole.stop)):
            if start < stop:
                found.append((*rest[:axis], slice(start, stop), *rest[axis + 1 :]))
        rest[axis] = part
    return found
