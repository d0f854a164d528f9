"""How large: pixels, area or volume, equivalent diameter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]


def area(objects: Objects) -> Real:
    """Return pixels times the size of a pixel."""
    size: Real = objects.count * np.float64(np.prod(objects.steps))
    return size


def equivalent_diameter(objects: Objects) -> Real:
    """Return the diameter of the disc or ball of the same size."""
    ndim = objects.ndim
    diameter: Real = (2 * ndim * objects.columns["area"] / np.pi) ** (1 / ndim)
    return diameter


NUM_PIXELS = Measurement(
    "num_pixels", "pixel", "Number of pixels (voxels).", lambda objects: objects.count
)
AREA = Measurement(
    "area", "size", "Number of pixels times the area (volume) of one. Volume in 3D.", area
)
EQUIVALENT_DIAMETER = Measurement(
    "equivalent_diameter_area",
    "length",
    "Diameter of the disc (ball) of the same area (volume): √(4A/π), ∛(6V/π).",
    equivalent_diameter,
    needs=("area",),
)
