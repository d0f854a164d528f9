"""Planes and volumes brought to another number of pixels, as nnU-Net does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
ANISOTROPIC = 3.0
"""Times that the coarsest axis must be coarser than the finest to be treated by itself."""


def new_shape(
    shape: Sequence[int], spacing: Sequence[float], wanted: Sequence[float]
) -> tuple[int, ...]:
    """Return the lengths at another spacing, one pixel at least."""
    return tuple(
        max(1, round(have / want * n)) for n, have, want in zip(shape, spacing, wanted, strict=True)
    )


def axis_apart(
    spacing: Sequence[float], wanted: Sequence[float], separate: bool | None
) -> int | None:
    """Return the axis that is resampled by itself, None if there is none.

    It is the coarsest axis of the spacing that is anisotropic, the present one first, and only
    where no other axis is as coarse.
    """
    if separate is False:
        return None
    for steps in (spacing, wanted):
        if separate or max(steps) / min(steps) > ANISOTROPIC:
            coarsest = [n for n, step in enumerate(steps) if max(steps) / step == 1]
            return coarsest[0] if len(coarsest) == 1 else None
    return None


def resampled(block: Array, shape: Sequence[int], apart: int | None, order: int) -> Array:
    """Return a block with other lengths.

    Parameters
    ----------
    block : ndarray, shape (channel, *spatial)
    shape : sequence of int
        The lengths wanted.
    apart : int or None
        The axis that gets the nearest pixels instead of a spline.
    order : int
        Of the spline; beyond the border the last pixel continues. Nothing is smoothed before.

    Returns
    -------
    ndarray, shape (channel, *shape)
        Of the type of the block.
    """
    if tuple(block.shape[1:]) == tuple(shape):
        return block
    result = np.empty((block.shape[0], *shape), block.dtype)
    for channel, values in enumerate(block):
        if apart is None:
            result[channel] = _resized(values, shape, order)
            continue
        slices = np.moveaxis(values, apart, 0)
        rest = [n for axis, n in enumerate(shape) if axis != apart]
        thin = np.stack([_resized(one, rest, order) for one in slices])
        result[channel] = np.moveaxis(thin[_nearest(len(thin), shape[apart])], 0, apart)
    return result


def _resized(values: Array, shape: Sequence[int], order: int) -> Array:
    from skimage.transform import resize

    wide = values.astype(np.float64)
    found: Array = resize(wide, tuple(shape), order, mode="edge", anti_aliasing=False)
    return found


def _nearest(length: int, wanted: int) -> Array:
    """Return which old pixel each new one takes: the centre that is nearest, the later of two."""
    places = length / wanted * (np.arange(wanted) + 0.5) - 0.5
    found: Array = np.clip(np.floor(places + 0.5), 0, length - 1).astype(np.intp)
    return found
