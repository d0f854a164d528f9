"""The smallest object, as a person says it (a diameter) and as it is counted (pixels)."""

from __future__ import annotations

import math

from napari_defectseg.core.calibration import Calibration

RELIABLE = 7.0
"""Diameter in px below which the size of an object is not reliable."""


def diameter_of(pixels: float, calibration: Calibration, dims: int) -> float:
    """Return the diameter of the circle or ball of so many pixels, in `length_unit`."""
    size = pixels * math.prod(calibration.steps[-dims:])
    if dims == 3:
        return float((6 * size / math.pi) ** (1 / 3))
    return 2 * math.sqrt(size / math.pi)


def pixels_of(diameter: float, calibration: Calibration, dims: int) -> float:
    """Return how many pixels the circle or ball of a diameter has."""
    solid = math.pi * diameter**3 / 6 if dims == 3 else math.pi * diameter**2 / 4
    return solid / math.prod(calibration.steps[-dims:])
