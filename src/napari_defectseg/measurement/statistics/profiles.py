"""Density of objects with depth, radius or along an axis, and the width of a denuded zone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.intervals import garwood

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Number per counted area (volume) in bins of a distance.

    Parameters
    ----------
    edges : ndarray of float, shape (k + 1,)
    counts : ndarray of int64, shape (k,)
    sizes : ndarray of float, shape (k,)
        Counted area (volume) in each bin.
    density, low, high : ndarray of float, shape (k,)
        nan where nothing is counted; the interval is for counting alone (Garwood).
    """

    edges: Real
    counts: NDArray[np.int64]
    sizes: Real
    density: Real
    low: Real
    high: Real


def profile(objects: ArrayLike, pixels: ArrayLike, pixel_size: float, edges: ArrayLike) -> Profile:
    """Return the density of objects in bins of a distance.

    Parameters
    ----------
    objects : array-like of float, shape (n,)
        Distance of each object, for example its depth below the surface.
    pixels : array-like of float
        Distance of every counted pixel: the denominator follows the shape of the specimen.
    pixel_size : float
        Area (volume) of a pixel.
    edges : array-like of float, shape (k + 1,)
        Rising.
    """
    borders = np.asarray(edges, np.float64)
    counts = np.histogram(np.asarray(objects, np.float64), borders)[0].astype(np.int64)
    sizes = np.histogram(np.ravel(pixels), borders)[0] * float(pixel_size)
    spans = np.array([garwood(int(count)) for count in counts])
    with np.errstate(divide="ignore", invalid="ignore"):
        density, low, high = counts / sizes, spans[:, 0] / sizes, spans[:, 1] / sizes
    empty = sizes == 0
    density[empty] = low[empty] = high[empty] = np.nan
    return Profile(borders, counts, sizes, density, low, high)


def denuded_zone(
    objects: ArrayLike, pixels: ArrayLike, pixel_size: float, bulk: float, unit: str = ""
) -> Estimate:
    """Return the width of the zone that would be empty if all beyond had the bulk's density.

    Of the counted space nearer than `bulk` as much is empty as objects are missing in it; the
    width is the distance within which that much lies. Holds for sharp and gradual profiles
    alike.

    Parameters
    ----------
    objects : array-like of float, shape (n,)
        Distance of each object to the surface or boundary.
    pixels : array-like of float
        Distance of every counted pixel.
    pixel_size : float
        Area (volume) of a pixel.
    bulk : float
        Distance from which the density is the bulk's.
    unit : str
        Of the distances.

    Raises
    ------
    MeasurementError
        If there is no object or no counted space beyond `bulk`.
    """
    depth = np.asarray(objects, np.float64)
    space = np.sort(np.ravel(np.asarray(pixels, np.float64)))
    near = int(np.searchsorted(space, bulk))
    far = space.size - near
    beyond = int(np.count_nonzero(depth >= bulk))
    if far == 0 or beyond == 0 or near == 0:
        raise MeasurementError(
            f"There is no bulk beyond {bulk:g} {unit}".rstrip() + ".",
            hint="Say a smaller distance from which the density is the bulk's.",
        )
    within = depth.size - beyond
    density = beyond / (far * pixel_size)

    def width(count: float, per: float) -> float:
        missing = near - count / (per * pixel_size)
        return float(space[int(np.clip(missing, 0, near - 1))]) if missing > 0 else 0.0

    (few, many), (thin, dense) = garwood(within), garwood(beyond)
    # The counts near and far are independent: their shares of the interval add in squares.
    value = width(within, density)
    by_near = (width(many, density), width(few, density))
    by_far = (width(within, thin / (far * pixel_size)), width(within, dense / (far * pixel_size)))
    low = value - float(np.hypot(value - by_near[0], value - by_far[0]))
    high = value + float(np.hypot(by_near[1] - value, by_far[1] - value))
    return Estimate(value, unit, max(low, 0.0), high, basis="counting alone, 95 %")
