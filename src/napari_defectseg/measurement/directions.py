"""Shares of all directions: how much of the circle or sphere lies nearest to each direction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]


def shares_of_circle(vectors: Real) -> Real:
    """Return the share of directions in a plane nearest to each line, shape (n,); their sum is 1.

    Parameters
    ----------
    vectors : ndarray, shape (n, 2)
        One direction of each line, of any length.
    """
    angles = np.arctan2(vectors[:, 0], vectors[:, 1]) % np.pi
    order = np.argsort(angles)
    gaps = np.diff(angles[order], append=angles[order[0]] + np.pi)
    shares = np.empty(len(angles))
    shares[order] = (gaps + np.roll(gaps, 1)) / (2 * np.pi)
    return shares


def shares_of_sphere(vectors: Real) -> Real:
    """Return the share of directions in space nearest to each line, shape (n,); their sum is 1.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        One direction of each line, of any length.
    """
    from scipy.spatial import SphericalVoronoi

    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cells = SphericalVoronoi(np.concatenate([units, -units]))
    cells.sort_vertices_of_regions()
    areas = cells.calculate_areas()
    shares: Real = (areas[: len(units)] + areas[len(units) :]) / areas.sum()
    return shares
