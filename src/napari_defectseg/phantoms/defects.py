"""Defects of a transmission micrograph: placed, drawn into the intensity, noted in the truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.phantoms import contrast, draw
from napari_defectseg.phantoms.contrast import LineLook, PrecipitateLook
from napari_defectseg.phantoms.marks import DISTRACTOR, Mark, Scene
from napari_defectseg.phantoms.scenes import (
    LINE,
    PRECIPITATE,
    VOID,
    MicrographSettings,
)
from napari_defectseg.phantoms.shapes import Blob, Ellipse
from napari_defectseg.phantoms.strokes import Stroke

Array = np.ndarray[Any, Any]
PHASE_PER_NM = 0.08
"""Phase lag of electrons in the crystal, radians a nm: about half of what a mean inner potential
of 22 V gives at 200 kV, for inelastic scattering blurs the rest."""


def add_voids(
    scene: Scene, count: int, settings: MicrographSettings, rng: np.random.Generator
) -> None:
    """Place voids; a picture has one kind of them: round or faceted, of similar size."""
    facets = float(rng.choice([0.0, rng.uniform(0.2, 1.0)]))
    typical = draw.log_between(settings.void_diameter, rng)
    gain = np.log1p(draw.between(settings.void_contrast, rng))
    for _ in range(count):
        size = np.clip(typical * np.exp(0.4 * rng.standard_normal()), *settings.void_diameter)
        radius = float(size) * scene.pixel / 2
        shape = draw.blob(
            scene.place(rng),
            radius,
            rng,
            roughness=0.35 * facets + 0.03,
            stretch=float(rng.uniform(1, 1.25)),
            orders=(3, 6),
        )
        around = scene.around(shape, 0.0)
        depth = 2 * radius * float(rng.uniform(0.8, 1.1))
        if around is not None:
            window, points = around
            chord = contrast.void_chord(shape, depth, 0.6 * facets, *points)
            factor = np.exp(gain * chord / (2 * radius))
            volume = contrast.void_volume(shape, depth, 0.6 * facets)
            noted = {"size_along_beam": depth, "volume": volume}
            scene.marks.append(Mark(shape, VOID, window, factor, chord, extras=noted))


def add_precipitates(
    scene: Scene, count: int, settings: MicrographSettings, rng: np.random.Generator
) -> None:
    """Place precipitates; a picture has one or two kinds of them."""
    typical = draw.log_between(settings.precipitate_diameter, rng)
    direction = float(rng.uniform(0, np.pi))
    aspect = float(rng.choice([1.1, 1.3, 1.8, 3.0]))
    moire = float(rng.choice([0.0, 0.0, rng.uniform(0.08, 0.3)]))
    strain = float(rng.choice([0.0, 0.0, rng.uniform(0.1, 0.35)]))
    for _ in range(count):
        size = typical * np.exp(0.4 * rng.standard_normal())
        size = float(np.clip(size, *settings.precipitate_diameter)) * scene.pixel
        stretch = max(1.0, aspect * float(np.exp(0.15 * rng.standard_normal())))
        shape: Ellipse | Blob
        if rng.uniform() < 0.6:
            root, angle = float(np.sqrt(stretch)), direction + float(rng.integers(2)) * np.pi / 2
            shape = Ellipse(scene.place(rng), size / 2 * root, size / 2 / root, angle)
        else:
            shape = draw.blob(scene.place(rng), size / 2, rng, roughness=0.4, stretch=stretch)
        period = float(rng.uniform(3.5, 9)) * scene.pixel
        look = PrecipitateLook(
            depth=draw.between(settings.contrast, rng) + 0.1,
            flatness=float(rng.uniform(0, 1)),
            moire=(moire, period, float(rng.uniform(0, np.pi))),
            strain=strain,
            reflection=float(direction + 0.3),
            edge=float(rng.uniform(0.25, 0.8)) * scene.pixel,
        )
        around = scene.around(shape, 0.8 * size)
        if around is not None:
            window, points = around
            factor, noted = look.factor(shape, *points), {"contrast": look.depth}
            scene.marks.append(Mark(shape, PRECIPITATE, window, factor, extras=noted))


def add_lines(
    scene: Scene, count: int, settings: MicrographSettings, rng: np.random.Generator
) -> list[Stroke]:
    """Place dislocation lines that share a direction more or less; return them."""
    lines = []
    size = max(scene.grid.extent)
    direction, agreement = float(rng.uniform(0, np.pi)), float(rng.choice([0.15, 0.5, 3.0]))
    bend = float(rng.uniform(0.02, 0.14))
    for _ in range(count):
        heading = direction + agreement * float(rng.standard_normal())
        step = max(6 * scene.pixel, size / 80)
        points = draw.curve(
            scene.place(rng), heading, size * float(rng.uniform(0.15, 0.9)), step, bend, rng
        )
        line = Stroke(tuple(points), draw.between(settings.line_width, rng) * scene.pixel)
        look = LineLook(
            depth=draw.between(settings.contrast, rng),
            beat=float(rng.choice([0.0, rng.uniform(0.2, 0.9)])),
            period=float(rng.uniform(12, 40)) * scene.pixel,
            shift=float(rng.uniform(-1, 1)),
            double=bool(rng.uniform() < 0.12),
        )
        noted = {"contrast": look.depth, "length": line.length, "width": line.width}
        around = scene.around(line, 2 * line.width)
        if around is not None:
            window, points_here = around
            factor = look.factor(line, *points_here)
            scene.marks.append(Mark(line, LINE, window, factor, extras=noted))
        lines.append(line)
    return lines


def add_specks(scene: Scene, count: int, rng: np.random.Generator) -> None:
    """Place faint soft spots of dirt and out-of-contrast damage: background, not defects."""
    for _ in range(count):
        size = float(rng.uniform(8, 45)) * scene.pixel
        flat = float(rng.uniform(0.5, 1))
        spot = Ellipse(scene.place(rng), size / 2, size / 2 * flat, float(rng.uniform(0, np.pi)))
        around = scene.around(spot, size)
        if around is None:
            continue
        window, points = around
        u, v = spot.local(*points)
        depth = float(rng.uniform(0.02, 0.2)) * float(rng.choice([1, 1, 1, -0.7]))
        factor = 1 - depth * np.exp(-1.2 * (u * u + v * v))
        scene.marks.append(Mark(spot, DISTRACTOR, window, factor))
