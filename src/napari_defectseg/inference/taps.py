"""Resizing along axes: which pixels of one grid make a pixel of another, and with what weight.

Both grids cover the same field: pixel ``i`` of ``n`` lies at ``(i + 0.5) / n``. A part of a
resized array is what the whole would be there, for every weight depends on places alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Kernel: TypeAlias = Literal["cubic", "linear"]
_RADIUS = {"cubic": 2.0, "linear": 1.0}


@dataclass(frozen=True)
class Taps:
    """Weights for a run of pixels along one axis.

    Parameters
    ----------
    index : ndarray of int, shape (n, k)
        Places in the source, the first and last pixel repeated beyond its ends.
    weight : ndarray of float64, shape (n, k)
        Each row has the sum 1.
    """

    index: Array
    weight: Array

    @property
    def span(self) -> slice:
        """The part of the source that is looked at."""
        return slice(int(self.index.min()), int(self.index.max()) + 1)

    def apply(self, block: Array, axis: int, start: int) -> Array:
        """Return the block resized along an axis.

        Parameters
        ----------
        block : ndarray of float
            Covers `span`.
        axis : int
        start : int
            Place of its first pixel in the source.
        """
        shape = tuple(-1 if n == axis else 1 for n in range(block.ndim))
        result: Array = np.zeros((), block.dtype)
        for index, weight in zip(self.index.T, self.weight.T, strict=True):
            part = np.take(block, index - start, axis=axis)
            result = result + part * weight.astype(block.dtype).reshape(shape)
        return result


def taps(source: int, target: int, run: slice, kernel: Kernel, *, smooth: bool = True) -> Taps:
    """Return the weights of a run of pixels.

    Parameters
    ----------
    source, target : int
        Lengths of both grids.
    run : slice
        Of the target.
    kernel : {"cubic", "linear"}
        Catmull-Rom spline (Keys 1981, a = -1/2), or the triangle, which never overshoots.
    smooth : bool
        Widen the kernel where the target is coarser, so that nothing finer than its pixels
        folds back (no aliases).
    """
    scale = max(1.0, source / target) if smooth else 1.0
    places = (np.arange(run.start, run.stop) + 0.5) * (source / target) - 0.5
    reach = _RADIUS[kernel] * scale
    first = np.floor(places - reach).astype(np.int64) + 1
    index = first[:, None] + np.arange(math.ceil(2 * reach))
    distance = np.abs(index - places[:, None]) / scale
    weight = _cubic(distance) if kernel == "cubic" else np.maximum(0.0, 1.0 - distance)
    return Taps(np.clip(index, 0, source - 1), weight / weight.sum(axis=1, keepdims=True))


def reach_back(source: int, target: int, *, smooth: bool) -> int:
    """Return how many pixels beyond its own a run of `target` looks at in `source`, linear."""
    return math.ceil(max(1.0, source / target) if smooth else 1.0) + 1


def _cubic(x: Array) -> Array:
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    inner: Array = np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))
    return inner


def eight_bit(plane: Array, shape: tuple[int, int], box: tuple[slice, slice]) -> Array:
    """Return a part of an 8-bit plane resized bilinear in OpenCV's integers, to the last bit.

    What ``cv2.resize(plane, …, interpolation=INTER_LINEAR)`` gives: weights of 11 bits, no
    smoothing. Networks that were trained on such images see exactly them.

    Parameters
    ----------
    plane : ndarray of uint8, shape (..., y, x)
    shape : tuple of int
        Of the whole resized plane.
    box : tuple of slice
        Which part of it.
    """
    rows, below, y = _fixed(plane.shape[-2], shape[0], box[0], clamped=False)
    columns, beside, x = _fixed(plane.shape[-1], shape[1], box[1], clamped=True)
    wide = plane.astype(np.int64)
    mixed = wide[..., columns] * x[0] + wide[..., beside] * x[1]
    upper = (y[0][:, None] * (mixed[..., rows, :] >> 4)) >> 16
    lower = (y[1][:, None] * (mixed[..., below, :] >> 4)) >> 16
    found: Array = ((upper + lower + 2) >> 2).astype(np.uint8)
    return found


def _fixed(
    source: int, target: int, run: slice, *, clamped: bool
) -> tuple[Array, Array, tuple[Array, Array]]:
    """Return both neighbours of each pixel and their weights in 2048ths.

    Along x OpenCV takes the border pixel alone, along y it mixes it with itself.
    """
    places = (np.arange(run.start, run.stop) + 0.5) * (source / target) - 0.5
    places = places.astype(np.float32)
    first = np.floor(places).astype(np.int64)
    part = places - first.astype(np.float32)
    if clamped:
        part = np.where((first < 0) | (first >= source - 1), np.float32(0), part)
    whole = np.float32(2048)
    weights = (
        np.rint((np.float32(1) - part) * whole).astype(np.int64),
        np.rint(part * whole).astype(np.int64),
    )
    return np.clip(first, 0, source - 1), np.clip(first + 1, 0, source - 1), weights
