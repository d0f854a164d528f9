"""What is too small to trust, and what blur has taken away."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
GROUP = "shape"
ENOUGH = {2: 100, 3: 500}
"""Pixels from which the form of an object is not that of its pixels."""
ACROSS = 3.0
"""Pixels across, below which an object is lost or halved by partial volume."""
BENT = {2: 0.5, 3: 1.0}
"""A Gaussian blur moves the edge of a disc inwards by σ²/2r, of a ball by σ²/r."""
SHARP = 3.0
"""The formula of blur holds for radii above this many σ."""


def blur_length(objects: Objects) -> float:
    """Return σ as a length, for pixels that are not square by their mean size."""
    mean = float(np.exp(np.log(objects.steps).mean()))
    return objects.settings.blur * mean


def below_resolution(objects: Objects) -> NDArray[np.bool_]:
    """Return which objects are smaller than pixels and blur let one measure."""
    diameter = objects.columns["equivalent_diameter_area"]
    least = ACROSS * float(np.exp(np.log(objects.steps).mean()))
    sigma = blur_length(objects)
    # A radius of 3 σ appears smaller by what the formula says.
    apparent = 2 * sigma * (SHARP - BENT[objects.ndim] / SHARP)
    small: NDArray[np.bool_] = diameter < max(least, apparent)
    return small


def deblurred(objects: Objects) -> Real:
    """Return the diameter before blur: r - k σ²/r = apparent radius, solved for r."""
    radius = objects.columns["equivalent_diameter_area"] / 2
    lost = BENT[objects.ndim] * blur_length(objects) ** 2
    value: Real = radius + np.sqrt(radius**2 + 4 * lost)
    return value


SHAPE_UNRELIABLE = Measurement(
    "shape_unreliable",
    "none",
    "Whether it has fewer than 100 pixels (500 voxels): axes, angles and ratios are then those "
    "of the pixel grid as much as its own.",
    lambda objects: objects.count < ENOUGH[objects.ndim],
    group=GROUP,
)
BELOW_RESOLUTION = Measurement(
    "below_resolution",
    "none",
    "Whether its equivalent diameter is below 3 pixels, or below that of an object of a radius "
    "of three σ of the blur, where σ is given: too small for its size to be trusted.",
    below_resolution,
    needs=("equivalent_diameter_area",),
    group=GROUP,
)
DEBLURRED = Measurement(
    "diameter_deblurred",
    "length",
    "Equivalent diameter before blur: a Gaussian σ and a threshold at half height move the edge "
    "inwards by σ²/2r (2D), σ²/r (3D) (Bouma et al. 2005). For radii above three σ.",
    deblurred,
    needs=("equivalent_diameter_area",),
    inputs=("blur",),
    group=GROUP,
)
