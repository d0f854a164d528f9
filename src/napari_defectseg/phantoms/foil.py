"""The foil of a transmission micrograph: thickness, bending and its two-beam contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.phantoms import fields

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Foil:
    """A bent wedge of crystal.

    Parameters
    ----------
    thickness : ndarray
        Of the foil, nm, one value a pixel.
    deviation : ndarray
        Deviation s from the Bragg condition, 1/nm; zero along a bend contour.
    extinction : float
        Extinction distance ξ, nm.
    damping : float
        How fast thickness fringes fade, 1/nm.
    absorption : float
        1/nm.
    """

    thickness: Array
    deviation: Array
    extinction: float
    damping: float
    absorption: float

    def bright_field(self, missing: Array | float = 0.0) -> Array:
        """Return the direct beam's intensity, where `missing` nm of the foil are empty.

        Two-beam dynamical theory (Hirsch et al. 1965): with w = sξ the diffracted beam is
        sin²(πt√(1+w²)/ξ) / (1+w²); the oscillation is damped, the whole beam absorbed.
        """
        t = np.maximum(self.thickness - missing, 0.0)
        squared = 1 + (self.deviation * self.extinction) ** 2
        phase = 2 * np.pi * t * np.sqrt(squared) / self.extinction
        diffracted = 0.5 * (1 - np.exp(-self.damping * t) * np.cos(phase)) / squared
        return np.asarray(np.exp(-self.absorption * t) * (1 - diffracted))


def bent_foil(
    shape: tuple[int, int], pixel: float, bending: float, rng: np.random.Generator
) -> Foil:
    """Return a random foil.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    pixel : float
        Pixel size, nm.
    bending : float
        0: far from any strong reflection, nearly flat contrast; 1: bend contours and
        thickness fringes cross the field.
    rng : numpy Generator
        Source of randomness.
    """
    y, x = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    heading = rng.uniform(0, 2 * np.pi)
    ramp = y * np.cos(heading) + x * np.sin(heading)
    size = max(shape)
    extinction = rng.uniform(20, 60)
    wedge = rng.uniform(0.05, 0.6) * bending
    thickness = rng.uniform(50, 140) * (
        1 + wedge * ramp + 0.06 * bending * fields.random_field(shape, rng, size / 3)
    )
    sway = fields.random_field(shape, rng, size / rng.uniform(2, 5))
    turned = rng.uniform(0, 2 * np.pi)
    across = y * np.cos(turned) + x * np.sin(turned)
    # In units of w = sξ: a flat foil sits well off the reflection, a bent one crosses it.
    offset = rng.choice([-1, 1]) * rng.uniform(2.5, 6) * (1 - 0.9 * bending * rng.uniform())
    reach = bending * rng.uniform(1, 7)
    w = offset + reach * (0.7 * across + 0.5 * sway)
    return Foil(
        np.maximum(thickness, 10.0),
        w / extinction,
        float(extinction),
        float(rng.uniform(0.004, 0.02)),
        float(rng.uniform(0.001, 0.004)),
    )
