"""How long and which way: axes of the ellipse (ellipsoid) with the same second moments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
NOISE = 1e-12
"""Variances below this share of the largest are rounding errors of flat objects."""


def axis_lengths(objects: Objects) -> Real:
    """Return the full axes, longest first: 4√λ in a plane, 2√(5λ) in space; shape (n, ndim).

    λ are the eigenvalues of the covariance of pixel centres.
    """
    values = np.linalg.eigvalsh(objects.covariance())[:, ::-1]
    values = np.where(values > NOISE * values[:, :1], values, 0.0)
    lengths: Real = 4 * np.sqrt(values) if objects.ndim == 2 else 2 * np.sqrt(5 * values)
    return lengths


def aspect(objects: Objects) -> Real:
    """Return major over minor axis; nan where the minor axis is 0."""
    major, minor = objects.columns["axis_major_length"], objects.columns["axis_minor_length"]
    ratio = np.full(len(objects), np.nan)
    np.divide(major, minor, out=ratio, where=minor > 0)
    return ratio


def orientation(objects: Objects) -> Real:
    """Return the angle of the major axis as scikit-image does.

    Between the first axis (rows) and the major axis, counter-clockwise, from -π/2 to π/2.
    Where both axes are equally long it is ±π/4 and means nothing.
    """
    covariance = objects.covariance()
    rows, columns, mixed = covariance[:, 0, 0], covariance[:, 1, 1], covariance[:, 0, 1]
    angle: Real = 0.5 * np.arctan2(2 * mixed, rows - columns)
    equal = rows == columns
    angle[equal] = np.where(mixed[equal] > 0, np.pi / 4, -np.pi / 4)
    return angle


MAJOR = Measurement(
    "axis_major_length",
    "length",
    "Major axis of the ellipse (ellipsoid) with the same second moments: 4√λ (2D), 2√(5λ) (3D).",
    lambda objects: axis_lengths(objects)[:, 0],
)
MINOR = Measurement(
    "axis_minor_length",
    "length",
    "Minor axis of the ellipse (ellipsoid) with the same second moments: 4√λ (2D), 2√(5λ) (3D).",
    lambda objects: axis_lengths(objects)[:, -1],
)
ASPECT = Measurement(
    "aspect",
    "none",
    "Major over minor axis; undefined (nan) where the minor axis is 0.",
    aspect,
    needs=("axis_major_length", "axis_minor_length"),
)
ORIENTATION = Measurement(
    "orientation",
    "angle",
    "Angle between the rows' axis (downwards) and the major axis, counter-clockwise, -π/2 to "
    "π/2. Of no meaning where the aspect is near 1.",
    orientation,
    dims=(2,),
)
