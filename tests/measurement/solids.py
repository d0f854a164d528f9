"""Solids whose measures are known, placed between pixels and turned at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Real = NDArray[np.float64]


def rotation(ndim: int, rng: np.random.Generator) -> Real:
    """Return a random rotation."""
    if ndim == 3:
        return Rotation.random(random_state=rng).as_matrix()
    angle = rng.uniform(0, np.pi)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def places(side: int, ndim: int, rng: np.random.Generator, turn: Real | None = None) -> Real:
    """Return positions of pixel centres in the frame of a solid, shape (side, …, ndim)."""
    grid = np.stack(np.meshgrid(*[np.arange(side)] * ndim, indexing="ij"), axis=-1)
    from_centre = grid - ((side - 1) / 2 + rng.uniform(-0.5, 0.5, ndim))
    return from_centre @ (rotation(ndim, rng) if turn is None else turn)


def ellipsoid(axes: tuple[float, ...], rng: np.random.Generator, turn: Real | None = None):
    """Return the mask of an ellipse or ellipsoid with these semi-axes."""
    side = 2 * int(np.ceil(max(axes))) + 5
    at = places(side, len(axes), rng, turn)
    return ((at / np.array(axes)) ** 2).sum(axis=-1) <= 1


def cylinder(radius: float, length: float, rng: np.random.Generator):
    """Return the mask of a cylinder."""
    side = int(np.ceil(2 * np.hypot(radius, length / 2))) + 5
    at = places(side, 3, rng)
    return (np.hypot(at[..., 1], at[..., 2]) <= radius) & (np.abs(at[..., 0]) <= length / 2)


def cube(edge: float, rng: np.random.Generator, turn: Real | None = None):
    """Return the mask of a cube."""
    at = places(int(np.ceil(edge * 1.74)) + 5, 3, rng, turn)
    return (np.abs(at) <= edge / 2).all(axis=-1)


def torus(ring: float, tube: float, rng: np.random.Generator):
    """Return the mask of a torus."""
    at = places(2 * int(np.ceil(ring + tube)) + 5, 3, rng)
    return (np.hypot(at[..., 1], at[..., 2]) - ring) ** 2 + at[..., 0] ** 2 <= tube**2
