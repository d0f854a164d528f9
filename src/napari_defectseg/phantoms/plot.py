"""`Plot`: what happens in a movie, frame by frame: the keyhole, and pores that stay behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.phantoms.beamline import Beamline
from napari_defectseg.phantoms.course import Course, unrest
from napari_defectseg.phantoms.draw import between, log_between
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.keyhole import Keyhole
from napari_defectseg.phantoms.movie_settings import MovieSettings
from napari_defectseg.phantoms.shapes import Ellipse

Array = np.ndarray[Any, Any]
Point = tuple[float, float]


@dataclass(frozen=True)
class Pore:
    """A pore over time: it drifts in the melt and stops when that freezes."""

    label: int
    born: int
    start: Point
    drift: Point
    freezing: float
    radii: Point
    angle: float

    def at(self, frame: int) -> Ellipse:
        """Return its outline in a frame."""
        moved = self.freezing * (1 - np.exp(-(frame - self.born) / self.freezing))
        y, x = (float(s + d * moved) for s, d in zip(self.start, self.drift, strict=True))
        return Ellipse((y, x), *self.radii, self.angle)


@dataclass(frozen=True)
class Plot:
    """All that happens.

    Parameters
    ----------
    surface : float
        y of the undisturbed surface, µm.
    ahead : int
        +1 if the laser moves to larger x, else -1.
    speed : float
        Of the laser, µm/µs.
    keyholes : tuple of Keyhole or None
        Of each frame; None without one.
    bumps : tuple of float
        Height of the melt behind the keyhole in each frame, µm.
    pores : tuple of Pore
        Those that can be seen.
    too_faint : int
        How many others were left out.
    """

    surface: float
    ahead: int
    speed: float
    keyholes: tuple[Keyhole | None, ...]
    bumps: tuple[float, ...]
    pores: tuple[Pore, ...]
    too_faint: int

    def pores_at(self, frame: int) -> list[Pore]:
        """Return the pores that are there in a frame."""
        return [pore for pore in self.pores if pore.born <= frame]

    def track(self, frame: int) -> Point | None:
        """Return where the laser has been, from its first spot to the one of a frame, x in µm."""
        spots = [hole.top[1] for hole in self.keyholes[: frame + 1] if hole is not None]
        return (spots[0], spots[-1]) if spots else None


def plotted(
    frames: int, grid: Grid, beamline: Beamline, settings: MovieSettings, rng: np.random.Generator
) -> Plot:
    """Return a random plot for that many frames."""
    height = grid.extent[0]
    surface = between(settings.surface, rng) * height
    ahead = int(rng.choice([-1, 1]))
    speed = between(settings.speed, rng)
    course = Course.drawn(frames, grid, height - surface, settings, rng)
    holes = course.keyholes(surface, ahead, speed * settings.frame_time, rng)
    rise = between(settings.bump, rng) * (1 + 0.2 * unrest(frames, rng))
    bumps = [0.0 if hole is None else float(rise[k] * hole.depth) for k, hole in enumerate(holes)]
    pores = [
        *_old_pores(grid, surface, beamline.wall, settings, rng),
        *_new_pores(holes, settings, rng),
    ]
    floor = settings.visibility
    seen = [p for p in pores if beamline.signal_to_noise(p.radii, grid.spacing[0]) >= floor]
    numbered = tuple(_numbered(pore, k) for k, pore in enumerate(seen, start=2))
    return Plot(surface, ahead, speed, tuple(holes), tuple(bumps), numbered, len(pores) - len(seen))


def _old_pores(
    grid: Grid, surface: float, wall: bool, settings: MovieSettings, rng: np.random.Generator
) -> list[Pore]:
    height, width = grid.extent
    many = settings.wall_pores if wall else settings.old_pores
    pores = []
    for _ in range(int(rng.integers(*many, endpoint=True))):
        place = rng.uniform(surface + 0.15 * (height - surface), height), rng.uniform(0, width)
        pores.append(_pore(0, place, (0.0, 0.0), settings, rng))
    return pores


def _new_pores(
    holes: Sequence[Keyhole | None], settings: MovieSettings, rng: np.random.Generator
) -> list[Pore]:
    """Return pores pinched off the rear of the keyhole's bottom."""
    pores = []
    for frame, hole in enumerate(holes):
        for _ in range(0 if hole is None else int(rng.poisson(settings.pore_rate))):
            assert hole is not None
            s = np.array(rng.uniform(0.8, 0.98))
            x = hole.middle(s) - hole.ahead * (hole.half(s) + rng.uniform(0.02, 0.1) * hole.depth)
            drift = (
                -float(rng.uniform(-0.01, 0.04)) * hole.depth,
                -hole.ahead * float(rng.uniform(0, 0.05)) * hole.depth,
            )
            place = hole.top[0] + float(s) * hole.depth, float(x)
            pores.append(_pore(frame, place, drift, settings, rng))
    return pores


def _pore(
    born: int, place: Point, drift: Point, settings: MovieSettings, rng: np.random.Generator
) -> Pore:
    radius = log_between(settings.pore_diameter, rng) / 2
    flat = float(rng.uniform(0.8, 1))
    radii = float(radius / np.sqrt(flat)), float(radius * np.sqrt(flat))
    freezing, angle = float(rng.uniform(1.5, 5)), float(rng.uniform(0, np.pi))
    return Pore(0, born, place, drift, freezing, radii, angle)


def _numbered(pore: Pore, label: int) -> Pore:
    return Pore(label, pore.born, pore.start, pore.drift, pore.freezing, pore.radii, pore.angle)
