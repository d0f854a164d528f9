"""Tomograms of a cylinder or box with pores and precipitates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.phantoms.bodies import (
    PORE,
    PRECIPITATE,
    VOLUME,
    Body,
    depth_of,
    placed_bodies,
)
from napari_defectseg.phantoms.draw import between, how_many, log_between
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.matrix import fibres, grains
from napari_defectseg.phantoms.phantom import Phantom
from napari_defectseg.phantoms.tomogram_settings import TomogramSettings
from napari_defectseg.phantoms.tomograph import Tomograph
from napari_defectseg.phantoms.truth import Truth

Array = np.ndarray[Any, Any]
CLASSES = ClassMap.of(["pore", "precipitate"])


def tomogram(
    settings: TomogramSettings, *, seed: int = 0, shape: tuple[int, int, int] = (96, 96, 96)
) -> Phantom:
    """Return a synthetic tomogram with truth; `Phantom.space` is the specimen, pores included.

    Parameters
    ----------
    settings : TomogramSettings
        What it shows.
    seed : int
        The same seed gives the same bytes.
    shape : (int, int, int)
        z, y, x.
    """
    rng = np.random.default_rng(seed)
    voxel = log_between(settings.voxel, rng)
    spacing = (voxel * settings.anisotropy, voxel, voxel)
    grid = Grid(shape, spacing)
    distance = _specimen(grid, settings.specimen, rng)
    tomograph = Tomograph.drawn(settings, shape, rng)
    grain = between(settings.grains, rng)
    placed = placed_bodies(grid, distance, settings, rng)
    floor = settings.visibility * float(np.hypot(tomograph.noise, 0.35 * grain))
    bodies = [body for body in placed if depth_of(body, grid, tomograph) >= floor]
    truth = Truth(grid, CLASSES, (PORE, PRECIPITATE), distance <= 0)
    for body in bodies:
        truth.add(body.solid, body.value)
    fibrous = rng.uniform() < settings.fibrous
    many = how_many(settings.fibres, float(np.prod(shape)) / VOLUME, rng) if fibrous else 0
    specimen = _specimen_of(
        grid, bodies, distance, grains(shape, grain, rng), fibres(shape, many, rng)
    )
    volume = tomograph.image(*specimen, settings, rng)
    mask, instances, objects = truth.resolve()
    return Phantom(
        CalibratedImage(
            volume,
            ("z", "y", "x"),
            Calibration.of(spacing, "µm", "phantom: exact"),
            f"tomogram-{seed}",
        ),
        mask,
        instances,
        objects,
        CLASSES,
        "tomogram",
        seed,
        space=distance <= 0,
        facts={
            **_facts(mask, distance <= 0, grid),
            "fibres": many,
            "too_faint": len(placed) - len(bodies),
        },
    )


def _specimen_of(
    grid: Grid, bodies: Sequence[Body], distance: Array, matrix: Array, fibre: Array
) -> tuple[Array, Array]:
    """Return matrix and dense material, in volume shares times their relative attenuation."""
    shares = {PORE: np.zeros(grid.shape), PRECIPITATE: np.zeros(grid.shape)}
    for body in bodies:
        if body.window is not None:
            share = shares[body.value][body.window]
            shares[body.value][body.window] = np.maximum(share, body.share)
    solid = np.clip(0.5 - distance / grid.spacing[1], 0, 1) * (1 - shares[PORE])
    dense = np.maximum(shares[PRECIPITATE], 0.8 * fibre)
    return solid * (1 - dense) * matrix, solid * dense


def _facts(mask: Array, space: Array, grid: Grid) -> Mapping[str, Any]:
    inside = int(space.sum())
    pores = int((mask == PORE).sum())
    return {
        "porosity": pores / inside if inside else float("nan"),
        "specimen_volume": inside * float(np.prod(grid.spacing)),
    }


def _specimen(grid: Grid, form: str, rng: np.random.Generator) -> Array:
    """Return the signed distance to the specimen's surface in the slice, negative inside, µm."""
    if form == "any":
        form = str(rng.choice(["cylinder", "cylinder", "box", "full"]))
    _, y, x = grid.points(tuple(slice(0, n) for n in grid.shape))
    half = [(n - 1) * s / 2 for n, s in zip(grid.shape[1:], grid.spacing[1:], strict=True)]
    size = max(min(half), grid.spacing[1])
    dy = y - half[0] - rng.uniform(-0.03, 0.03) * size
    dx = x - half[1] - rng.uniform(-0.03, 0.03) * size
    if form == "full":
        return np.full(grid.shape, -size)
    if form == "cylinder":
        flat = np.hypot(dy, dx) - size * rng.uniform(0.78, 0.95)
    else:
        turn = rng.uniform(0, np.pi / 2)
        u, v = dy * np.cos(turn) + dx * np.sin(turn), dx * np.cos(turn) - dy * np.sin(turn)
        a, b = size * rng.uniform(0.45, 0.68, 2)
        flat = np.maximum(abs(u) - a, abs(v) - b)
    return np.broadcast_to(flat, grid.shape).copy()
