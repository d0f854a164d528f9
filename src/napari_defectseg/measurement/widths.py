"""The least width of an object in space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.measurement.extents import hull_points

Real = NDArray[np.float64]
FLAT = 1e-9
"""Singular values below this share of the largest are rounding errors of flat objects."""


def least_width(runs: NDArray[np.int32], steps: Real) -> float:
    """Return the least distance of two parallel planes that hold all pixel centres of an object.

    Such planes touch a face and a corner of the convex hull, or two edges
    (Houle & Toussaint 1988).

    Parameters
    ----------
    runs : ndarray of int32, shape (runs, 4)
    steps : ndarray of float, shape (3,)
    """
    from scipy.spatial import ConvexHull

    places = np.unique(hull_points(np.ascontiguousarray(runs)), axis=0) * steps
    if len(places) < 4:
        return 0.0
    spread = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
    if spread[2] <= FLAT * spread[0]:
        return 0.0
    hull = ConvexHull(places)
    corners = np.ascontiguousarray(places[hull.vertices])
    edges = np.sort(hull.simplices[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1)
    edges = np.unique(edges, axis=0)
    lines = np.ascontiguousarray(places[edges[:, 1]] - places[edges[:, 0]])
    faces = np.ascontiguousarray(hull.equations[:, :3])
    limit = float(_least_over(faces, corners, np.inf))
    return float(_least_over_pairs(lines, corners, limit))


@compiled
def _least_over(normals: Real, corners: Real, limit: float) -> float:
    """Return the least width across some directions, or `limit`."""
    for k in range(normals.shape[0]):
        limit = min(limit, _width(normals[k], corners, limit))
    return limit


@compiled
def _least_over_pairs(lines: Real, corners: Real, limit: float) -> float:
    """Return the least width across the normals of all pairs of edges, or `limit`."""
    normal = np.zeros(3)
    for i in range(lines.shape[0]):
        for j in range(i):
            a, b = lines[i], lines[j]
            normal[0] = a[1] * b[2] - a[2] * b[1]
            normal[1] = a[2] * b[0] - a[0] * b[2]
            normal[2] = a[0] * b[1] - a[1] * b[0]
            length = np.sqrt((normal * normal).sum())
            if length > 0:
                normal /= length
                limit = min(limit, _width(normal, corners, limit))
    return limit


@compiled
def _width(normal: Real, corners: Real, limit: float) -> float:
    low = np.inf
    high = -np.inf
    for k in range(corners.shape[0]):
        at = normal[0] * corners[k, 0] + normal[1] * corners[k, 1] + normal[2] * corners[k, 2]
        low = min(low, at)
        high = max(high, at)
        if high - low >= limit:
            break
    return high - low
