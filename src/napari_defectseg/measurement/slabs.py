"""Slabs: the pieces in which labels, grey values and scores are read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SLAB = 1 << 20
"""Pixels of a slab: its grey values as float64 stay in the processor's cache."""
Box = tuple[slice, ...]
Key = tuple[int | slice, ...]


def cut_into_slabs(box: Box) -> Iterator[Box]:
    """Yield the box cut along its first axis into pieces of about `SLAB` pixels."""
    first, *rest = box
    row = int(np.prod([max(side.stop - side.start, 1) for side in rest]))
    thick = max(1, SLAB // row)
    for start in range(first.start, first.stop, thick):
        yield (slice(start, min(start + thick, first.stop)), *rest)
