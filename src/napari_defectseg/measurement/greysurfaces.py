"""The surface that grey values show between pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]
MARGIN = 3
CLEAR = 2.0
"""The step at the edge must exceed this many standard deviations of the grey values around."""


def grey_surface(mask: Mask, grey: Real, free: Mask, steps: Real) -> float:
    """Return perimeter (2D) or surface area (3D) at the grey value of the object's edge.

    The level is the mean grey value of all pairs of neighbours, one inside and one outside.
    Marching squares (cubes) draw the surface between pixels; more than two pixels from the
    mask's edge the grey values are not looked at.

    Parameters
    ----------
    mask : ndarray of bool
        The object with a margin.
    grey : ndarray of float
        Grey values of the same box.
    free : ndarray of bool
        Pixels that belong to no other object, and to the image.
    steps : ndarray of float

    Returns
    -------
    float
        nan where the edge has no clear step, or a grey value is not a number.
    """
    from scipy.ndimage import binary_dilation, binary_erosion

    inside, outside = _edge_values(mask, grey, free)
    if not inside.size or not np.isfinite(grey[free]).all():
        return float("nan")
    light, dark = float(inside.mean()), float(outside.mean())
    ring = binary_dilation(mask, iterations=MARGIN) & ~binary_dilation(mask) & free
    noise = float(grey[ring].std()) if np.count_nonzero(ring) > 1 else 0.0
    if abs(light - dark) <= CLEAR * noise or light == dark:
        return float("nan")
    level, step = (light + dark) / 2, light - dark
    field = np.where(free, grey, dark)
    field = (field - level) / step
    # Sure values far from the edge: noise there makes no surface of its own.
    field[binary_erosion(mask, iterations=2)] = 1.0
    field[~binary_dilation(mask, iterations=2)] = -1.0
    return _length(field, steps) if mask.ndim == 2 else _area(field, steps)


def _edge_values(mask: Mask, grey: Real, free: Mask) -> tuple[Real, Real]:
    """Return grey values of all face neighbours across the edge, inside and outside."""
    inside, outside = [], []
    for axis in range(mask.ndim):
        here, there = (np.moveaxis(a, axis, 0) for a in (mask, mask))
        value, open_ = np.moveaxis(grey, axis, 0), np.moveaxis(free, axis, 0)
        out = here[:-1] & ~there[1:] & open_[1:]
        into = ~here[:-1] & there[1:] & open_[:-1]
        inside += [value[:-1][out], value[1:][into]]
        outside += [value[1:][out], value[:-1][into]]
    return np.concatenate(inside), np.concatenate(outside)


def _length(field: Real, steps: Real) -> float:
    from skimage.measure import find_contours

    lines = find_contours(field, 0.0)
    parts = [np.linalg.norm(np.diff(line * steps, axis=0), axis=1).sum() for line in lines]
    return float(sum(parts))


def _area(field: Real, steps: Real) -> float:
    from skimage.measure import marching_cubes, mesh_surface_area

    places, faces, _, _ = marching_cubes(field, level=0.0)
    return float(mesh_surface_area(places * steps, faces))
