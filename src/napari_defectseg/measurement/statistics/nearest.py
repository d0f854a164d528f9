"""Distances to the nearest neighbour, corrected for the border."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError

Real = NDArray[np.float64]

POISSON_MEAN = {2: 0.5, 3: 0.55396}
"""Mean distance of points at random, times the density to the power -1/ndim."""


@dataclass(frozen=True)
class Nearest:
    """Nearest neighbours of points.

    Parameters
    ----------
    distance : ndarray of float, shape (n,)
        Of each point to its nearest.
    weight : ndarray of float, shape (n,)
        Hanisch's; 0 for points nearer to the border than to their neighbour.
    mean : float
        Without bias by the border; nan where no point has a weight.
    expected : float
        Of as many points at random.
    """

    distance: Real
    weight: Real
    mean: float
    expected: float

    @property
    def ratio(self) -> float:
        """Mean over expected: below 1 clustered, above 1 regular (Clark & Evans 1954)."""
        return self.mean / self.expected


def nearest(points: ArrayLike, border: ArrayLike, room: ArrayLike, size: float) -> Nearest:
    """Return nearest neighbour distances with Hanisch's (1984) border correction.

    Only points nearer to their neighbour than to the border count, each weighted by one over
    the area (volume) that lies farther from the border than its distance.

    Parameters
    ----------
    points : array-like of float, shape (n, ndim), n >= 2
    border : array-like of float, shape (n,)
        Distance of each point to the border of what is counted.
    room : array-like of float, shape (m,)
        Distance of every counted pixel (or of many random places) to the border.
    size : float
        Counted area (volume).

    Raises
    ------
    MeasurementError
        If there are fewer than two points.
    """
    from scipy.spatial import cKDTree

    place = np.asarray(points, np.float64)
    if len(place) < 2:
        raise MeasurementError("One object has no neighbour.")
    distance = np.asarray(cKDTree(place).query(place, k=2)[0], np.float64)[:, 1]
    inside = np.sort(np.ravel(np.asarray(room, np.float64)))
    left = (inside.size - np.searchsorted(inside, distance, side="right")) / inside.size * size
    held = (distance < np.asarray(border)) & (left > 0)
    weight = np.where(held, 1 / np.maximum(left, 1e-300), 0.0)
    total = float(weight.sum())
    mean = float(weight @ distance) / total if total else float("nan")
    ndim = place.shape[1]
    expected = POISSON_MEAN[ndim] * (len(place) / size) ** (-1 / ndim)
    return Nearest(distance, weight, mean, expected)
