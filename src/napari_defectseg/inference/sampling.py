"""A fair sample of an image to fit its preprocessing to: the same one every time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_defectseg.inference.layout import Index, Layout

MOST = 1 << 25
"""Pixels that are measured; a larger image is sampled in evenly spaced planes or rows."""
COPIES = 4
"""Times that measured pixels are in memory while they are sorted, in their own type."""


def most_within(memory: int, layout: Layout) -> int:
    """Return how many pixels may be measured: fewer than `MOST` where memory is very little.

    Parameters
    ----------
    memory : int
        Bytes that the whole run may take.
    layout : Layout
    """
    each = COPIES * layout.image.dtype.itemsize * layout.channels.wanted
    return max(1, min(MOST, memory // each))


def sample(layout: Layout, most: int = MOST) -> np.ndarray[Any, Any]:
    """Return the image, or evenly spaced parts of it, as the network's channels.

    Parameters
    ----------
    layout : Layout
    most : int
        Pixels; at least a row of each plane or volume that is chosen.

    Returns
    -------
    ndarray, shape (in_channels, n)
    """
    layout = layout.everywhere()  # a region gets the grey values that the whole image gets
    indices = list(layout.indices())
    size = math.prod(layout.shape)
    wanted = max(1, most // size)
    if wanted < len(indices):
        chosen = np.linspace(0, len(indices) - 1, wanted).round().astype(int)
        indices = [indices[i] for i in chosen]
    parts = [sample_of(layout, index, most // len(indices)) for index in indices]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def sample_of(layout: Layout, index: Index, most: int = MOST) -> np.ndarray[Any, Any]:
    """Return a plane or volume, or evenly spaced slabs along its first axis.

    Parameters
    ----------
    layout : Layout
    index : tuple of int
    most : int
        Pixels; at least one row of a plane or one plane of a volume.

    Returns
    -------
    ndarray, shape (in_channels, n)
    """
    length, *rest = layout.shape
    rows = max(1, most // math.prod(rest))
    if rows >= length:
        block = layout.read(index)
        return block.reshape(block.shape[0], -1)
    whole = tuple(slice(None) for _ in rest)
    starts = np.unique(np.linspace(0, length - 1, rows).round().astype(int))
    blocks = [layout.read(index, (slice(s, s + 1), *whole)) for s in starts.tolist()]
    return np.concatenate([block.reshape(block.shape[0], -1) for block in blocks], axis=1)
