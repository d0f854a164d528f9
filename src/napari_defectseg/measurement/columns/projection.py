"""What load sees: the area projected along an axis, and Murakami's √area."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.direction import given_axis
from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects
from napari_defectseg.measurement.projecting import hull_size, shadow

Real = NDArray[np.float64]
GROUP = "projection"


def along(objects: Objects, direction: Real) -> Real:
    """Return the area of each shadow and of its convex hull, shape (n, 2)."""
    out = np.zeros((len(objects), 2))
    for row, mask in zip(out, objects.bodies.masks(), strict=True):
        shade, pixel = shadow(mask, objects.steps, direction)
        row[:] = np.count_nonzero(shade) * pixel, hull_size(shade) * pixel
    return out


def along_axes(objects: Objects, which: int) -> Real:
    """Return areas (0) or roots of hull areas (1) along every axis, shape (n, ndim)."""
    found = [along(objects, unit)[:, which] for unit in np.eye(objects.ndim)]
    areas = np.stack(found, axis=1)
    return np.sqrt(areas) if which else areas


PROJECTED_AREA = Measurement(
    "projected_area",
    "square",
    "Area of its shadow along each axis of the volume, slowest axis first.",
    lambda objects: along_axes(objects, 0),
    dims=(3,),
    parts=lambda ndim: ndim,
    group=GROUP,
)
ROOT_AREA = Measurement(
    "root_area",
    "length",
    "√area along each axis of the volume, slowest first: root of the area that the smooth outline "
    "of its shadow (its convex hull) holds (Murakami 2002).",
    lambda objects: along_axes(objects, 1),
    dims=(3,),
    parts=lambda ndim: ndim,
    group=GROUP,
)
PROJECTED_ALONG = Measurement(
    "projected_area_along",
    "square",
    "Area of its shadow along the given axis.",
    lambda objects: along(objects, given_axis(objects))[:, 0],
    dims=(3,),
    inputs=("axis",),
    group=GROUP,
)
ROOT_ALONG = Measurement(
    "root_area_along",
    "length",
    "√area along the given axis: root of the area that the smooth outline of its shadow (its "
    "convex hull) holds (Murakami 2002).",
    lambda objects: np.sqrt(along(objects, given_axis(objects))[:, 1]),
    dims=(3,),
    inputs=("axis",),
    group=GROUP,
)
