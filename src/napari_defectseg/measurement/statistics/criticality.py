"""The most dangerous objects: √area with neighbours and surface (Murakami 2002)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError

Real = NDArray[np.float64]

SURFACE, INSIDE = 0.65, 0.5


@dataclass(frozen=True)
class Criticality:
    """Objects from the most to the least dangerous.

    Parameters
    ----------
    order : ndarray of int64, shape (n,)
        Rows of the objects.
    root_area : ndarray of float, shape (n,)
        Effective √area of each object (not in that order).
    at_surface : ndarray of bool, shape (n,)
    cluster : ndarray of int64, shape (n,)
        Objects that count as one have one number.
    factor : ndarray of float, shape (n,)
        ΔK over Δσ: 0.65 or 0.5 √(π √area).
    """

    order: NDArray[np.int64]
    root_area: Real
    at_surface: NDArray[np.bool_]
    cluster: NDArray[np.int64]
    factor: Real


def stress_intensity(root_area: float, stress: float, *, surface: bool) -> float:
    """Return ΔK in MPa√m of a defect: 0.65 (surface) or 0.5 Δσ √(π √area).

    Parameters
    ----------
    root_area : float
        √area in m.
    stress : float
        Δσ in MPa.
    surface : bool
        Whether it lies at a free surface.
    """
    return (SURFACE if surface else INSIDE) * stress * math.sqrt(math.pi * root_area)


def criticality(
    root_area: ArrayLike,
    positions: ArrayLike | None = None,
    surface_gap: ArrayLike | None = None,
) -> Criticality:
    """Rank objects by the stress intensity that their size and place give.

    Neighbours whose gap is smaller than the smaller one count as one, with the ligament between
    them; objects nearer to the surface than their size include the ligament to it. Ligaments
    are taken as wide as the smaller object.

    Parameters
    ----------
    root_area : array-like of float, shape (n,)
        √area of the outer contour projected along the largest stress.
    positions : array-like of float or None, shape (n, ndim)
        In the same unit; None: neighbours are not joined.
    surface_gap : array-like of float or None, shape (n,)
        Distance to the free surface; nan or None: none.

    Raises
    ------
    MeasurementError
        If the arrays differ in length.
    """
    size = np.asarray(root_area, np.float64)
    count = size.size
    gap = np.full(count, np.nan) if surface_gap is None else np.asarray(surface_gap, np.float64)
    place = None if positions is None else np.asarray(positions, np.float64)
    if gap.size != count or (place is not None and len(place) != count):
        raise MeasurementError("Sizes, positions and gaps of objects differ in number.")
    cluster, area = _joined(size, place)
    near = np.where(np.isnan(gap), np.inf, gap)
    nearest = np.full(int(cluster.max(initial=-1)) + 1, np.inf)
    np.minimum.at(nearest, cluster, near)
    least, root = nearest[cluster], np.sqrt(area)
    at_surface = least < root
    ligament = np.where(at_surface, np.where(np.isfinite(least), least, 0) * root, 0.0)
    effective = np.sqrt(area + ligament)
    factor = np.where(at_surface, SURFACE, INSIDE) * np.sqrt(np.pi * effective)
    order = np.argsort(-factor, kind="stable").astype(np.int64)
    return Criticality(order, effective, at_surface, cluster, factor)


def _joined(size: Real, place: Real | None) -> tuple[NDArray[np.int64], Real]:
    """Return the cluster of each object, and the area of its cluster with ligaments."""
    if place is None or size.size < 2:
        return np.arange(size.size), size**2
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    tree = cKDTree(place)
    # Gap smaller than the smaller one: middles nearer than twice the smaller and the halves.
    pairs = tree.query_pairs(2 * float(size.max()), output_type="ndarray")
    one, other = (pairs[:, 0], pairs[:, 1]) if len(pairs) else (np.zeros(0, int),) * 2
    between = np.linalg.norm(place[one] - place[other], axis=1) - (size[one] + size[other]) / 2
    small = np.minimum(size[one], size[other])
    close = between < small
    one, other = one[close], other[close]
    links = coo_array((np.ones(one.size), (one, other)), shape=(size.size, size.size))
    number, cluster = connected_components(links, directed=False)
    area = np.bincount(cluster, size**2, number).astype(np.float64)
    ligament = np.maximum(between[close], 0) * small[close]
    area = area + np.bincount(cluster[one], ligament, number)
    return cluster.astype(np.int64), area[cluster]
