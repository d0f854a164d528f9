"""`Look`: small copies of a pair's picture and mask, by which pairs are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.datasets.pair import Pair

Array = np.ndarray[Any, Any]
SMALL = 32
"""Edge of the square by which copies are recognised, turned and re-scaled ones too."""
SIGMA = 4.0
"""Pixels of the small copy above which brightness counts as illumination, not as content."""


@dataclass(frozen=True)
class Look:
    """What is kept of a pair while all are compared.

    Parameters
    ----------
    pair : Pair
    grey : ndarray of float32, shape (y, x)
        The picture, of a volume or movie its middle plane.
    labels : ndarray of uint8, shape (y, x)
        Its mask; of overlapping classes the first that is there.
    small : ndarray of float32, shape (32, 32)
        Mean 0 and length 1, without slow changes of brightness.
    """

    pair: Pair
    grey: Array
    labels: Array
    small: Array


def look(pair: Pair) -> Look:
    """Read a pair and return its small copies."""
    image, mask = pair.image(), pair.mask()
    lead = len(image.label_axes) - 2
    middle = tuple(n // 2 for n in image.label_shape[:lead])
    pixels = image.read(**dict(zip(image.label_axes[:lead], middle, strict=True)))
    if "c" in image.axes:
        rest = [name for name in image.axes if name not in image.label_axes[:lead]]
        pixels = pixels.astype(np.float32).mean(axis=rest.index("c"))
    grey = np.nan_to_num(pixels.astype(np.float32))
    if mask.ndim > len(image.label_axes):
        at: tuple[Any, ...] = (slice(None), *middle)
        planes = mask[at]
        known = planes == 1
        labels = np.where(known.any(axis=0), known.argmax(axis=0) + 1, 0).astype(np.uint8)
        labels[(planes == UNLABELLED).all(axis=0)] = UNLABELLED
    else:
        labels = mask[middle]
    return Look(pair, grey, labels, signature(grey))


def signature(grey: Array) -> Array:
    """Return the small square of a picture: mean 0, length 1, zeros for an even one."""
    from scipy.ndimage import gaussian_filter

    small = shrunk(grey, (SMALL, SMALL))
    small = small - gaussian_filter(small, SIGMA, mode="nearest")
    small = small - small.mean()
    length = float(np.linalg.norm(small))
    even: Array = (
        small / length if length > 1e-6 * max(1.0, float(np.abs(grey).max())) else small * 0
    )
    return even


def shrunk(grey: Array, shape: tuple[int, int]) -> Array:
    """Return a picture at another size: means over the areas of the new pixels."""
    for axis, wanted in enumerate(shape):
        grey = _along(grey, axis, wanted)
    return grey


def _along(grey: Array, axis: int, wanted: int) -> Array:
    length = grey.shape[axis]
    if length == wanted:
        return grey
    edges = np.linspace(0, length, wanted + 1)
    sums = np.concatenate(
        [np.zeros_like(np.take(grey, [0], axis), np.float64), np.cumsum(grey, axis, np.float64)],
        axis,
    )
    low = np.minimum(np.floor(edges).astype(int), length)
    high = np.minimum(low + 1, length)
    share = (edges - low).reshape([-1 if a == axis else 1 for a in range(grey.ndim)])
    at = np.take(sums, low, axis) * (1 - share) + np.take(sums, high, axis) * share
    found: Array = (np.diff(at, axis=axis) / (length / wanted)).astype(np.float32)
    return found
