"""Solids with known volume: ellipsoid and rough ball. Coordinates are (z, y, x)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from napari_defectseg.phantoms.shapes import TINY, half_turn

Array = np.ndarray[Any, Any]
Triple = tuple[float, float, float]


def random_rotation(rng: np.random.Generator) -> tuple[Triple, Triple, Triple]:
    """Return a rotation matrix uniform over all rotations (QR of a normal matrix)."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    rows = [(float(a), float(b), float(c)) for a, b, c in q]
    return rows[0], rows[1], rows[2]


@dataclass(frozen=True)
class Solid:
    """An ellipsoid whose surface may carry waves.

    The radius in units of the ellipsoid's is 1 + Σ aₖ cos(kₖ·n + φₖ), n the unit direction.

    Parameters
    ----------
    origin : (float, float, float)
        z, y, x that the radius is measured from.
    radii : (float, float, float)
        Semi-axes along the rows of `rotation`.
    rotation : 3 x 3 nested tuple
        Rows are the directions of the semi-axes.
    waves : tuple of (k_z, k_y, k_x, a, φ)
        Roughness; Σ|a| < 1. None: an exact ellipsoid.
    """

    origin: Triple
    radii: Triple
    rotation: tuple[Triple, Triple, Triple]
    waves: tuple[tuple[float, float, float, float, float], ...] = ()

    @property
    def measure(self) -> float:
        """Its volume: 4/3 π abc, times the mean cube of the relative radius."""
        a, b, c = self.radii
        return float(4 / 3 * np.pi * a * b * c * np.mean(self._sampled[1] ** 3))

    @property
    def centre(self) -> tuple[float, ...]:
        """Its centroid."""
        mean, _ = self._moments
        return tuple(float(v) for v in np.asarray(self.origin) + mean)

    @property
    def axes(self) -> tuple[float, ...]:
        """Full axes of the ellipsoid with the same second moments, longest first."""
        if not self.waves:
            return tuple(sorted((2 * r for r in self.radii), reverse=True))
        values = np.linalg.eigvalsh(self._moments[1])[::-1]
        return tuple(float(v) for v in 2 * np.sqrt(5 * values))

    @property
    def direction(self) -> Triple:
        """Unit vector (z, y, x) of the longest axis."""
        if self.waves:
            z, y, x = np.linalg.eigh(self._moments[1])[1][:, -1]
        else:
            z, y, x = self.rotation[int(np.argmax(self.radii))]
        return float(z), float(y), float(x)

    @property
    def orientation(self) -> float:
        """Direction of the longest axis, seen along z."""
        _, y, x = self.direction
        return half_turn(float(np.arctan2(x, y)))

    def bounds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return corners that enclose it."""
        turn = np.asarray(self.rotation) * np.asarray(self.radii)[:, None]
        half = np.sqrt((turn**2).sum(axis=0)) * (1 + sum(abs(w[3]) for w in self.waves))
        start = np.asarray(self.origin)
        return tuple(map(float, start - half)), tuple(map(float, start + half))

    def level(self, *points: Array) -> Array:
        """Return the signed distance of points z, y, x, to first order."""
        away = [p - c for p, c in zip(points, self.origin, strict=True)]
        local = [
            sum(e * d for e, d in zip(row, away, strict=True)) / r
            for row, r in zip(self.rotation, self.radii, strict=True)
        ]
        rho = np.sqrt(sum(np.square(v) for v in local))
        safe = np.maximum(rho, TINY)
        slope = np.sqrt(sum(np.square(v / r) for v, r in zip(local, self.radii, strict=True)))
        slope = np.where(rho > TINY, slope / safe, 1 / min(self.radii))
        edge = self._relative([v / safe for v in local]) if self.waves else 1.0
        return np.asarray((rho - edge) / slope)

    def _relative(self, direction: list[Array]) -> Array:
        z, y, x = direction
        total = np.ones(np.broadcast_shapes(z.shape, y.shape, x.shape))
        for kz, ky, kx, a, phi in self.waves:
            total = total + a * np.cos(kz * z + ky * y + kx * x + phi)
        return total

    @cached_property
    def _sampled(self) -> tuple[Array, Array]:
        """Directions spread evenly over the sphere (Fibonacci) and the relative radius there."""
        n = 4000 if self.waves else 500
        k = np.arange(n) + 0.5
        z = 1 - 2 * k / n
        phi = np.pi * (1 + 5**0.5) * k
        ring = np.sqrt(1 - z * z)
        unit = np.stack([z, ring * np.cos(phi), ring * np.sin(phi)])
        return unit, self._relative(list(unit)) if self.waves else np.ones(n)

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        if not self.waves:
            half = np.asarray(self.rotation) * np.asarray(self.radii)[:, None]
            return np.zeros(3), half.T @ half / 5
        unit, rel = self._sampled
        vectors = np.asarray(self.rotation).T @ (unit * np.asarray(self.radii)[:, None])
        volume = np.mean(rel**3) / 3
        mean = (vectors * rel**4 / 4).mean(axis=1) / volume
        second = (vectors[:, None] * vectors[None] * rel**5 / 5).mean(axis=2) / volume
        return mean, second - np.outer(mean, mean)
