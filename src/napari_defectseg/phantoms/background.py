"""What a micrograph's background shows besides the foil: none of it is a defect."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.phantoms import fields
from napari_defectseg.phantoms.draw import between, how_many
from napari_defectseg.phantoms.scenes import MicrographSettings

Array = np.ndarray[Any, Any]
Shape = tuple[int, int]


def background(shape: Shape, settings: MicrographSettings, rng: np.random.Generator) -> Array:
    """Return the background as a factor about 1: clouds, mottling, blotches, bands, fringes."""
    share = shape[0] * shape[1] / 512**2
    factor = _clouds(shape, between(settings.clouds, rng), rng)
    factor = factor * _mottle(shape, between(settings.mottle, rng), rng)
    factor = factor * _blotches(shape, between(settings.blotches, rng), rng)
    for _ in range(int(rng.integers(settings.bands[0], settings.bands[1], endpoint=True))):
        factor = factor * _band(shape, rng)
    for _ in range(how_many(settings.fringes, share, rng)):
        factor = factor * _fringes(shape, rng)
    return np.asarray(factor)


def _clouds(shape: Shape, strength: float, rng: np.random.Generator) -> Array:
    """Return slow and cloudy changes: surface, oxide, damage out of focus."""
    angle = rng.uniform(0, np.pi)
    size = float(rng.uniform(12, 60))
    long = size * rng.uniform(1, 3)
    fine = fields.turned_field(shape, rng, (long, size), angle, slope=rng.uniform(2.2, 3.6))
    slow = fields.random_field(shape, rng, max(shape) / rng.uniform(2, 6))
    return np.asarray(np.exp(strength * (0.8 * fine + 0.6 * slow)))


def _mottle(shape: Shape, strength: float, rng: np.random.Generator) -> Array:
    """Return the fine grain that ion milling and small damage leave, of a defect's size or less."""
    fine = fields.random_field(shape, rng, float(rng.uniform(2.5, 9)))
    coarse = fields.random_field(shape, rng, float(rng.uniform(8, 22)), slope=3.0)
    # Skewed to the dark side, as strain contrast is.
    both = 0.7 * fine + 0.7 * coarse
    return np.asarray(np.exp(-strength * (both + 0.3 * (both**2 - 1))))


def _blotches(shape: Shape, depth: float, rng: np.random.Generator) -> Array:
    """Return large dark patches without an edge: buckling and strain of the foil."""
    if depth < 0.02:
        return np.ones(shape)
    angle, size = rng.uniform(0, np.pi), float(rng.uniform(25, 110))
    sizes = (size * rng.uniform(1, 2.5), size)
    field = fields.turned_field(shape, rng, sizes, angle, slope=rng.uniform(3.5, 6))
    start, soft = rng.uniform(0.5, 1.6), rng.uniform(0.2, 0.6)
    return np.asarray(1 - depth / (1 + np.exp(-(field - start) / soft)))


def _band(shape: Shape, rng: np.random.Generator) -> Array:
    """Return a dark or bright strip across the field: a twin, a lath, a bend, a scratch."""
    v = _across(shape, rng.uniform(0, np.pi))
    v = v + rng.uniform(0, 0.03) * max(shape) * fields.random_field(shape, rng, max(shape) / 4)
    half = max(shape) * rng.uniform(0.015, 0.12)
    soft = half * rng.uniform(0.08, 0.8)
    at = rng.uniform(-0.4, 0.4) * max(shape)
    strip = 1 / (1 + np.exp(np.clip((abs(v - at) - half) / soft, -50, 50)))
    patchy = 1 / (1 + np.exp(-2 * (fields.random_field(shape, rng, half * 2) + rng.uniform(-1, 2))))
    depth = rng.uniform(0.08, 0.5) * rng.choice([1, 1, 1, -0.6])
    return np.asarray(1 - depth * strip * patchy)


def _fringes(shape: Shape, rng: np.random.Generator) -> Array:
    """Return a group of wavy lines in part of the field: moiré, inclined boundaries, ripples."""
    angle = rng.uniform(0, np.pi)
    period = rng.uniform(7, 28)
    warp = fields.random_field(shape, rng, period * rng.uniform(2, 6)) * rng.uniform(0.1, 0.7)
    wave = np.cos(2 * np.pi * (_across(shape, angle) / period + warp))
    envelope = fields.random_field(shape, rng, period * rng.uniform(2, 5)) - rng.uniform(0.6, 1.5)
    sharp = rng.uniform(1, 3)
    lines = ((0.5 - 0.5 * wave) ** sharp) / (1 + np.exp(-envelope / 0.3))
    return np.asarray(1 - rng.uniform(0.06, 0.35) * lines)


def _across(shape: Shape, angle: float) -> Array:
    """Return the distance of each pixel from a line through the middle, px."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    dy, dx = y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2
    return np.asarray(dy * np.cos(angle) + dx * np.sin(angle))
