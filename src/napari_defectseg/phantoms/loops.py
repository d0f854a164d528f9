"""Dislocation loops of a transmission micrograph: placed, drawn into the intensity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_defectseg.phantoms import draw
from napari_defectseg.phantoms.contrast import LoopLook
from napari_defectseg.phantoms.marks import Mark, Scene
from napari_defectseg.phantoms.scenes import LOOP, MicrographSettings
from napari_defectseg.phantoms.shapes import Ellipse
from napari_defectseg.phantoms.strokes import Stroke


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
