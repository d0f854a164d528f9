"""`Stroke`: the outline of lines and scratches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.phantoms.shapes import half_turn

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Stroke:
    """A line of constant width along a chain of points, with round ends.

    Parameters
    ----------
    points : tuple of (float, float)
        y, x of the chain; consecutive points differ.
    width : float
        Full width.
    """

    points: tuple[tuple[float, float], ...]
    width: float

    @property
    def length(self) -> float:
        """Length of its centre line."""
        return float(np.hypot(*np.diff(np.asarray(self.points), axis=0).T).sum())

    @property
    def measure(self) -> float:
        """Area of the tube: L w + πw²/4, and the wedges at each bend.

        Exact where the tube does not meet itself again.
        """
        steps = np.diff(np.asarray(self.points), axis=0)
        headings = np.arctan2(steps[:, 1], steps[:, 0])
        bends = np.abs((np.diff(headings) + np.pi) % (2 * np.pi) - np.pi)
        half = self.width / 2
        wedges = half**2 * (bends / 2 - np.tan(bends / 2))
        return float(self.length * self.width + np.pi * half**2 + wedges.sum())

    @property
    def centre(self) -> tuple[float, float]:
        """Mean position along its centre line."""
        chain = np.asarray(self.points)
        steps = np.hypot(*np.diff(chain, axis=0).T)
        middle = (chain[1:] + chain[:-1]) / 2
        y, x = (middle * steps[:, None]).sum(axis=0) / steps.sum()
        return float(y), float(x)

    @property
    def axes(self) -> tuple[float, ...]:
        """Length with both round ends, and width."""
        return self.length + self.width, self.width

    @property
    def orientation(self) -> float:
        """Direction from its first point to its last."""
        (y0, x0), (y1, x1) = self.points[0], self.points[-1]
        return half_turn(float(np.arctan2(x1 - x0, y1 - y0)))

    def bounds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the corners of the bounding box."""
        chain = np.asarray(self.points)
        half = self.width / 2
        return tuple(chain.min(axis=0) - half), tuple(chain.max(axis=0) + half)

    def level(self, *points: Array) -> Array:
        """Return the signed distance of points y, x."""
        return self.locate(*points)[0] - self.width / 2

    def locate(self, y: Array, x: Array) -> tuple[Array, Array, Array]:
        """Return distance from the centre line, length along it, and side (+1, -1) of points."""
        y, x = np.broadcast_arrays(y, x)
        distance = np.full(y.shape, np.inf)
        along, side = np.zeros(y.shape), np.ones(y.shape)
        start = 0.0
        for (y0, x0), (y1, x1) in zip(self.points[:-1], self.points[1:], strict=True):
            step = float(np.hypot(y1 - y0, x1 - x0))
            ey, ex = (y1 - y0) / step, (x1 - x0) / step
            t = np.clip((y - y0) * ey + (x - x0) * ex, 0, step)
            here = np.hypot(y - y0 - t * ey, x - x0 - t * ex)
            nearer = here < distance
            distance = np.where(nearer, here, distance)
            along = np.where(nearer, start + t, along)
            side = np.where(nearer, np.sign((x - x0) * ey - (y - y0) * ex), side)
            start += step
        return distance, along, side
