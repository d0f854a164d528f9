"""`PairBins`: a million objects as a picture, one column against another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled

Real = NDArray[np.float64]
Span = tuple[float, float]


@dataclass(frozen=True)
class PairBins:
    """How many objects of each class lie where.

    Parameters
    ----------
    counts : ndarray of int32, shape (classes, rows, columns)
        Row 0 holds the least values of the second column.
    x, y : (float, float)
        Ends of the two axes.
    """

    counts: NDArray[np.int32]
    x: Span
    y: Span


def bin_pairs(
    x: NDArray[Any],
    y: NDArray[Any],
    kinds: NDArray[Any],
    classes: int,
    spans: tuple[Span, Span],
    shape: tuple[int, int],
) -> PairBins:
    """Count objects in a grid, in one pass; what lies outside or is not finite is left out.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
    kinds : ndarray of int, shape (n,)
        Class of each, from 0; negative: left out.
    classes : int
    spans : ((float, float), (float, float))
        Ends along x and y, the upper ones included.
    shape : (int, int)
        Rows and columns.
    """
    counts = np.zeros((classes, *shape), np.int32)
    ends = np.array([*spans[0], *spans[1]], np.float64)
    plain = [np.ascontiguousarray(values, np.float64) for values in (x, y)]
    _count(plain[0], plain[1], np.ascontiguousarray(kinds, np.int64), ends, counts)
    return PairBins(counts, *spans)


@compiled
def _count(
    x: Real, y: Real, kinds: NDArray[np.int64], ends: Real, counts: NDArray[np.int32]
) -> None:
    rows, columns = counts.shape[1], counts.shape[2]
    across = columns / (ends[1] - ends[0])
    up = rows / (ends[3] - ends[2])
    for index in range(x.size):
        if kinds[index] < 0 or kinds[index] >= counts.shape[0]:
            continue
        a, b = x[index], y[index]
        # Comparisons with nan are false: what is not a number is left out here, too.
        if ends[0] <= a <= ends[1] and ends[2] <= b <= ends[3]:
            column = min(int((a - ends[0]) * across), columns - 1)
            row = min(int((b - ends[2]) * up), rows - 1)
            counts[kinds[index], row, column] += 1
