"""The shadow of an object along a direction, and the size of what its smooth outline holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.runs import find_runs
from napari_defectseg.measurement.extents import hull_points
from napari_defectseg.measurement.hulls import polygon_pixels

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]


def shadow(mask: Mask, steps: Real, direction: Real) -> tuple[Mask, float]:
    """Return the shadow of an object and the area of one of its pixels.

    Along an axis of the volume it is exact. Along others the object is turned first, on a grid
    of its smallest pixel size, linearly between voxels and cut at one half.

    Parameters
    ----------
    mask : ndarray of bool, shape (z, y, x)
    steps : ndarray of float, shape (3,)
    direction : ndarray of float, shape (3,)
        A unit vector.
    """
    axis = int(np.abs(direction).argmax())
    if abs(direction[axis]) > 1 - 1e-12:
        return _flattened(mask, axis), float(np.delete(steps, axis).prod())
    pitch = float(steps.min())
    return _flattened(_turned(mask, steps, direction, pitch), 0), pitch * pitch


def _flattened(mask: Mask, axis: int) -> Mask:
    return np.asarray(mask.any(axis=axis), bool)


def hull_size(shade: Mask) -> float:
    """Return how many pixels the convex hull of a shadow holds."""
    runs = find_runs(shade)
    lines = np.repeat(np.arange(shade.shape[0]), np.diff(runs.first))
    flat = np.stack([np.zeros_like(lines), lines, runs.start, runs.stop], axis=1)
    points = hull_points(np.ascontiguousarray(flat, np.int32))
    return float(polygon_pixels(points, 0, len(points)))


def _turned(mask: Mask, steps: Real, direction: Real, pitch: float) -> Mask:
    """Return the object with `direction` along the first axis, in cubes of `pitch`."""
    from scipy.ndimage import affine_transform

    # Rows: an orthonormal frame that begins with the direction.
    frame = np.linalg.svd(direction[None])[2]
    half = np.abs(frame) @ (np.array(mask.shape) * steps) / 2
    shape = 2 * np.ceil(half / pitch).astype(int) + 3
    matrix = frame.T * pitch / steps[:, None]
    offset = (np.array(mask.shape) - 1) / 2 - matrix @ ((shape - 1) / 2)
    solid = affine_transform(
        mask.astype(np.float32), matrix, offset, tuple(shape.tolist()), order=1
    )
    # Of an object thinner than a voxel nothing may be left: then its largest values stand for it.
    turned: Mask = solid >= min(0.5, float(solid.max()))
    return turned
