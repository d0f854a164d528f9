"""`Mark`: one thing drawn into a micrograph; `Scene`: all of them, before they become a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_defectseg.phantoms.grid import Grid, Window
from napari_defectseg.phantoms.shapes import Shape
from napari_defectseg.phantoms.truth import NO_EXTRAS

Array = np.ndarray[Any, Any]
DISTRACTOR = 0
"""Value of marks that are no defect."""


@dataclass(frozen=True)
class Mark:
    """One defect or distractor.

    Parameters
    ----------
    shape : Shape
        Its outline, nm.
    value : int
        Class value; `DISTRACTOR` where it belongs to the background.
    window : tuple of slices or None
        The pixels it changes; None if it lies outside of the picture.
    factor : ndarray
        What it multiplies the intensity by there.
    missing : ndarray or None
        Length of the beam's path through a void there, nm.
    extras : dict
        Its further columns in the list of objects.
    """

    shape: Shape
    value: int
    window: Window | None
    factor: Array
    missing: Array | None = None
    extras: Mapping[str, float | str] = field(default_factory=lambda: NO_EXTRAS)

    def dimmed(self, power: float) -> Mark:
        """Return it with the contrast of its factor weakened: the logarithm times `power`."""
        return replace(self, factor=self.factor**power)


@dataclass
class Scene:
    """What is to be drawn on a grid of pixels (nm)."""

    grid: Grid
    marks: list[Mark] = field(default_factory=list)

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


def composed(grid: Grid, marks: Iterable[Mark]) -> tuple[Array, Array]:
    """Return the factor on the intensity and the missing thickness (nm) of all marks."""
    factor, missing = np.ones(grid.shape), np.zeros(grid.shape)
    for mark in marks:
        if mark.window is None:
            continue
        factor[mark.window] *= mark.factor
        if mark.missing is not None:
            missing[mark.window] += mark.missing
    return factor, missing
