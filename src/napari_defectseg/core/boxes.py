"""Boxes that an array is gone through in."""

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
