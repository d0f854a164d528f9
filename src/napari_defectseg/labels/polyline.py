"""Pixels under a drawn line."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

Points = np.ndarray[Any, np.dtype[np.float64]]
Pixels = np.ndarray[Any, np.dtype[np.int64]]


def trace(corners: Points) -> Pixels:
    """Return the pixels of a polyline, so that nothing slips through diagonally.

    Two neighbours in the line share an edge, so it parts even what is connected over corners.

    Parameters
    ----------
    corners : ndarray of float, shape (n, 2)
        In pixel indices; a pixel's centre is a whole number.

    Returns
    -------
    ndarray of int, shape (m, 2)
    """
    found = [np.rint(corners[:1]).astype(np.int64)]
    found.extend(_segment(a, b) for a, b in pairwise(corners))
    return np.unique(np.concatenate(found), axis=0)


def _segment(start: Points, stop: Points) -> Pixels:
    """Return every pixel that a straight line passes through.

    The line enters a new pixel where it crosses a rim, at half-integers; between two crossings
    its middle lies in one pixel.
    """
    times = [np.array([0.0, 1.0])]
    for a, b in zip(start, stop, strict=True):
        if a != b:
            low, high = sorted((a, b))
            rims = np.arange(np.ceil(low - 0.5), np.floor(high - 0.5) + 1) + 0.5
            times.append((rims - a) / (b - a))
    passed = np.unique(np.clip(np.concatenate(times), 0.0, 1.0))
    middles = (passed[:-1] + passed[1:]) / 2
    places = np.rint(start + middles[:, None] * (stop - start)).astype(np.int64)
    return _without_corners(np.concatenate([np.rint([start]).astype(np.int64), places]))


def _without_corners(pixels: Pixels) -> Pixels:
    """Add a pixel wherever two neighbours in the line share only a corner."""
    steps = np.abs(np.diff(pixels, axis=0))
    diagonal = np.flatnonzero((steps == 1).all(axis=1))
    bridges = np.column_stack([pixels[diagonal, 0], pixels[diagonal + 1, 1]])
    return np.concatenate([pixels, bridges])
