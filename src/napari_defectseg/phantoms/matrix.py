"""What a tomogram's specimen holds besides pores and precipitates: aggregates and fibres."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from napari_defectseg.phantoms import fields
from napari_defectseg.phantoms.draw import curve

Array = np.ndarray[Any, Any]
Shape = tuple[int, int, int]


def grains(shape: Shape, contrast: float, rng: np.random.Generator) -> Array:
    """Return relative attenuation of a matrix of grains, mean about 1.

    Half of the matrices are cloudy, the others packed with rounded aggregates in a binder.
    """
    if contrast < 0.005:
        return np.ones(shape)
    fine = fields.random_field(shape, rng, 1.0)
    if rng.uniform() < 0.5:
        field = fields.random_field(shape, rng, float(rng.uniform(3, 7)))
        body = 1 / (1 + np.exp(-(field - 0.3) / 0.15))
    else:
        body = _packed(shape, float(rng.uniform(7, 16)), rng)
    return np.asarray(1 + contrast * (body - body.mean() + 0.15 * fine))


def _packed(shape: Shape, size: float, rng: np.random.Generator) -> Array:
    """Return rounded grains (0.3 to 1.2) in a binder (0), made from cells about random points."""
    count = max(4, int(np.prod(shape) / size**3))
    # Also a margin beyond the borders, where grains look like those inside.
    spots = rng.uniform(-size, np.asarray(shape) + size, (count, 3))
    shade = rng.uniform(0.3, 1.2, count) * (rng.uniform(size=count) < 0.8)
    points = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    wobble = np.stack([fields.random_field(shape, rng, size / 3) for _ in shape], axis=-1)
    found = KDTree(spots).query(points + 0.08 * size * wobble, k=2)
    near, index = np.asarray(found[0]), np.asarray(found[1])
    gap = (near[..., 1] - near[..., 0]) / 2
    inside = 1 / (1 + np.exp(-(gap - rng.uniform(0.08, 0.16) * size) / 0.6))
    return np.asarray(inside * shade[index[..., 0]])


def fibres(shape: Shape, count: int, rng: np.random.Generator) -> Array:
    """Return the volume share of thin curved fibres that share a direction, 0 to 1."""
    share = np.zeros(shape)
    radius = float(rng.uniform(1.0, 2.6))
    axis = int(rng.integers(3))
    heading, agreement = rng.uniform(0, np.pi), rng.choice([0.1, 0.4, 2.0])
    for _ in range(count):
        length = max(shape) * rng.uniform(0.3, 1.3)
        start = tuple(map(float, rng.uniform(-0.2, 1.2, 2) * max(shape)))
        turned = float(heading + agreement * rng.standard_normal())
        flat = curve((start[0], start[1]), turned, length, 4.0, 0.08, rng)
        rise = rng.uniform(-0.3, 0.3)
        level = rng.uniform(0, shape[axis])
        path = [np.insert(np.array(p), axis, level + rise * 4.0 * k) for k, p in enumerate(flat)]
        _draw_tube(share, np.array(path), radius * float(rng.uniform(0.8, 1.2)))
    return share


def _draw_tube(share: Array, path: Array, radius: float) -> None:
    """Draw a tube about the pieces of a path, px, with an edge one voxel soft."""
    for start, stop in pairwise(path):
        low = np.floor(np.minimum(start, stop) - radius - 1).astype(int)
        high = np.ceil(np.maximum(start, stop) + radius + 2).astype(int)
        box = tuple(
            slice(max(a, 0), min(b, n)) for a, b, n in zip(low, high, share.shape, strict=True)
        )
        if any(s.start >= s.stop for s in box):
            continue
        points = np.ogrid[box]
        along = stop - start
        t = sum((p - a) * d for p, a, d in zip(points, start, along, strict=True))
        t = np.clip(t / max(float(along @ along), 1e-9), 0, 1)
        away = sum(np.square(p - a - t * d) for p, a, d in zip(points, start, along, strict=True))
        share[box] = np.maximum(share[box], np.clip(radius + 0.5 - np.sqrt(away), 0, 1))
