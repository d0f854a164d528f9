"""Flat outlines with known area: ellipse, blob, stroke.

Coordinates are (y, x) in physical units. Directions are angles from the y axis towards x, which
is scikit-image's `orientation`. `level` is a signed distance to first order (negative
inside); its sign is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]
TINY = 1e-12


class Shape(Protocol):
    """What truth needs to know of an outline or solid."""

    @property
    def centre(self) -> tuple[float, ...]:
        """Its centroid."""

    @property
    def measure(self) -> float:
        """Area, or volume of a solid."""

    @property
    def axes(self) -> tuple[float, ...]:
        """Full axis lengths, longest first."""

    @property
    def orientation(self) -> float:
        """Direction of the longest axis in the y-x plane, radians."""

    def bounds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return two corners that enclose it."""

    def level(self, *points: Array) -> Array:
        """Return the signed distance of points, to first order."""


def half_turn(angle: float) -> float:
    """Return a direction in (-π/2, π/2]."""
    return float(np.pi / 2 - (np.pi / 2 - angle) % np.pi)


@dataclass(frozen=True)
class Ellipse:
    """An ellipse.

    Parameters
    ----------
    centre : (float, float)
        y, x.
    a, b : float
        Semi-axes, a ≥ b.
    angle : float
        Direction of the longer one.
    """

    centre: tuple[float, float]
    a: float
    b: float
    angle: float = 0.0

    @property
    def measure(self) -> float:
        """Its area πab."""
        return float(np.pi * self.a * self.b)

    @property
    def axes(self) -> tuple[float, ...]:
        """Full lengths of the axes."""
        return 2 * self.a, 2 * self.b

    @property
    def orientation(self) -> float:
        """Direction of the longer axis."""
        return half_turn(self.angle)

    def bounds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the corners of the bounding box."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        half = np.hypot(self.a * c, self.b * s), np.hypot(self.a * s, self.b * c)
        return _corners(self.centre, half)

    def local(self, y: Array, x: Array) -> tuple[Array, Array]:
        """Return coordinates along and across the longer axis, in units of the semi-axes."""
        dy, dx = y - self.centre[0], x - self.centre[1]
        c, s = np.cos(self.angle), np.sin(self.angle)
        return (dy * c + dx * s) / self.a, (dx * c - dy * s) / self.b

    def level(self, *points: Array) -> Array:
        """Return the signed distance (Sampson's) of points y, x."""
        u, v = self.local(*points)
        rho = np.hypot(u, v)
        slope = np.hypot(u / self.a, v / self.b) / np.maximum(rho, TINY)
        slope = np.where(rho > TINY, slope, 1 / self.b)
        return np.asarray((rho - 1) / slope)


@dataclass(frozen=True)
class Blob:
    """A star-shaped outline r(θ) = r₀ (1 + Σ aₙ cos(nθ - φₙ)), stretched along one direction.

    Parameters
    ----------
    origin : (float, float)
        Where r is measured from.
    radius : float
        r₀.
    waves : tuple of (n, a, φ)
        Harmonics with n ≥ 2; Σ|a| < 1.
    stretch : float
        Length over width, at equal area.
    angle : float
        Direction of the stretching.
    """

    origin: tuple[float, float]
    radius: float
    waves: tuple[tuple[int, float, float], ...] = ()
    stretch: float = 1.0
    angle: float = 0.0

    @property
    def measure(self) -> float:
        """Its area π r₀² (1 + ½ Σ aₙ²)."""
        return float(np.pi * self.radius**2 * (1 + 0.5 * sum(a * a for _, a, _ in self.waves)))

    @property
    def centre(self) -> tuple[float, float]:
        """Its centroid, by quadrature over θ."""
        mean, _ = self._moments()
        along, across = mean
        c, s = np.cos(self.angle), np.sin(self.angle)
        return (
            float(self.origin[0] + along * c - across * s),
            float(self.origin[1] + along * s + across * c),
        )

    @property
    def axes(self) -> tuple[float, ...]:
        """Axes of the ellipse with the same second moments."""
        values = np.linalg.eigvalsh(self._moments()[1])
        return float(4 * np.sqrt(values[1])), float(4 * np.sqrt(values[0]))

    @property
    def orientation(self) -> float:
        """Direction of that ellipse's longer axis."""
        _, vectors = np.linalg.eigh(self._moments()[1])
        return half_turn(float(self.angle + np.arctan2(vectors[1, 1], vectors[0, 1])))

    def bounds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return corners that enclose it."""
        reach = self.radius * (1 + sum(abs(a) for _, a, _ in self.waves))
        reach *= max(np.sqrt(self.stretch), 1 / np.sqrt(self.stretch))
        return _corners(self.origin, (reach, reach))

    def local(self, y: Array, x: Array) -> tuple[Array, Array]:
        """Return coordinates along and across, in units of the local radius (1 on the outline)."""
        p, q = self._unstretched(y, x)
        edge = self._edge(np.arctan2(q, p))
        return p / edge, q / edge

    def level(self, *points: Array) -> Array:
        """Return the signed distance of points y, x, to first order."""
        p, q = self._unstretched(*points)
        theta = np.arctan2(q, p)
        edge = self._edge(theta)
        turn = self.radius * sum(
            (-n * a * np.sin(n * theta - phi) for n, a, phi in self.waves), np.zeros_like(theta)
        )
        far = np.maximum(np.hypot(p, q), TINY)
        width = 1 / max(np.sqrt(self.stretch), 1 / np.sqrt(self.stretch))
        return np.asarray((far - edge) / np.hypot(1.0, turn / edge) * width)

    def _unstretched(self, y: Array, x: Array) -> tuple[Array, Array]:
        dy, dx = y - self.origin[0], x - self.origin[1]
        c, s = np.cos(self.angle), np.sin(self.angle)
        root = np.sqrt(self.stretch)
        return (dy * c + dx * s) / root, (dx * c - dy * s) * root

    def _edge(self, theta: Array) -> Array:
        wave = sum((a * np.cos(n * theta - phi) for n, a, phi in self.waves), np.zeros_like(theta))
        return np.asarray(self.radius * (1 + wave))

    def _moments(self) -> tuple[Array, Array]:
        theta = np.arange(720) * (2 * np.pi / 720)
        r = self._edge(theta)
        root = np.sqrt(self.stretch)
        unit = np.stack([np.cos(theta) * root, np.sin(theta) / root])
        area = np.mean(r**2) / 2
        mean = (unit * r**3 / 3).mean(axis=1) / area
        second = (unit[:, None] * unit[None] * r**4 / 4).mean(axis=2) / area
        return mean, second - np.outer(mean, mean)


def _corners(
    centre: Sequence[float], half: Sequence[float]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    low = tuple(float(c - h) for c, h in zip(centre, half, strict=True))
    high = tuple(float(c + h) for c, h in zip(centre, half, strict=True))
    return low, high
