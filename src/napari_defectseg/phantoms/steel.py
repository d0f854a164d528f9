"""A steel surface without defects: lines of rolling or grinding, glare, and its photograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from napari_defectseg.phantoms import fields, optics
from napari_defectseg.phantoms.draw import between
from napari_defectseg.phantoms.surface_settings import SurfaceSettings

Array = np.ndarray[Any, Any]
Shape = tuple[int, int]
BRASSY, NEUTRAL = np.array([1.12, 1.0, 0.72]), np.array([1.02, 1.0, 0.97])
"""Tints of lamp and oil film."""
BROWN = np.array([0.3, 0.0, -0.4])
"""What rust adds to a tint."""


@dataclass(frozen=True)
class Lay:
    """How the lines of a surface run.

    Parameters
    ----------
    direction : float
        Of the lines in the middle of the picture, radians from the y axis towards x.
    curvature : float
        1/px; 0 straight.
    """

    direction: float
    curvature: float

    @classmethod
    def drawn(cls, shape: Shape, settings: SurfaceSettings, rng: np.random.Generator) -> Lay:
        """Return a random one: along x mostly, or y; an arc on turned parts."""
        along = rng.normal(np.pi / 2, 0.05) if rng.uniform() < 0.8 else rng.normal(0, 0.05)
        bent = float(rng.choice([-1, 1]) * rng.uniform(0.3, 1.2)) / max(shape)
        turned = rng.uniform() < settings.turned
        return cls(float(along + turned * rng.normal(0, 0.3)), bent if turned else 0.0)

    def across(self, shape: Shape) -> Array:
        """Return the distance of each pixel from the line through the middle, px."""
        y, x = np.ogrid[: shape[0], : shape[1]]
        dy, dx = y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2
        c, s = np.cos(self.direction), np.sin(self.direction)
        along, across = dy * c + dx * s, dx * c - dy * s
        return np.asarray(across + 0.5 * self.curvature * along**2)

    def bent(self, field: Array, border: int) -> Array:
        """Return the middle of a field of straight lines after bending, `border` px cut off."""
        if not self.curvature:
            return field[border : field.shape[0] - border, border : field.shape[1] - border]
        shape = field.shape[0] - 2 * border, field.shape[1] - 2 * border
        y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
        c, s = np.cos(self.direction), np.sin(self.direction)
        dy, dx = y - (shape[0] - 1) / 2, x - (shape[1] - 1) / 2
        shift = 0.5 * self.curvature * (dy * c + dx * s) ** 2
        points = np.stack([y - shift * s, x + shift * c]) + border
        return np.asarray(ndimage.map_coordinates(field, points, order=1, mode="reflect"))


def reflectivity(shape: Shape, lay: Lay, contrast: float, rng: np.random.Generator) -> Array:
    """Return reflectivity about 1 of a finished sheet or raceway.

    Fine lines of many lengths, single deeper grooves, bands, grain and dull blotches.
    """
    border = int(min(96, 0.2 * max(shape))) + 1 if lay.curvature else 0
    wide = shape[0] + 2 * border, shape[1] + 2 * border
    way = lay.direction
    long = fields.turned_field(wide, rng, (float(rng.uniform(80, 250)), 0.9), way)
    short = fields.turned_field(wide, rng, (float(rng.uniform(10, 40)), 0.8), way)
    bands = fields.turned_field(wide, rng, (300.0, float(rng.uniform(6, 24))), way, slope=3.0)
    grooves = fields.turned_field(wide, rng, (float(rng.uniform(60, 160)), 1.0), way)
    # Only what is rare and deep of a field: single dark grooves with a bright bank.
    deep = np.maximum(grooves - 2.0, 0) - 0.7 * np.maximum(-grooves - 2.3, 0)
    lines = 0.5 * long + 0.35 * short + 0.5 * bands - 1.6 * deep
    grain = fields.random_field(shape, rng, float(rng.uniform(0.7, 1.4)))
    dull = fields.random_field(shape, rng, 30.0, slope=3.0)
    patchy = 1 + 0.35 * fields.random_field(shape, rng, 50.0, slope=3.0)
    lines = lay.bent(lines, border) * np.clip(patchy, 0.2, 2)
    return np.asarray(np.clip(1 + contrast * (lines + 0.25 * grain + 0.35 * dull), 0.1, 3))


def illumination(
    shape: Shape, lay: Lay, settings: SurfaceSettings, rng: np.random.Generator
) -> Array:
    """Return the light: fall-off to the corners, slow changes, bands of glare on turned parts."""
    uneven = between(settings.lighting, rng)
    slow = fields.random_field(shape, rng, max(shape) / 2.5)
    light = optics.vignette(shape, rng, uneven) * np.clip(1 + 0.3 * uneven * slow, 0.2, 2)
    if lay.curvature:
        across = lay.across(shape) + 3 * slow
        for _ in range(int(rng.integers(1, 4))):
            at, wide = rng.uniform(-0.5, 0.5) * max(shape), rng.uniform(0.03, 0.15) * max(shape)
            light = light * (1 + rng.uniform(-0.45, 0.9) * np.exp(-(((across - at) / wide) ** 2)))
    return np.asarray(light)


def photographed(
    scene: Array, rust: Array, settings: SurfaceSettings, rng: np.random.Generator
) -> Array:
    """Return grey or RGB levels, uint8, of reflectivity times light: blur, exposure, noise.

    Parameters
    ----------
    scene : ndarray
        Light that leaves the surface, 2D.
    rust : ndarray
        Share of rust, 0 to 1, in the same shape.
    settings : SurfaceSettings
    rng : numpy Generator
        Source of randomness.
    """
    shape = scene.shape[0], scene.shape[1]
    picture = optics.blurred(scene, float(rng.uniform(0.4, 0.8)))
    picture = picture / max(float(picture.mean()), 1e-9) * float(rng.uniform(0.35, 0.55))
    # A film's shoulder: glare is compressed, not cut.
    picture = np.where(picture > 0.7, 0.7 + 0.3 * np.tanh((picture - 0.7) / 0.3), picture)
    noise = between(settings.noise, rng)
    if not settings.colour:
        return optics.grey_levels(picture + noise * rng.standard_normal(shape), 0.0, 1.0, 8)
    warm = rng.uniform()
    tint = warm * BRASSY + (1 - warm) * NEUTRAL
    colours = picture[..., None] * (tint + rust[..., None] * BROWN)
    colours = colours + noise * rng.standard_normal((*shape, 3))
    return optics.grey_levels(colours, 0.0, 1.0, 8)
