"""Pixels in the order in which a falling level reaches them from a seed; compiled."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled


def flood(
    heights: NDArray[np.float32], seed: tuple[int, ...], near: NDArray[np.bool_], least: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return pixels in the order in which a falling level connects them with a seed.

    The first k of them, where the level falls behind the k-th, are the connected part of
    ``heights >= level`` that holds the seed.

    Parameters
    ----------
    heights : ndarray of float32
        -inf where it may not go.
    seed : tuple of int
    near : ndarray of bool
        The neighbourhood of a pixel.
    least : int
        Go on until so many are found and the level has fallen once more.

    Returns
    -------
    ndarray of int64, ndarray of float32
        Places in the C order of `heights`, and the level at which each is reached.
    """
    padded = np.pad(heights, 1, constant_values=-np.inf)
    steps = np.array(np.nonzero(near)).T - 1
    strides = np.array([int(np.prod(padded.shape[axis + 1 :])) for axis in range(padded.ndim)])
    offsets = (steps * strides).sum(axis=1)
    offsets = offsets[offsets != 0].astype(np.int64)
    start = int(np.dot(np.array(seed) + 1, strides))
    order, levels = _descend(padded.reshape(-1), start, offsets, least)
    places: Any = np.unravel_index(order, padded.shape)
    flat = np.ravel_multi_index([place - 1 for place in places], heights.shape)
    return flat.astype(np.int64), levels


@compiled
def _descend(
    heights: NDArray[np.float32], start: int, offsets: NDArray[np.int64], least: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    seen = np.zeros(heights.size, np.bool_)
    order = np.empty(heights.size, np.int64)
    levels = np.empty(heights.size, np.float32)
    waiting = [(-heights[start], start)]
    seen[start] = True
    level = heights[start]
    count = 0
    while len(waiting) > 0:
        negative, here = heappop(waiting)
        if -negative < level:
            if count >= least:
                break
            level = -negative
        order[count] = here
        levels[count] = level
        count += 1
        for offset in offsets:
            there = here + offset
            if not seen[there] and heights[there] > -np.inf:
                seen[there] = True
                heappush(waiting, (-heights[there], there))
    return order[:count].copy(), levels[:count].copy()
