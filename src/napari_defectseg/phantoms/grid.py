"""`Grid`: the pixels of an image as points in physical space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Window = tuple[slice, ...]


@dataclass(frozen=True)
class Grid:
    """Pixel centres of an image: pixel ``i`` of an axis lies at ``i * spacing``.

    Parameters
    ----------
    shape : tuple of int
        Lengths of the spatial axes.
    spacing : tuple of float
        Distance of neighbouring centres along each axis.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]

    @property
    def extent(self) -> tuple[float, ...]:
        """Physical length of each axis."""
        return tuple(n * s for n, s in zip(self.shape, self.spacing, strict=True))

    def window(self, low: Sequence[float], high: Sequence[float]) -> Window:
        """Return indices that hold every centre between two corners; they may leave the image."""
        return tuple(
            slice(int(np.floor(a / s)), int(np.ceil(b / s)) + 1)
            for a, b, s in zip(low, high, self.spacing, strict=True)
        )

    def clipped(self, window: Window) -> Window | None:
        """Return the part of a window inside the image, None if there is none."""
        inside = tuple(
            slice(max(w.start, 0), min(w.stop, n)) for w, n in zip(window, self.shape, strict=True)
        )
        return inside if all(w.start < w.stop for w in inside) else None

    def points(self, window: Window) -> tuple[Array, ...]:
        """Return the physical coordinates of a window's centres, one open array an axis."""
        ndim = len(self.shape)
        return tuple(
            (np.arange(w.start, w.stop) * s).reshape([-1 if k == axis else 1 for k in range(ndim)])
            for axis, (w, s) in enumerate(zip(window, self.spacing, strict=True))
        )
