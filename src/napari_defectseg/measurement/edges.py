"""Edges of histogram bins: as the values are spread, and short numbers to read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

MOST_BINS = 60
RENARD = (80, 40, 20, 10, 5, 3, 2, 1)
"""Bins a decade of a logarithmic axis; 5, 10, 20 and 40 are the preferred numbers of ISO 3."""
STEPS = (1.0, 2.0, 5.0, 10.0)
"""Widths of linear bins are these times a power of ten."""


def _wanted(values: Real, bins: int | None) -> float:
    """Return a width for values on the axis as drawn, so that there are not too many bins."""
    span = float(np.ptp(values))
    if bins is not None:
        return span / min(max(bins, 1), MOST_BINS)
    quartiles = float(np.subtract(*np.percentile(values, [75, 25])))
    width = 2 * quartiles / values.size ** (1 / 3) if quartiles > 0 else span / 10
    return min(max(width, span / MOST_BINS), span / 3)


def linear_edges(values: Real, bins: int | None, whole: bool) -> Real:
    """Return edges one width apart that hold finite values; see `binning.histogram`.

    Where the values are `whole` numbers, so is the width.
    """
    low, high = float(values.min()), float(values.max())
    largest = max(abs(low), abs(high))
    # Where the span is lost in the digits of the values, one bin of a tenth holds them.
    width = _wanted(values, bins) if high - low > 1e-9 * largest else largest / 10 or 1.0
    power = int(np.floor(np.log10(width)))
    step = next(step for step in STEPS if step * 10.0**power >= width * (1 - 1e-9))
    width = step * 10.0**power
    if whole and width < 1:
        width, power = 1.0, 0
    first, last = int(np.floor(low / width)), int(np.floor(high / width)) + 1
    # Multiples are rounded to the digits that they have: 0.3, not 0.30000000000000004.
    edges = np.array([round(k * width, -power) for k in range(first, last + 1)], np.float64)
    return _holding(edges, low, high, width)


def log_edges(values: Real, bins: int | None) -> Real:
    """Return edges one factor apart that hold positive values; see `binning.histogram`."""
    decades = np.log10(values)
    low, high = float(decades.min()), float(decades.max())
    width = _wanted(decades, bins) if high - low > 1e-9 else 0.1
    count = next((n for n in RENARD if 1 / n >= width * (1 - 1e-9)), RENARD[-1])
    first, last = int(np.floor(low * count)), int(np.floor(high * count)) + 1
    edges = 10.0 ** (np.arange(first, last + 1) / count)
    return _holding(edges, float(values.min()), float(values.max()), 0.0)


def _holding(edges: Real, low: float, high: float, width: float) -> Real:
    """Return edges that hold the values in spite of rounding."""
    if edges[0] > low:
        edges = np.insert(edges, 0, edges[0] - width if width else edges[0] ** 2 / edges[1])
    if edges[-1] < high:
        edges = np.append(edges, edges[-1] + width if width else edges[-1] ** 2 / edges[-2])
    return edges
