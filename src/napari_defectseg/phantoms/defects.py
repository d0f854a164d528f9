"""Defects of a transmission micrograph: placed, drawn into the intensity, noted in the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.phantoms import contrast, draw
from napari_defectseg.phantoms.contrast import LineLook, LoopLook, PrecipitateLook
from napari_defectseg.phantoms.marks import DISTRACTOR, Mark, Scene
from napari_defectseg.phantoms.scenes import (
    LINE,
    LOOP,
    PRECIPITATE,
    VOID,
    MicrographSettings,
)
from napari_defectseg.phantoms.shapes import Blob, Ellipse, Stroke

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
            scene.marks.append(
                Mark(shape, VOID, window, np.exp(gain * chord / (2 * radius)), chord)
            )


def add_loops(
    scene: Scene,
    count: int,
    lines: list[Stroke],
    settings: MicrographSettings,
    rng: np.random.Generator,
) -> None:
    """Place loops: free ones, and some along the lines; a few habit planes share directions."""
    planes = [(float(rng.uniform(0, np.pi)), float(rng.uniform(0.45, 0.95))) for _ in range(4)]
    decorating = draw.between(settings.decoration, rng) if lines else 0.0
    typical = draw.log_between(settings.loop_diameter, rng)
    clumping = draw.between(settings.clumping, rng)
    clumps = [scene.place(rng) for _ in range(max(1, count // 7))]
    manner = Manner(float(rng.uniform(0, np.pi)), draw.between(settings.loop_softness, rng))
    for _ in range(count):
        centre = scene.place(rng)
        angle, flat = planes[int(rng.integers(len(planes)))]
        if rng.uniform() < decorating:
            centre, along = _on_line(lines[int(rng.integers(len(lines)))], rng)
            # Many decorating loops lie along their line.
            angle = along if rng.uniform() < 0.6 else angle
        elif rng.uniform() < clumping:
            y, x = clumps[int(rng.integers(len(clumps)))]
            off = rng.normal(0, 1.3 * typical * scene.pixel, 2)
            centre = (y + float(off[0]), x + float(off[1]))
        size = np.clip(typical * np.exp(0.45 * rng.standard_normal()), *settings.loop_diameter)
        style = str(rng.choice(settings.loop_styles))
        if size < 14 and style in ("ring", "arcs"):
            style = "dot"
        a = float(size) * scene.pixel / 2
        b = a * (rng.uniform(0.2, 0.4) if style == "edge-on" else flat)
        angle += 0.12 * float(rng.standard_normal())
        ellipse = Ellipse(centre, a, max(float(b), 1.2 * scene.pixel), angle)
        if ellipse.b > ellipse.a:
            ellipse = Ellipse(centre, ellipse.b, ellipse.a, angle)
        _draw_loop(scene, ellipse, style, manner, settings, rng)


@dataclass(frozen=True)
class Manner:
    """What all loops of a picture share: direction of g, softness of edges."""

    reflection: float
    softness: float


def _on_line(line: Stroke, rng: np.random.Generator) -> tuple[tuple[float, float], float]:
    """Return a point of a line and the line's direction there."""
    k = int(rng.integers(len(line.points) - 1))
    (y, x), (to_y, to_x) = line.points[k : k + 2]
    aside = rng.normal(0, 0.25 * line.width, 2)
    return (y + float(aside[0]), x + float(aside[1])), float(np.arctan2(to_x - x, to_y - y))


def _draw_loop(
    scene: Scene,
    ellipse: Ellipse,
    style: str,
    manner: Manner,
    settings: MicrographSettings,
    rng: np.random.Generator,
) -> None:
    look = LoopLook(
        style,
        draw.between(settings.contrast, rng),
        float(max(manner.softness * rng.uniform(0.7, 1.3), 0.5 * scene.pixel / ellipse.b)),
        manner.reflection - ellipse.angle,
        float(rng.uniform(0.16, 0.34)),
    )
    noted: dict[str, float | str] = {"contrast": look.depth, "style": style}
    around = scene.around(ellipse, 2 * ellipse.a)
    if around is None:
        return
    window, points = around
    u, v = ellipse.local(*points)
    if rng.uniform() < 0.7:
        # Strain makes images lumpy: bend the coordinates by a slow wave.
        k, phase = rng.uniform(1.0, 2.6, 2), rng.uniform(0, 2 * np.pi, 2)
        bent = 0.16 * rng.uniform()
        u, v = (
            u + bent * np.sin(k[0] * v * 2 + phase[0]),
            v + bent * np.sin(k[1] * u * 2 + phase[1]),
        )
    scene.marks.append(Mark(ellipse, LOOP, window, look.factor(u, v), extras=noted))


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
