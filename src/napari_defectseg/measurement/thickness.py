"""Local thickness: at every pixel the diameter of the largest ball within the object around it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled

Real = NDArray[np.float64]


def thickness_of(mask: NDArray[np.bool_], steps: Real) -> tuple[float, float]:
    """Return the mean over pixels and the largest local thickness of one object.

    The radius of a ball is the distance to the nearest pixel centre outside (Hildebrand &
    Rüegsegger 1997). Over random directions that is right; a body along the pixels that is an
    odd number of them across comes out one too thick.

    Parameters
    ----------
    mask : ndarray of bool, shape (y, x) or (z, y, x), with a margin of one pixel
    steps : ndarray of float
    """
    from scipy.ndimage import distance_transform_edt

    volume = mask if mask.ndim == 3 else mask[None]
    size = np.ones(3)
    size[3 - steps.size :] = steps
    depth = np.asarray(distance_transform_edt(mask, sampling=steps)).reshape(volume.shape)
    widest = np.zeros_like(depth)
    _spread(depth, size, widest)
    inside = 2 * widest[volume]
    return float(inside.mean()), float(inside.max())


@compiled
def _spread(depth: NDArray[Any], steps: Real, widest: NDArray[Any]) -> None:
    """Write at every pixel the radius of the largest ball that holds it."""
    for z in range(depth.shape[0]):
        for y in range(depth.shape[1]):
            for x in range(depth.shape[2]):
                if depth[z, y, x] > 0 and not _covered(depth, steps, z, y, x):
                    _paint_ball(depth, steps, widest, z, y, x)


@compiled
def _covered(depth: NDArray[Any], steps: Real, z: int, y: int, x: int) -> bool:
    """Return whether the ball of a neighbour holds the ball of this pixel."""
    for dz in range(-1, 2):
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                w, v, u = z + dz, y + dy, x + dx
                if w < 0 or v < 0 or u < 0:
                    continue
                if w >= depth.shape[0] or v >= depth.shape[1] or u >= depth.shape[2]:
                    continue
                away = np.sqrt((dz * steps[0]) ** 2 + (dy * steps[1]) ** 2 + (dx * steps[2]) ** 2)
                if away > 0 and depth[w, v, u] >= depth[z, y, x] + away:
                    return True
    return False


@compiled
def _paint_ball(
    depth: NDArray[Any], steps: Real, widest: NDArray[Any], z: int, y: int, x: int
) -> None:
    radius = depth[z, y, x]
    reach = np.empty(3, np.int64)
    for axis in range(3):
        reach[axis] = int(radius / steps[axis])
    for w in range(max(z - reach[0], 0), min(z + reach[0] + 1, depth.shape[0])):
        for v in range(max(y - reach[1], 0), min(y + reach[1] + 1, depth.shape[1])):
            rest = radius**2 - ((w - z) * steps[0]) ** 2 - ((v - y) * steps[1]) ** 2
            for u in range(max(x - reach[2], 0), min(x + reach[2] + 1, depth.shape[2])):
                if ((u - x) * steps[2]) ** 2 < rest and widest[w, v, u] < radius:
                    widest[w, v, u] = radius
