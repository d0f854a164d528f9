"""Which way in space: the major axis, and angles to the axis of build or load."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
GROUP = "shape"
LEAST_ASPECT = 1.1
"""Axes less different than this have no direction: its error would be above 7 degrees."""


def given_axis(objects: Objects) -> Real:
    """Return the unit vector of the given axis, slowest axis first.

    Raises
    ------
    MeasurementError
        If it has not one number a spatial axis.
    """
    axis = np.array(objects.settings.axis)
    if axis.size == 3 and objects.ndim == 2 and axis[0] == 0:
        axis = axis[1:]
    if axis.size != objects.ndim:
        raise MeasurementError(
            f"The axis has {axis.size} numbers; the labels have {objects.ndim} spatial axes.",
            hint="Give one each, slowest first: (y, x) or (z, y, x).",
        )
    unit: Real = axis / np.linalg.norm(axis)
    return unit


def principal(objects: Objects, which: int) -> Real:
    """Return unit vectors of a principal axis, nan where another is about as long; (n, ndim).

    Parameters
    ----------
    objects : Objects
    which : int
        -1: the longest; 0: the shortest.
    """
    values, vectors = np.linalg.eigh(objects.covariance())
    if not len(objects):
        return np.zeros((0, objects.ndim))
    found = vectors[:, :, which]
    longer, shorter = (values[:, -1], values[:, -2]) if which else (values[:, 1], values[:, 0])
    clear = (longer > 0) & (longer >= LEAST_ASPECT**2 * np.maximum(shorter, 0))
    # The sign that makes the largest part positive: a direction and its opposite are one.
    largest = np.abs(found).argmax(axis=1)
    sign = np.sign(np.take_along_axis(found, largest[:, None], axis=1))
    return np.where(clear[:, None], found * sign, np.nan)


def angle(objects: Objects, which: int) -> Real:
    """Return the angle of a principal axis to the given one, 0 to 90 degrees."""
    cosine = np.abs(principal(objects, which) @ given_axis(objects))
    value: Real = np.rad2deg(np.arccos(np.minimum(cosine, 1.0)))
    return value


DIRECTION = Measurement(
    "direction",
    "none",
    "Unit vector of the major axis, slowest axis first; undefined (nan) where the next axis is "
    "less than 10 % shorter.",
    lambda objects: principal(objects, -1),
    dims=(3,),
    parts=lambda ndim: ndim,
    group=GROUP,
)
ANGLE_TO_AXIS = Measurement(
    "angle_to_axis",
    "degree",
    "Angle between its major axis and the given axis, 0 to 90°; random directions in space have "
    "a mean of 57.3°. Undefined (nan) where the next axis is less than 10 % shorter.",
    lambda objects: angle(objects, -1),
    inputs=("axis",),
    group=GROUP,
)
NORMAL_TO_AXIS = Measurement(
    "normal_to_axis",
    "degree",
    "Angle between its minor axis, the normal of a flat object, and the given axis, 0 to 90°. "
    "Undefined (nan) where the middle axis is less than 10 % longer.",
    lambda objects: angle(objects, 0),
    dims=(3,),
    inputs=("axis",),
    group=GROUP,
)
