"""Defects of a steel surface: placed, drawn into the reflectivity, noted in the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.phantoms import draw, fields, optics
from napari_defectseg.phantoms.draw import between, log_between
from napari_defectseg.phantoms.grid import Grid, Window
from napari_defectseg.phantoms.shapes import Blob, Shape
from napari_defectseg.phantoms.steel import Lay
from napari_defectseg.phantoms.strokes import Stroke
from napari_defectseg.phantoms.surface_settings import SurfaceSettings
from napari_defectseg.phantoms.truth import Truth

Array = np.ndarray[Any, Any]
INCLUSION, PATCH, SCRATCH = 1, 2, 3
Points = tuple[Array, ...]


@dataclass(frozen=True)
class Sheet:
    """A surface under work: its pixels, truth, reflectivity, rust (both changed in place)."""

    truth: Truth
    grey: Array
    rust: Array
    lay: Lay

    @property
    def grid(self) -> Grid:
        """Its pixels."""
        return self.truth.grid

    @property
    def pixel(self) -> float:
        """Pixel size, µm."""
        return self.grid.spacing[0]

    def place(self, rng: np.random.Generator) -> tuple[float, float]:
        """Return a random point."""
        y, x = (float(rng.uniform(-0.5, n - 0.5)) * self.pixel for n in self.grid.shape)
        return y, x

    def around(self, shape: Shape, margin: float) -> tuple[Window, Points] | None:
        """Return the window about a shape and its points; None if it is outside."""
        low, high = shape.bounds()
        window = self.grid.clipped(
            self.grid.window([v - margin for v in low], [v + margin for v in high])
        )
        return None if window is None else (window, self.grid.points(window))


def add_patches(
    sheet: Sheet, count: int, settings: SurfaceSettings, rng: np.random.Generator
) -> None:
    """Place patches; those of a picture are all pitted or all stained, in one tone."""
    pitted = bool(rng.uniform() < settings.pitted)
    tone = float(rng.choice([-0.45, -0.35, -0.25, 0.25]))
    lamp = float(rng.uniform(0, 2 * np.pi))
    for _ in range(count):
        size = log_between(settings.patch_diameter, rng) * sheet.pixel
        shape = draw.blob(
            sheet.place(rng),
            size / 2,
            rng,
            roughness=float(rng.uniform(0.2, 0.65)),
            stretch=float(rng.uniform(1, 2.2)),
            orders=(2, 30),
        )
        sheet.truth.add(shape, PATCH, {"texture": "pitted" if pitted else "stained"})
        around = sheet.around(shape, 4 * sheet.pixel)
        if around is None:
            continue
        window, points = around
        level = shape.level(*points) / sheet.pixel
        rusty = float(rng.uniform(0.2, 1))
        draw_patch = _pitted if pitted else _stained
        sheet.grey[window] *= draw_patch(level, lamp if pitted else tone, rng)
        sheet.rust[window] = np.maximum(sheet.rust[window], _cover(level, 1.0) * rusty)


def _cover(level: Array, softness: float) -> Array:
    """Return how much of a pixel a shape covers, 0 to 1, over an edge of that many px."""
    return np.asarray(np.clip(0.5 - level / softness, 0, 1))


def _stained(level: Array, tone: float, rng: np.random.Generator) -> Array:
    """Return the factor of a stain: an even tone, clouds in it, and a darker dried rim."""
    shape = level.shape[0], level.shape[1]
    clouds = fields.random_field(shape, rng, 12.0, slope=3.0)
    fine = fields.random_field(shape, rng, 1.5)
    rim = np.exp(-(((level + 1.5) / 1.8) ** 2))
    inside = tone * (1 + 0.3 * clouds) + 0.03 * fine - 0.18 * rim
    return np.asarray(np.clip(1 + _cover(level, 1.2) * inside, 0.1, 2))


def _pitted(level: Array, lamp: float, rng: np.random.Generator) -> Array:
    """Return the factor of a break-out: craters with dark floors, walls lit from one side.

    Parameters
    ----------
    level : ndarray
        Distance from the outline, px, negative inside.
    lamp : float
        Where the light comes from, radians from the y axis towards x.
    rng : numpy Generator
        Source of randomness.
    """
    shape = level.shape[0], level.shape[1]
    cover = _cover(level, 1.2)
    coarse = fields.random_field(shape, rng, float(rng.uniform(4, 8)), slope=3.5)
    bowl = 1 - np.exp(np.minimum(level, 0) / 4)
    depth = cover * bowl * np.clip(1 + 0.5 * coarse, 0.2, 2.2)
    slope = np.zeros(shape)
    if min(shape) > 1:
        down, right = np.gradient(optics.blurred(depth, 0.6))
        slope = down * np.cos(lamp) + right * np.sin(lamp)
    fine = fields.random_field(shape, rng, 1.2)
    inside = -0.12 - 0.26 * depth + 0.06 * fine
    return np.asarray(np.clip(1 + cover * inside + 1.1 * slope, 0.08, 1.9))


def add_inclusions(
    sheet: Sheet, count: int, settings: SurfaceSettings, rng: np.random.Generator
) -> None:
    """Place inclusions: dark, ragged, drawn out along the rolling direction."""
    for _ in range(count):
        length = log_between(settings.inclusion_length, rng) * sheet.pixel
        stretch = float(rng.uniform(1.5, 7))
        outline = draw.blob(
            sheet.place(rng),
            length / 2 / np.sqrt(stretch),
            rng,
            roughness=float(rng.uniform(0.2, 0.6)),
            stretch=stretch,
            orders=(2, 12),
        )
        heading = sheet.lay.direction + 0.08 * float(rng.standard_normal())
        shape = Blob(outline.origin, outline.radius, outline.waves, stretch, heading)
        sheet.truth.add(shape, INCLUSION)
        around = sheet.around(shape, 2 * sheet.pixel)
        if around is None:
            continue
        window, points = around
        level = shape.level(*points) / sheet.pixel
        cover = _cover(level, float(rng.uniform(0.8, 1.8)))
        rough = fields.random_field((cover.shape[0], cover.shape[1]), rng, 3.0, slope=2.5)
        depth = np.clip(rng.uniform(0.35, 0.7) + 0.12 * rough, 0.15, 0.9)
        sheet.grey[window] *= 1 - cover * depth


def add_scratches(
    sheet: Sheet, count: int, settings: SurfaceSettings, rng: np.random.Generator
) -> None:
    """Place scratches: arcs with a lit and a shaded flank, fading in and out along their way."""
    for _ in range(count):
        wild = 0.15 if rng.uniform() < 0.6 else 2.0
        heading = sheet.lay.direction + wild * float(rng.standard_normal())
        length = log_between(settings.scratch_length, rng) * sheet.pixel
        turn = float(rng.choice([-1, 1])) * between(settings.bend, rng)
        points = _arc(sheet.place(rng), heading, length, turn, rng)
        shape = Stroke(points, between(settings.scratch_width, rng) * sheet.pixel)
        sheet.truth.add(shape, SCRATCH, {"length": shape.length, "width": shape.width})
        around = sheet.around(shape, 3 * sheet.pixel)
        fade, depth = rng.uniform(0.2, 0.6), float(rng.uniform(0.25, 0.6))
        bright = float(rng.choice([1, 1, -1]))
        if around is None:
            continue
        window, here = around
        away, along, side = shape.locate(*here)
        cover = _cover((away - shape.width / 2) / sheet.pixel, 1.2)
        strength = 0.75 + 0.25 * np.cos(2 * np.pi * along / (length * fade))
        across = np.clip(away * side / (shape.width / 2), -1, 1)
        # One flank of the groove faces the lamp.
        flanks = bright * (0.55 + 0.45 * across)
        sheet.grey[window] *= 1 + cover * strength * depth * flanks


def _arc(
    start: tuple[float, float],
    heading: float,
    length: float,
    turn: float,
    rng: np.random.Generator,
) -> tuple[tuple[float, float], ...]:
    """Return 25 points of an arc that turns by `turn` radians, with a slight tremor."""
    steps = 24
    tremor = 0.03 * np.cumsum(rng.standard_normal(steps)) / np.sqrt(steps)
    headings = heading + turn * (np.arange(steps) + 0.5) / steps + tremor
    step = length / steps
    y = start[0] + np.concatenate([[0.0], np.cumsum(step * np.cos(headings))])
    x = start[1] + np.concatenate([[0.0], np.cumsum(step * np.sin(headings))])
    return tuple(zip(map(float, y), map(float, x), strict=True))
