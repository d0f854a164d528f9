"""Loops: the ellipse of the filled outer line, whatever is inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.columns.shape import NOISE
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
GROUP = "outline"


def lengths(objects: Objects, which: int) -> Real:
    """Return an axis of the ellipse: 0 the major, 1 the minor one."""
    yy, xx, yx = _covariance(objects)
    mean, half = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    variance = mean - half if which else mean + half
    variance = np.where(variance > NOISE * (mean + half), variance, 0.0)
    length: Real = 4 * np.sqrt(variance)
    return length


def orientation(objects: Objects) -> Real:
    """Return the angle of the major axis as scikit-image's `orientation`."""
    yy, xx, yx = _covariance(objects)
    angle: Real = 0.5 * np.arctan2(2 * yx, yy - xx)
    equal = yy == xx
    angle[equal] = np.where(yx[equal] > 0, np.pi / 4, -np.pi / 4)
    return angle


def _covariance(objects: Objects) -> tuple[Real, Real, Real]:
    sums, (y, x) = objects.filled, objects.steps
    return sums[:, 1] * y * y, sums[:, 2] * x * x, sums[:, 3] * y * x


MAJOR = Measurement(
    "ellipse_major_length",
    "length",
    "Major axis of the ellipse with the same second moments as what its outer line holds, holes "
    "filled: the size of a loop, tilted or not.",
    lambda objects: lengths(objects, 0),
    dims=(2,),
    group=GROUP,
)
MINOR = Measurement(
    "ellipse_minor_length",
    "length",
    "Minor axis of the ellipse with the same second moments as what its outer line holds, holes "
    "filled.",
    lambda objects: lengths(objects, 1),
    dims=(2,),
    group=GROUP,
)
ORIENTATION = Measurement(
    "ellipse_orientation",
    "angle",
    "Angle between the rows' axis (downwards) and the major axis of the filled outer line, "
    "counter-clockwise, -π/2 to π/2.",
    orientation,
    dims=(2,),
    group=GROUP,
)
AREA = Measurement(
    "area_outline",
    "size",
    "Area within its outer line, holes filled; pixels that share a corner close the line.",
    lambda objects: objects.filled[:, 0] * np.float64(objects.steps.prod()),
    dims=(2,),
    group=GROUP,
)
