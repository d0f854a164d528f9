"""Where: centroid, bounding box, at the border or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects


def centroid(objects: Objects) -> NDArray[np.float64]:
    """Return mean positions times the pixel size, one column an axis, slowest first."""
    return objects.centroid() * objects.steps


def bbox(objects: Objects) -> NDArray[np.int64]:
    """Return first indices, then the indices behind the last, slowest axis first."""
    return np.concatenate([objects.low, objects.high + 1], axis=1)


CENTROID = Measurement(
    "centroid",
    "length",
    "Mean position of its pixel centres from the centre of the first pixel, by axis "
    "(slowest first).",
    centroid,
    parts=lambda ndim: ndim,
)
BBOX = Measurement(
    "bbox",
    "pixel",
    "Bounding box in pixels: first index of each axis, then the index behind the last.",
    bbox,
    parts=lambda ndim: 2 * ndim,
)
TOUCHES_BORDER = Measurement(
    "touches_border",
    "none",
    "Whether it touches the edge of the image or of the region that is counted, so that a "
    "part of it may be missing.",
    lambda objects: objects.cut,
)
