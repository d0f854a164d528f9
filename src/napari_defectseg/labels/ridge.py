"""Ridges: how much a pixel looks like the middle of a line, and the way along them."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from scipy import ndimage

from napari_defectseg.labels.edit import Mask
from napari_defectseg.labels.polyline import Pixels

SCALES = (1.0, 1.7, 2.8)
"""Standard deviations in pixels: half the widths of the lines that are looked for."""
FLAT = 0.03
"""Cost of a pixel on a strong ridge, as a share of that where there is none."""
NEAR = 2
"""A click means the line within so many pixels."""
Values = np.ndarray[Any, np.dtype[np.float32]]


def ridges(values: Values, *, bright: bool) -> Values:
    """Return the strength of bright (or dark) lines, 0 where there is none.

    The eigenvalue of largest size of the scale-normalised Hessian, if it bends the right way; the
    strongest over three widths (Lindeberg 1998).

    Parameters
    ----------
    values : ndarray of float32, 2D or 3D
    bright : bool
    """
    strongest = np.zeros(values.shape, np.float32)
    for sigma in SCALES:
        bend = _strongest_bend(values, sigma) * sigma**2
        np.maximum(strongest, -bend if bright else bend, out=strongest)
    return strongest


def _strongest_bend(values: Values, sigma: float) -> Values:
    """Return the eigenvalue of largest size of the Hessian at each pixel."""
    second = {}
    for one, two in combinations_with_replacement(range(values.ndim), 2):
        order = [0] * values.ndim
        order[one] += 1
        order[two] += 1
        second[one, two] = ndimage.gaussian_filter(values, sigma, order, mode="nearest")
    if values.ndim == 2:
        middle = (second[0, 0] + second[1, 1]) / 2
        half = np.hypot((second[0, 0] - second[1, 1]) / 2, second[0, 1])
        bend: Values = np.where(middle < 0, middle - half, middle + half)
        return bend
    matrix = np.empty((*values.shape, values.ndim, values.ndim), np.float32)
    for (one, two), part in second.items():
        matrix[..., one, two] = matrix[..., two, one] = part
    found = np.linalg.eigvalsh(matrix)
    largest = np.abs(found).argmax(axis=-1)
    along = np.take_along_axis(found, largest[..., None], axis=-1)[..., 0]
    return np.asarray(along, np.float32)


def path_along(
    values: Values,
    start: tuple[int, ...],
    stop: tuple[int, ...],
    *,
    steps: tuple[float, ...] | None = None,
    closed: Mask | None = None,
) -> Pixels | None:
    """Return the pixels of the cheapest way between two places along lines of the image.

    Whether the line is bright or dark is what it is more of at the two places.

    Parameters
    ----------
    values : ndarray of float32, 2D or 3D
    start, stop : tuple of int
    steps : tuple of float or None
        Length of a pixel along each axis.
    closed : ndarray of bool or None
        Where it may not go.

    Returns
    -------
    ndarray of int, shape (n, ndim), or None
        From start to stop; None if there is no way.
    """
    from skimage.graph import MCP_Geometric

    strength = max(
        (ridges(values, bright=bright) for bright in (True, False)),
        key=lambda found: _at(found, start) + _at(found, stop),
    )
    strong = float(np.percentile(strength, 99)) or 1.0
    cost = 1 / (FLAT + np.minimum(strength / strong, 1.0)) * FLAT
    if closed is not None:
        cost[closed] = -1
    cost[start] = max(cost[start], FLAT)
    cost[stop] = max(cost[stop], FLAT)
    way = MCP_Geometric(cost, sampling=steps)
    totals, _ = way.find_costs([start], [stop])
    if not np.isfinite(totals[stop]):
        return None
    return np.asarray(way.traceback(stop), np.int64)


def _at(strength: Values, place: tuple[int, ...]) -> float:
    around = tuple(slice(max(0, i - NEAR), i + NEAR + 1) for i in place)
    return float(strength[around].max())
