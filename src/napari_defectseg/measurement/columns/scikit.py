"""What scikit-image measures on its own ways, object after object, under its names.

Where its estimate is poor a better one stands in another group: `perimeter_crofton` for
`perimeter`, `feret_max` for `feret_diameter_max`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
GROUP = "scikit"


def each(objects: Objects, measure: Callable[[NDArray[np.bool_]], float]) -> Real:
    """Return what `measure` says of the mask of every object in its box."""
    return np.array([measure(mask) for mask in objects.bodies.masks()], np.float64)


def perimeter(objects: Objects) -> Real:
    """Return the length of the line through border pixels; nan on pixels that are not square."""
    from skimage.measure import perimeter as of_mask

    if len(set(objects.steps.tolist())) > 1:
        return np.full(len(objects), np.nan)
    length: Real = each(objects, lambda mask: of_mask(mask, 4)) * objects.steps[0]
    return length


def area_filled(objects: Objects) -> Real:
    """Return the size with holes filled."""
    from scipy.ndimage import binary_fill_holes

    full = np.ones((3,) * objects.ndim, bool)
    pixels = each(objects, lambda mask: float(binary_fill_holes(mask, full).sum()))
    return pixels * np.float64(objects.steps.prod())


def area_convex(objects: Objects) -> Real:
    """Return the size of the convex hull; nan where it has no volume."""
    pixels = each(objects, lambda mask: float(_hull(mask).sum()))
    size: Real = pixels * np.float64(objects.steps.prod())
    return np.where(size > 0, size, np.nan)


def feret(objects: Objects) -> Real:
    """Return the longest distance on the border of the convex hull; nan where there is none."""
    return each(objects, lambda mask: _longest(_hull(mask), objects.steps))


def _hull(mask: NDArray[np.bool_]) -> NDArray[Any]:
    import warnings

    from skimage.morphology import convex_hull_image

    with warnings.catch_warnings():
        # A hull without volume is said by nan, not by a warning an object.
        warnings.simplefilter("ignore", UserWarning)
        hull: NDArray[Any] = convex_hull_image(mask)
    return hull


def _longest(hull: NDArray[Any], steps: Real) -> float:
    from scipy.spatial.distance import pdist
    from skimage.measure import find_contours, marching_cubes

    if not hull.any():
        return float("nan")
    padded = np.pad(hull, 2)
    if hull.ndim == 2:
        places = np.vstack(find_contours(padded, 0.5, fully_connected="high"))
    else:
        places = marching_cubes(padded, level=0.5)[0]
    return float(np.sqrt(pdist(places * steps, "sqeuclidean").max()))


PERIMETER = Measurement(
    "perimeter",
    "length",
    "scikit-image's perimeter: a line through the centres of border pixels. Up to 10 % wrong; "
    "perimeter_crofton is better. Undefined (nan) on pixels that are not square.",
    perimeter,
    dims=(2,),
    group=GROUP,
)
AREA_FILLED = Measurement(
    "area_filled", "size", "Area (volume) with its holes filled.", area_filled, group=GROUP
)
AREA_CONVEX = Measurement(
    "area_convex",
    "size",
    "Area (volume) of its convex hull in pixels; undefined (nan) where that has none.",
    area_convex,
    group=GROUP,
)
SOLIDITY = Measurement(
    "solidity",
    "none",
    "Its share of its convex hull.",
    lambda objects: objects.columns["area"] / objects.columns["area_convex"],
    needs=("area", "area_convex"),
    group=GROUP,
)
FERET = Measurement(
    "feret_diameter_max",
    "length",
    "scikit-image's Feret diameter, between outer faces of pixels: 8 to 12 % too long at a "
    "radius of 5 pixels; feret_max is better. Undefined (nan) where there is no hull.",
    feret,
    group=GROUP,
)
