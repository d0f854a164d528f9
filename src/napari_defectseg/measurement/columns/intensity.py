"""How bright: grey values of the image inside the object."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement import moments
from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]


def mean(objects: Objects) -> Real:
    """Return the mean grey value."""
    value: Real = objects.real[:, moments.ORIGIN] + _shift(objects)
    return value


def std(objects: Objects) -> Real:
    """Return the standard deviation of the grey values, over n as numpy does."""
    square = objects.real[:, moments.GREY_SQUARE] / objects.count
    value: Real = np.sqrt(np.maximum(square - _shift(objects) ** 2, 0.0))
    return value


def least(objects: Objects) -> Real:
    """Return the smallest grey value; nan where one is not a number."""
    return _extreme(objects, moments.LEAST)


def most(objects: Objects) -> Real:
    """Return the largest grey value; nan where one is not a number."""
    return _extreme(objects, moments.MOST)


def _shift(objects: Objects) -> Real:
    value: Real = objects.real[:, moments.GREY] / objects.count
    return value


def _extreme(objects: Objects, column: int) -> Real:
    unknown = np.isnan(objects.real[:, moments.GREY])
    value: Real = np.where(unknown, np.nan, objects.real[:, column])
    return value


MEAN = Measurement("intensity_mean", "grey", "Mean grey value.", mean, inputs=("image",))
STD = Measurement(
    "intensity_std", "grey", "Standard deviation of its grey values.", std, inputs=("image",)
)
MIN = Measurement("intensity_min", "grey", "Smallest grey value.", least, inputs=("image",))
MAX = Measurement("intensity_max", "grey", "Largest grey value.", most, inputs=("image",))
