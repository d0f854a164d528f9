"""Pores and precipitates of a tomogram: placed in the specimen, with their share of each voxel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.phantoms import optics
from napari_defectseg.phantoms.draw import between, how_many, log_between
from napari_defectseg.phantoms.grid import Grid, Window
from napari_defectseg.phantoms.solids import Solid, random_rotation
from napari_defectseg.phantoms.tomogram_settings import TomogramSettings
from napari_defectseg.phantoms.tomograph import Tomograph

Array = np.ndarray[Any, Any]
PORE, PRECIPITATE = 1, 2
VOLUME = 96**3
"""Voxels of the volume that the settings' counts refer to."""


@dataclass(frozen=True)
class Body:
    """A pore or precipitate: its outline, class value, and share of each voxel of a window."""

    solid: Solid
    value: int
    window: Window | None
    share: Array


def placed_bodies(
    grid: Grid, distance: Array, settings: TomogramSettings, rng: np.random.Generator
) -> list[Body]:
    """Return precipitates, then pores."""
    share = float(np.prod(grid.shape)) / VOLUME
    bodies = []
    for value, many, sizes in (
        (PRECIPITATE, settings.precipitates, settings.precipitate_diameter),
        (PORE, settings.pores, settings.pore_diameter),
    ):
        rough = between(settings.roughness, rng) if value == PORE else 0.05
        typical = log_between(sizes, rng)
        for _ in range(how_many(many, share, rng)):
            size = float(np.clip(typical * np.exp(0.5 * rng.standard_normal()), *sizes))
            at = _place(grid, distance, rng)
            solid = _solid(at, size * grid.spacing[1], rough, settings, rng)
            window = grid.clipped(grid.window(*solid.bounds()))
            part = np.zeros((0, 0, 0))
            if window is not None:
                part = np.clip(0.5 - solid.level(*grid.points(window)) / grid.spacing[1], 0, 1)
            bodies.append(Body(solid, value, window, part))
    return bodies


def depth_of(body: Body, grid: Grid, tomograph: Tomograph) -> float:
    """Return the change of grey that is left of a body where it is strongest.

    In units of the matrix; 0 where none of its voxels lies in the picture.
    """
    if body.window is None or not (body.solid.level(*grid.points(body.window)) <= 0).any():
        return 0.0
    contrast = 1.0 if body.value == PORE else tomograph.ratio - 1
    padded = np.pad(body.share, 3)
    return contrast * float(optics.blurred(padded, tomograph.softness).max())


def _place(grid: Grid, distance: Array, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a random point of the specimen."""
    for _ in range(200):
        at = rng.uniform(-0.5, np.asarray(grid.shape) - 0.5)
        index = tuple(int(np.clip(round(v), 0, n - 1)) for v, n in zip(at, grid.shape, strict=True))
        if distance[index] < 0:
            break
    z, y, x = (float(v * s) for v, s in zip(at, grid.spacing, strict=True))
    return z, y, x


def _solid(
    origin: tuple[float, float, float],
    size: float,
    rough: float,
    settings: TomogramSettings,
    rng: np.random.Generator,
) -> Solid:
    aspect = between(settings.elongation, rng)
    radii = np.array([aspect, rng.uniform(1, aspect), 1.0])
    radii *= size / 2 / np.cbrt(radii.prod())
    waves = []
    amplitude = rough * rng.uniform(0.3, 1)
    if rough > 0.02:
        for _ in range(4):
            k = rng.standard_normal(3)
            kz, ky, kx = map(float, k * (rng.uniform(2, 5) / np.linalg.norm(k)))
            phase = float(rng.uniform(0, 2 * np.pi))
            waves.append((kz, ky, kx, float(amplitude / 4), phase))
    a, b, c = map(float, radii)
    return Solid(origin, (a, b, c), random_rotation(rng), tuple(waves))
