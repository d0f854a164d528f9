"""Foils: what a projection through a known thickness says about the volume."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError

Real = NDArray[np.float64]


def depths(diameters: ArrayLike, thickness: float, cap: float = 0.0, zone: float = 0.0) -> Real:
    """Return the depth from which objects of each diameter are seen: t + d - 2h, or t - 2z.

    Objects show if any part (but an invisible cap h) lies in the foil (Underwood 1970). Where
    they are lost in a zone z at both surfaces the depth is t - 2z for all.

    Parameters
    ----------
    diameters : array-like of float, shape (n,)
    thickness : float
        In the unit of the diameters, like `cap` and `zone`.
    cap : float
        Height h of a cap that does not show.
    zone : float
        Width of the denuded zone at each surface; 0: none.

    Raises
    ------
    MeasurementError
        If nothing is left of the depth.
    """
    size = np.asarray(diameters, np.float64)
    if thickness <= 0 or cap < 0 or zone < 0:
        raise MeasurementError("Thickness, cap and zone of a foil are lengths, not negative.")
    if zone and cap:
        raise MeasurementError(
            "A foil has either a denuded zone or invisible caps.", hint="Give one of the two."
        )
    depth = np.full(size.shape, thickness - 2 * zone) if zone else thickness + size - 2 * cap
    if thickness <= 2 * zone or np.any(depth <= 0):
        raise MeasurementError(
            f"A foil of {thickness:g} leaves no depth in which objects are seen.",
            hint="The zone at each surface, or the invisible cap, is too thick.",
        )
    return depth


def foil_density(
    diameters: ArrayLike, area: float, thickness: float, cap: float = 0.0, zone: float = 0.0
) -> float:
    """Return the number per volume, ``(1/A) Σ 1/(t + d - 2h)``; see `depths`."""
    return float((1 / depths(diameters, thickness, cap, zone)).sum()) / area


def without_overlap(fraction: float) -> float:
    """Return the sum of the projected areas over the area, -ln(1 - A_A), for objects at random.

    Raises
    ------
    MeasurementError
        If the projections cover everything.
    """
    if not 0 <= fraction < 1:
        raise MeasurementError(f"Projections that cover {fraction:.3g} of a picture hide the rest.")
    return -math.log1p(-fraction)


def volume_fraction(projected: float, diameter: float, thickness: float) -> float:
    """Return the volume fraction of opaque balls in a foil, ``A_A' 2D/(2D + 3t)``.

    Cahn & Nutting 1959; Hilliard 1962.

    Parameters
    ----------
    projected : float
        Projected area fraction after `without_overlap`.
    diameter, thickness : float
        Diameter D of the balls and thickness of the foil.
    """
    return projected * 2 * diameter / (2 * diameter + 3 * thickness)


def mean_projected(diameter: float, thickness: float) -> float:
    """Return the mean projected diameter of balls that the surfaces cut: D (t + πD/4)/(t + D)."""
    return diameter * (thickness + math.pi * diameter / 4) / (thickness + diameter)


def true_diameter(projected: float, thickness: float) -> float:
    """Return the diameter D of balls whose mean projected diameter is `projected`."""
    # D² (π/4) + D (t - p) - p t = 0
    half = thickness - projected
    return (-half + math.sqrt(half**2 + math.pi * projected * thickness)) / (math.pi / 2)


def swelling(fraction: float) -> float:
    """Return f/(1 - f): growth relative to the volume without voids.

    Raises
    ------
    MeasurementError
        If the fraction is not below 1.
    """
    if not 0 <= fraction < 1:
        raise MeasurementError(f"A void fraction of {fraction:g} leaves no matrix.")
    return fraction / (1 - fraction)


def void_sink(radius: float, density: float) -> float:
    """Return the sink strength of voids, ``4π r N``, first order (Brailsford & Bullough 1972)."""
    return 4 * math.pi * radius * density


def line_sink(density: float, bias: float = 1.0) -> float:
    """Return the sink strength of dislocation lines, ``Z ρ``."""
    return bias * density


def loop_sink(radius: float, density: float, bias: float = 1.0) -> float:
    """Return the sink strength of loops, ``2π r N Z``."""
    return 2 * math.pi * radius * density * bias
