"""What form: ratios of axes and what else the second moments and the box say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
GROUP = "shape"
NOISE = 1e-12
"""Variances below this share of the largest are rounding errors of flat objects."""


def variances(objects: Objects) -> Real:
    """Return the eigenvalues of the covariance of pixel centres, largest first, (n, ndim)."""
    values = np.linalg.eigvalsh(objects.covariance())[:, ::-1]
    found: Real = np.where(values > NOISE * values[:, :1], values, 0.0)
    return found


def middle(objects: Objects) -> Real:
    """Return the middle axis of the ellipsoid with the same second moments."""
    length: Real = 2 * np.sqrt(5 * variances(objects)[:, 1])
    return length


def inertia(objects: Objects) -> Real:
    """Return the eigenvalues of the inertia tensor as scikit-image, largest first, (n, ndim)."""
    values = variances(objects)
    if objects.ndim == 2:
        return values
    turned: Real = (values.sum(axis=1, keepdims=True) - values)[:, ::-1]
    return turned


def eccentricity(objects: Objects) -> Real:
    """Return √(1 - λ2/λ1), 0 of a point."""
    values = variances(objects)
    ratio = np.ones(len(objects))
    np.divide(values[:, 1], values[:, 0], out=ratio, where=values[:, 0] > 0)
    found: Real = np.sqrt(1 - ratio)
    return found


def box_size(objects: Objects) -> Real:
    """Return the area (volume) of the bounding box."""
    size: Real = (objects.high - objects.low + 1).prod(axis=1) * np.float64(objects.steps.prod())
    return size


def ratio_of(objects: Objects, above: str, below: str) -> Real:
    """Return one column over another; nan where that is 0."""
    ratio = np.full(len(objects), np.nan)
    lower = objects.columns[below]
    np.divide(objects.columns[above], lower, out=ratio, where=lower > 0)
    return ratio


MIDDLE = Measurement(
    "axis_middle_length",
    "length",
    "Middle axis of the ellipsoid with the same second moments: 2√(5λ).",
    middle,
    dims=(3,),
    group=GROUP,
)
ELONGATION = Measurement(
    "elongation",
    "none",
    "Major over middle axis, 1 of a disc-like and of a round object; undefined (nan) where the "
    "middle axis is 0.",
    lambda objects: ratio_of(objects, "axis_major_length", "axis_middle_length"),
    dims=(3,),
    needs=("axis_major_length", "axis_middle_length"),
    group=GROUP,
)
FLATNESS = Measurement(
    "flatness",
    "none",
    "Middle over minor axis, 1 of a rod-like and of a round object; undefined (nan) where the "
    "minor axis is 0.",
    lambda objects: ratio_of(objects, "axis_middle_length", "axis_minor_length"),
    dims=(3,),
    needs=("axis_middle_length", "axis_minor_length"),
    group=GROUP,
)
ECCENTRICITY = Measurement(
    "eccentricity",
    "none",
    "√(1 - λ2/λ1) of the variances of its pixels: 0 of a disc, towards 1 of a line.",
    eccentricity,
    dims=(2,),
    group=GROUP,
)
INERTIA = Measurement(
    "inertia_tensor_eigvals",
    "square",
    "Principal moments of inertia of its pixels over their number, largest first.",
    inertia,
    parts=lambda ndim: ndim,
    group=GROUP,
)
AREA_BBOX = Measurement(
    "area_bbox", "size", "Area (volume) of its bounding box.", box_size, group=GROUP
)
EXTENT = Measurement(
    "extent",
    "none",
    "Its share of its bounding box.",
    lambda objects: ratio_of(objects, "area", "area_bbox"),
    needs=("area", "area_bbox"),
    group=GROUP,
)
