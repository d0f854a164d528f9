"""What an expert would still label: contrast of each mark against noise and clutter.

The measure is the root mean square of the change of intensity that a mark makes within its
outline, over the standard deviation of the background at the scale of `EYE` pixels about it
(shot noise and structure of the background together). Of the loops that experts drew in
micrographs of steel and titanium, 95 of 100 have more than about 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from napari_defectseg.phantoms import optics
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.marks import DISTRACTOR, Mark
from napari_defectseg.phantoms.optics import Camera

Array = np.ndarray[Any, Any]
EYE = 2.0
"""Sigma over which a viewer averages noise, px."""
FINEST = 0.25
"""Smallest change of intensity that is labelled, in standard deviations of the picture: a screen
shows no less."""
HINT = 0.6
"""Distractors keep below that share of the floor."""


@dataclass(frozen=True)
class Background:
    """Levels that a mark must exceed, a value a pixel or one for all, in units of intensity."""

    disturbance: Array
    spread: float

    @classmethod
    def of(cls, empty: Array, full: Array, camera: Camera) -> Background:
        """Measure it: `empty` and `full` are noise-free pictures without and with marks."""
        structure = ndimage.gaussian_filter(empty, EYE) - ndimage.gaussian_filter(empty, 8 * EYE)
        clutter = np.maximum(ndimage.gaussian_filter(structure**2, 12 * EYE), 0)
        noise = camera.noise(np.maximum(empty, 0), EYE)
        return cls(np.sqrt(clutter + noise**2), float(full.std()))


def visibility(
    mark: Mark, grid: Grid, full: Array, void_free: Array, level: Background, blur: float
) -> float:
    """Return the contrast of a mark in units of what disturbs it; 0 where nothing of it shows."""
    if mark.window is None:
        return 0.0
    inside = mark.shape.level(*grid.points(mark.window)) <= 0
    if not inside.any():
        return 0.0
    change = full[mark.window] * (1 / np.maximum(mark.factor, 0.05) - 1)
    if mark.missing is not None:
        change = full[mark.window] - void_free[mark.window]
    change = optics.blurred(change, blur)[inside]
    depth = float(np.sqrt(np.mean(change**2)))
    disturbance = float(level.disturbance[mark.window][inside].mean())
    return depth / max(disturbance, FINEST * level.spread, 1e-9)


def visible(
    marks: Sequence[Mark],
    grid: Grid,
    clean: Callable[[Sequence[Mark]], Array],
    camera: Camera,
    floor: float,
) -> list[Mark]:
    """Return the marks to draw: defects below `floor` are left out, distractors kept below it.

    Parameters
    ----------
    marks : sequence of Mark
        In the order of drawing.
    grid : Grid
        The pixels.
    clean : callable
        Makes the noise-free picture of some marks.
    camera : Camera
        Where the noise comes from.
    floor : float
        Smallest visibility; 0 keeps everything as it is.
    """
    if floor <= 0:
        return list(marks)
    full = clean(marks)
    void_free = clean([mark for mark in marks if mark.missing is None])
    level = Background.of(clean(()), full, camera)
    kept = []
    for mark in marks:
        seen = visibility(mark, grid, full, void_free, level, camera.softness)
        if mark.value == DISTRACTOR:
            kept.append(mark.dimmed(min(1.0, HINT * floor / max(seen, 1e-9))))
        elif seen >= floor:
            kept.append(mark)
    return kept
