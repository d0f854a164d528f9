"""`Course`: how one keyhole goes through a movie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.phantoms.draw import between
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.keyhole import Keyhole
from napari_defectseg.phantoms.movie_settings import MovieSettings

Array = np.ndarray[Any, Any]


def unrest(frames: int, rng: np.random.Generator) -> Array:
    """Return fluctuation over time: an AR(1) process of unit variance, cut at 2.5."""
    value, values = float(rng.standard_normal()), []
    for _ in range(frames):
        value = 0.6 * value + 0.8 * float(rng.standard_normal())
        values.append(value)
    return np.clip(values, -2.5, 2.5)


@dataclass(frozen=True)
class Course:
    """A keyhole's way and manner; lengths in µm.

    Parameters
    ----------
    start : float
        x of its first spot, counted from the side that the laser comes from.
    width, room : float
        Width of the picture; height of the metal in it.
    laser_on : int
        First frame of the laser.
    depths : ndarray
        Depth in each frame, once it is full grown.
    half : float
        Half-width of its shaft.
    manner : dict
        Parameters of `Keyhole` that last.
    """

    start: float
    width: float
    room: float
    laser_on: int
    depths: Array
    half: float
    manner: dict[str, float]

    @classmethod
    def drawn(
        cls,
        frames: int,
        grid: Grid,
        room: float,
        settings: MovieSettings,
        rng: np.random.Generator,
    ) -> Course:
        """Return a random one; `room` is the metal's height in the picture."""
        width = grid.extent[1]
        mean = between(settings.depth, rng) * room
        laser_on = min(int(rng.integers(*settings.before, endpoint=True)), frames - 1)
        depths = mean * (1 + between(settings.unrest, rng) * unrest(frames, rng))
        half = mean / between(settings.slenderness, rng) / 2
        manner = {
            "lean": float(rng.uniform(0.02, 0.25)),
            "hook": float(rng.uniform(0.0, 0.3)),
            "mouth": float(rng.uniform(0.2, 1.6)),
            "bulb": float(rng.uniform(0.0, 0.3)),
            "rear": float(rng.uniform(0.5, 1.0)),
        }
        start = float(rng.uniform(0.1, 0.45)) * width
        return cls(start, width, room, laser_on, depths, half, manner)

    def keyholes(
        self, surface: float, ahead: int, step: float, rng: np.random.Generator
    ) -> list[Keyhole | None]:
        """Return the keyhole of each frame; it grows within a few frames."""
        frames, look = len(self.depths), self.manner
        bulbs, hooks = unrest(frames, rng), unrest(frames, rng)
        holes: list[Keyhole | None] = []
        for frame in range(frames):
            spot = self.start + step * (frame - self.laser_on)
            if frame < self.laser_on or not 0 <= spot <= self.width:
                holes.append(None)
                continue
            growth = 1 - 0.75 * np.exp(-(frame - self.laser_on + 0.5) / 1.2)
            holes.append(
                Keyhole(
                    (surface, float(spot if ahead > 0 else self.width - spot)),
                    float(min(self.depths[frame] * growth, 0.97 * self.room)),
                    float(self.half * (0.9 + 0.05 * bulbs[frame])),
                    ahead,
                    look["lean"],
                    float(np.clip(look["hook"] + 0.08 * hooks[frame], -0.1, 0.45)),
                    look["mouth"],
                    0.2,
                    float(np.clip(look["bulb"] + 0.12 * bulbs[frame], 0, 0.5)),
                    look["rear"],
                )
            )
        return holes
