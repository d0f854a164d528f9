"""Defects of a transmission micrograph: placed, drawn into the intensity, noted in the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.phantoms import contrast, draw
from napari_defectseg.phantoms.contrast import LineLook, LoopLook, PrecipitateLook
from napari_defectseg.phantoms.grid import Grid, Window
from napari_defectseg.phantoms.scenes import (
    CLASSES,
    LINE,
    LOOP,
    PRECIPITATE,
    VOID,
    MicrographSettings,
)
from napari_defectseg.phantoms.shapes import Blob, Ellipse, Shape, Stroke
from napari_defectseg.phantoms.truth import NO_EXTRAS, Truth

Array = np.ndarray[Any, Any]
PHASE_PER_NM = 0.08
"""Phase lag of electrons in the crystal, radians a nm: about half of what a mean inner potential
of 22 V gives at 200 kV, for inelastic scattering blurs the rest."""


@dataclass(frozen=True)
class Scene:
    """The picture as it is being drawn.

    Parameters
    ----------
    grid : Grid
        Its pixels, nm.
    truth : Truth
        What has been placed.
    factor : ndarray
        Factor on the intensity, multiplied up by each defect.
    missing : ndarray
        Length of the beam's path through voids, nm.
    labelled : tuple of str
        Classes noted in the truth.
    """

    grid: Grid
    truth: Truth
    factor: Array
    missing: Array
    labelled: tuple[str, ...]

    @classmethod
    def empty(cls, grid: Grid, truth: Truth, labelled: tuple[str, ...]) -> Scene:
        """Return a scene without defects."""
        return cls(grid, truth, np.ones(grid.shape), np.zeros(grid.shape), labelled)

    @property
    def pixel(self) -> float:
        """Pixel size, nm."""
        return self.grid.spacing[0]

    def place(self, rng: np.random.Generator) -> tuple[float, float]:
        """Return a random point of the field."""
        y, x = (float(rng.uniform(-0.5, n - 0.5)) * self.pixel for n in self.grid.shape)
        return y, x

    def around(self, shape: Shape, margin: float) -> tuple[Window, tuple[Array, ...]] | None:
        """Return the window about a shape and its points; None if it is outside."""
        low, high = shape.bounds()
        window = self.grid.clipped(
            self.grid.window([v - margin for v in low], [v + margin for v in high])
        )
        return None if window is None else (window, self.grid.points(window))

    def note(self, shape: Shape, value: int, extras: Mapping[str, float | str] = NO_EXTRAS) -> None:
        """Write an object into the truth if its class is labelled."""
        if CLASSES.by_value(value).name in self.labelled:
            self.truth.add(shape, value, extras)

    def darken(self, window: Window, factor: Array) -> None:
        """Multiply a factor into the intensity."""
        self.factor[window] *= factor


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
        scene.note(shape, VOID)
        if around is not None:
            window, points = around
            depth = 2 * radius * float(rng.uniform(0.8, 1.1))
            chord = contrast.void_chord(shape, depth, 0.6 * facets, *points)
            scene.missing[window] += chord
            scene.darken(window, np.exp(gain * chord / (2 * radius)))


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
    reflection = float(rng.uniform(0, np.pi))
    for _ in range(count):
        centre = scene.place(rng)
        angle, flat = planes[int(rng.integers(len(planes)))]
        if rng.uniform() < decorating:
            chain = lines[int(rng.integers(len(lines)))].points
            centre = chain[int(rng.integers(len(chain)))]
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
        _draw_loop(scene, ellipse, style, reflection, settings, rng)


def _draw_loop(
    scene: Scene,
    ellipse: Ellipse,
    style: str,
    reflection: float,
    settings: MicrographSettings,
    rng: np.random.Generator,
) -> None:
    look = LoopLook(
        style,
        draw.between(settings.contrast, rng),
        float(max(rng.uniform(0.06, 0.22), 0.5 * scene.pixel / ellipse.b)),
        reflection - ellipse.angle,
        float(rng.uniform(0.16, 0.34)),
    )
    scene.note(ellipse, LOOP, {"contrast": look.depth, "style": style})
    around = scene.around(ellipse, 1.4 * ellipse.a)
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
    scene.darken(window, look.factor(u, v))


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
        scene.note(shape, PRECIPITATE, {"contrast": look.depth})
        around = scene.around(shape, 0.8 * size)
        if around is not None:
            window, points = around
            scene.darken(window, look.factor(shape, *points))


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
        scene.note(line, LINE, noted)
        around = scene.around(line, 2 * line.width)
        if around is not None:
            window, points_here = around
            scene.darken(window, look.factor(line, *points_here))
        lines.append(line)
    return lines


def add_specks(
    scene: Scene, count: int, settings: MicrographSettings, rng: np.random.Generator
) -> None:
    """Place faint soft spots of dirt and out-of-contrast damage: background, not defects."""
    del settings
    for _ in range(count):
        size = float(rng.uniform(8, 45)) * scene.pixel
        flat = float(rng.uniform(0.5, 1))
        spot = Ellipse(scene.place(rng), size / 2, size / 2 * flat, float(rng.uniform(0, np.pi)))
        around = scene.around(spot, size)
        if around is None:
            continue
        window, points = around
        u, v = spot.local(*points)
        depth = float(rng.uniform(0.02, 0.1)) * float(rng.choice([1, 1, 1, -0.7]))
        scene.darken(window, 1 - depth * np.exp(-1.2 * (u * u + v * v)))
