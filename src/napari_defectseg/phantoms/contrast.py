"""How defects look in a bright-field transmission micrograph.

Each function returns a factor on the intensity (or a chord length in nm) at the points it is
given, from an outline's own coordinates: the outline is the truth, the contrast
follows it with soft edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.phantoms.shapes import Blob, Ellipse
from napari_defectseg.phantoms.strokes import Stroke

Array = np.ndarray[Any, Any]
LOOP_STYLES = ("dot", "ring", "bean", "arcs", "edge-on", "black-white")


def _step(distance: Array, softness: float) -> Array:
    """Return 1 inside (negative distance) and 0 outside, over about `softness`."""
    return np.asarray(1 / (1 + np.exp(np.clip(distance / max(softness, 1e-6), -50, 50))))


@dataclass(frozen=True)
class LoopLook:
    """How one dislocation loop appears.

    Parameters
    ----------
    style : str
        One of `LOOP_STYLES`.
    depth : float
        Fraction of intensity lost where it is darkest.
    softness : float
        Width of its edges in units of its semi-axes.
    reflection : float
        Direction of g against the loop's long axis, radians: the line of no contrast.
    band : float
        Width of a ring in units of the semi-axes.
    """

    style: str
    depth: float
    softness: float
    reflection: float
    band: float

    def factor(self, u: Array, v: Array) -> Array:
        """Return the factor at coordinates in units of the semi-axes (1 on the outline)."""
        rho = np.hypot(u, v)
        toward = (u * np.cos(self.reflection) + v * np.sin(self.reflection)) / np.maximum(rho, 1e-9)
        disc = _step(rho - 0.86, self.softness)
        ring = np.exp(-(((rho - 0.8) / self.band) ** 2))
        if self.style == "ring":
            dark = np.maximum(ring, 0.25 * disc) * (0.65 + 0.35 * toward**2)
        elif self.style == "arcs":
            dark = ring * toward**2 + 0.2 * disc
        elif self.style == "bean":
            gap = (u * np.cos(self.reflection) + v * np.sin(self.reflection)) / 0.28
            dark = disc * (1 - 1.15 * np.exp(-(gap**2)))
        elif self.style == "black-white":
            shift = 1.15 * np.cos(self.reflection), 1.15 * np.sin(self.reflection)
            lobe = np.exp(-1.2 * ((u - shift[0]) ** 2 + (v - shift[1]) ** 2))
            dark = disc - 0.55 * lobe
        else:
            dark = disc
        return np.asarray(np.exp(np.log(1 - self.depth) * dark))


def void_chord(shape: Blob, thickness: float, facets: float, y: Array, x: Array) -> Array:
    """Return the path through a void, nm: a sphere's chord, flatter the more facets it has.

    Parameters
    ----------
    shape : Blob
        Its outline.
    thickness : float
        Its size along the beam, nm.
    facets : float
        0 a sphere (chord √(1-ρ²)), 1 a polyhedron with a flat middle.
    y, x : ndarray
        Points.
    """
    u, v = shape.local(y, x)
    rho2 = np.square(u) + np.square(v)
    round_part = np.sqrt(np.maximum(1 - rho2, 0))
    flat = np.clip(2.2 * (1 - np.sqrt(rho2)), 0, 1)
    return np.asarray(thickness * ((1 - facets) * round_part + facets * flat))


def void_volume(shape: Blob, thickness: float, facets: float) -> float:
    """Return the integral of `void_chord` over the void, nm³.

    With ρ dρ in units of the outline, the round part gives 2/3 of area times thickness; the flat
    one, a plateau to ρ₀ = 1 - 1/2.2 and a slope beyond, (1 - ρ₀³) 2.2/3.
    """
    flat = 2.2 * (1 - (1 - 1 / 2.2) ** 3) / 3
    return float(shape.measure * thickness * ((1 - facets) * 2 / 3 + facets * flat))


@dataclass(frozen=True)
class PrecipitateLook:
    """How one precipitate appears.

    Parameters
    ----------
    depth : float
        Fraction of intensity lost in its middle; negative: it is brighter than the matrix.
    flatness : float
        0: contrast follows the chord of an ellipsoid; 1: a plate of even thickness.
    moire : (float, float, float)
        Amplitude, period (same unit as the outline) and direction of Moiré fringes.
    strain : float
        Dark lobes in the matrix beside it, with a line of no contrast across g.
    reflection : float
        Direction of g, radians from the y axis towards x.
    edge : float
        Softness of its edge, same unit as the outline.
    """

    depth: float
    flatness: float
    moire: tuple[float, float, float]
    strain: float
    reflection: float
    edge: float

    def factor(self, shape: Ellipse | Blob, y: Array, x: Array) -> Array:
        """Return the factor on the intensity at points y, x."""
        u, v = shape.local(y, x)
        rho = np.hypot(u, v)
        chord = np.sqrt(np.maximum(1 - rho**2, 0))
        inside = _step(shape.level(y, x), self.edge)
        body = inside * (self.flatness + (1 - self.flatness) * chord)
        amplitude, period, heading = self.moire
        wave = np.cos(2 * np.pi * (y * np.cos(heading) + x * np.sin(heading)) / period)
        fringes = 1 + amplitude * inside * wave
        cy, cx = shape.centre
        away = np.arctan2(x - cx, y - cy) - self.reflection
        halo = np.exp(-np.maximum(rho - 1, 0) / 0.45) * (rho > 1) * np.cos(away) ** 2
        loss = np.log(1 - self.depth) * body + np.log(1 - self.strain) * halo
        return np.asarray(np.exp(loss) * np.maximum(fringes, 0.05))


@dataclass(frozen=True)
class LineLook:
    """How one dislocation line appears.

    Parameters
    ----------
    depth : float
        Fraction of intensity lost on it.
    beat : float
        Amplitude of the oscillation of an inclined line, 0 to 1.
    period : float
        Its period along the line, same unit as the outline.
    shift : float
        The image lies beside the core by that share of its width.
    double : bool
        Residual contrast: two faint lines beside the core.
    """

    depth: float
    beat: float
    period: float
    shift: float
    double: bool

    def factor(self, shape: Stroke, y: Array, x: Array) -> Array:
        """Return the factor on the intensity at points y, x."""
        distance, along, side = shape.locate(y, x)
        across = distance * side / shape.width
        sigma = 0.32
        if self.double:
            profile = 0.8 * sum(np.exp(-(((across - c) / 0.2) ** 2)) for c in (-0.35, 0.35))
        else:
            profile = np.exp(-(((across - 0.3 * self.shift) / sigma) ** 2) / 1.4)
        modulation = 1 - self.beat * 0.5 * (1 + np.cos(2 * np.pi * along / self.period))
        return np.asarray(np.exp(np.log(1 - self.depth) * profile * modulation))
