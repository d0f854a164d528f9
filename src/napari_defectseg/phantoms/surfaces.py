"""Rolled steel surfaces, light-optical: inclusions, patches and scratches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.phantoms import draw, optics
from napari_defectseg.phantoms.draw import between, how_many, log_between
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.phantom import Phantom
from napari_defectseg.phantoms.shapes import Blob, Shape, Stroke
from napari_defectseg.phantoms.truth import Truth

Array = np.ndarray[Any, Any]
Range = tuple[float, float]
INCLUSION, PATCH, SCRATCH = 1, 2, 3
CLASSES = ClassMap.of(["inclusion", "patch", "scratch"])
FIELD = 512 * 512


@dataclass(frozen=True)
class SurfaceSettings:
    """What a steel surface shows. Pairs are ranges that each picture draws from.

    Parameters
    ----------
    pixel_size : (float, float)
        µm, log-uniform.
    inclusions, patches, scratches : (int, int)
        How many on 512 x 512 pixels.
    inclusion_length, patch_diameter, scratch_length : (float, float)
        px, log-uniform.
    scratch_width : (float, float)
        px.
    pitted : float
        Chance that the patches of a picture are pitted instead of stained.
    texture : (float, float)
        Contrast of the rolling texture.
    lighting : (float, float)
        Unevenness of the light.
    noise : (float, float)
        Standard deviation of the camera's noise, share of the full range.
    colour : bool
        RGB, with axes (y, x, c), instead of grey.
    """

    pixel_size: Range = (4.0, 40.0)
    inclusions: tuple[int, int] = (2, 10)
    patches: tuple[int, int] = (1, 4)
    scratches: tuple[int, int] = (1, 6)
    inclusion_length: Range = (8, 60)
    patch_diameter: Range = (30, 130)
    scratch_length: Range = (60, 420)
    scratch_width: Range = (1.5, 5)
    pitted: float = 0.5
    texture: Range = (0.02, 0.09)
    lighting: Range = (0.1, 0.45)
    noise: Range = (0.006, 0.02)
    colour: bool = False


def surface(
    settings: SurfaceSettings, *, seed: int = 0, shape: tuple[int, int] = (512, 512)
) -> Phantom:
    """Return a synthetic photograph of a steel surface with truth.

    Parameters
    ----------
    settings : SurfaceSettings
        What it shows.
    seed : int
        The same seed gives the same bytes.
    shape : (int, int)
        Rows and columns.
    """
    rng = np.random.default_rng(seed)
    pixel = log_between(settings.pixel_size, rng)
    grid = Grid(shape, (pixel, pixel))
    truth = Truth(grid, CLASSES, (SCRATCH, INCLUSION, PATCH))
    rolling = (
        float(rng.normal(np.pi / 2, 0.05)) if rng.uniform() < 0.8 else float(rng.normal(0, 0.05))
    )
    grey = _rolled(shape, rolling, between(settings.texture, rng), rng)
    rust = np.zeros(shape)
    share = shape[0] * shape[1] / FIELD
    _add_patches(grid, truth, grey, rust, how_many(settings.patches, share, rng), settings, rng)
    _add_inclusions(
        grid, truth, grey, rolling, how_many(settings.inclusions, share, rng), settings, rng
    )
    _add_scratches(
        grid, truth, grey, rolling, how_many(settings.scratches, share, rng), settings, rng
    )
    mask, instances, objects = truth.resolve()
    levels = _photographed(grey, rust, settings, rng)
    axes = ("y", "x", "c") if settings.colour else ("y", "x")
    calibration = Calibration.of((pixel, pixel), "µm", "phantom: exact")
    return Phantom(
        CalibratedImage(levels, axes, calibration, f"surface-{seed}"),
        mask,
        instances,
        objects,
        CLASSES,
        "surface",
        seed,
        facts={"rolling_direction": rolling, "pixel_size_um": pixel},
    )


def _rolled(
    shape: tuple[int, int], direction: float, contrast: float, rng: np.random.Generator
) -> Array:
    """Return reflectivity about 1 of a rolled sheet: lines along one direction, and grain."""
    lines = optics.turned_field(shape, rng, (float(rng.uniform(60, 200)), 1.2), direction)
    bands = optics.turned_field(shape, rng, (250.0, float(rng.uniform(6, 20))), direction)
    grain = optics.random_field(shape, rng, float(rng.uniform(0.8, 2)))
    mottle = optics.random_field(shape, rng, 14.0, slope=2.5)
    return np.asarray(1 + contrast * (0.7 * lines + 0.5 * bands + 0.5 * grain + 0.4 * mottle))


def _region(grid: Grid, shape: Shape, margin: float) -> tuple[Any, tuple[Array, ...]] | None:
    low, high = shape.bounds()
    window = grid.clipped(grid.window([v - margin for v in low], [v + margin for v in high]))
    return None if window is None else (window, grid.points(window))


def _place(grid: Grid, rng: np.random.Generator) -> tuple[float, float]:
    y, x = (
        float(rng.uniform(-0.5, n - 0.5) * s) for n, s in zip(grid.shape, grid.spacing, strict=True)
    )
    return y, x


def _cover(shape: Shape, points: tuple[Array, ...], softness: float) -> Array:
    """Return how much of a point a shape covers, 0 to 1, over an edge of that width."""
    return np.asarray(np.clip(0.5 - shape.level(*points) / softness, 0, 1))


def _add_patches(
    grid: Grid,
    truth: Truth,
    grey: Array,
    rust: Array,
    count: int,
    settings: SurfaceSettings,
    rng: np.random.Generator,
) -> None:
    pixel = grid.spacing[0]
    pitted = rng.uniform() < settings.pitted
    tone = float(rng.choice([-0.35, -0.25, -0.15, 0.2]))
    for _ in range(count):
        size = log_between(settings.patch_diameter, rng) * pixel
        shape = draw.blob(
            _place(grid, rng),
            size / 2,
            rng,
            roughness=float(rng.uniform(0.3, 0.8)),
            stretch=float(rng.uniform(1, 2)),
            orders=(2, 12),
        )
        truth.add(shape, PATCH, {"texture": "pitted" if pitted else "stained"})
        region = _region(grid, shape, 0.0)
        if region is None:
            continue
        window, points = region
        cover = _cover(shape, points, float(rng.uniform(1, 4)) * pixel)
        size_here = cover.shape[0], cover.shape[1]
        rough = optics.random_field(size_here, rng, 3.0, slope=2.0)
        if pitted:
            pits = np.clip(rough - 0.2, 0, 1.2)
            light = np.gradient(pits, axis=0) if min(size_here) > 1 else 0 * pits
            grey[window] *= 1 - cover * (0.12 + 0.4 * pits) + 0.8 * cover * light
        else:
            grey[window] *= 1 + cover * (tone + 0.08 * rough)
        rust[window] = np.maximum(rust[window], cover * float(rng.uniform(0.2, 1)))


def _add_inclusions(
    grid: Grid,
    truth: Truth,
    grey: Array,
    rolling: float,
    count: int,
    settings: SurfaceSettings,
    rng: np.random.Generator,
) -> None:
    pixel = grid.spacing[0]
    for _ in range(count):
        length = log_between(settings.inclusion_length, rng) * pixel
        stretch = float(rng.uniform(1.5, 6))
        outline = draw.blob(
            _place(grid, rng),
            length / 2 / np.sqrt(stretch),
            rng,
            roughness=float(rng.uniform(0.1, 0.5)),
            stretch=stretch,
        )
        shape = Blob(
            outline.origin,
            outline.radius,
            outline.waves,
            stretch,
            rolling + 0.08 * float(rng.standard_normal()),
        )
        truth.add(shape, INCLUSION)
        region = _region(grid, shape, 2 * pixel)
        if region is None:
            continue
        window, points = region
        cover = _cover(shape, points, float(rng.uniform(0.8, 2)) * pixel)
        rough = optics.random_field((cover.shape[0], cover.shape[1]), rng, 1.5)
        grey[window] *= 1 - cover * np.clip(rng.uniform(0.3, 0.65) + 0.1 * rough, 0, 0.9)


def _add_scratches(
    grid: Grid,
    truth: Truth,
    grey: Array,
    rolling: float,
    count: int,
    settings: SurfaceSettings,
    rng: np.random.Generator,
) -> None:
    pixel = grid.spacing[0]
    for _ in range(count):
        heading = rolling + (0.15 if rng.uniform() < 0.6 else 2.0) * float(rng.standard_normal())
        length = log_between(settings.scratch_length, rng) * pixel
        step = length / 12
        points = draw.curve(_place(grid, rng), heading, length, step, 0.01, rng)
        shape = Stroke(tuple(points), between(settings.scratch_width, rng) * pixel)
        truth.add(shape, SCRATCH, {"length": shape.length, "width": shape.width})
        region = _region(grid, shape, 3 * pixel)
        if region is None:
            continue
        window, here = region
        _, along, side = shape.locate(*here)
        cover = _cover(shape, here, 1.2 * pixel)
        bright = float(rng.choice([1, 1, -1]))
        fade = 0.75 + 0.25 * np.cos(2 * np.pi * along / (length * rng.uniform(0.2, 0.6)))
        depth = float(rng.uniform(0.2, 0.5))
        grey[window] *= 1 + cover * fade * depth * bright * (0.7 + 0.3 * side)


def _photographed(
    grey: Array, rust: Array, settings: SurfaceSettings, rng: np.random.Generator
) -> Array:
    """Return grey or RGB levels: light, gloss, blur, noise."""
    shape = grey.shape[0], grey.shape[1]
    uneven = between(settings.lighting, rng)
    light = optics.vignette(shape, rng, uneven) * (
        1 + 0.3 * uneven * optics.random_field(shape, rng, max(shape) / 2.5)
    )
    picture = optics.blurred(grey * light, float(rng.uniform(0.4, 0.9)))
    picture = picture / max(float(picture.mean()), 1e-9) * float(rng.uniform(0.35, 0.6))
    noise = between(settings.noise, rng)
    if not settings.colour:
        picture = picture + noise * rng.standard_normal(shape)
        return optics.grey_levels(picture, 0.0, 1.0, 8)
    tint = np.array([1.0, 1.0, 1.0]) + rng.uniform(-0.08, 0.08, 3) + np.array([0.05, 0.0, -0.1])
    brown = np.array([0.25, 0.0, -0.35])
    colours = picture[..., None] * (tint + rust[..., None] * brown)
    colours = colours + noise * rng.standard_normal((*shape, 3))
    return optics.grey_levels(colours, 0.0, 1.0, 8)
