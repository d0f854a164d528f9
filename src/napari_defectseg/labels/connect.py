"""Neighbourhoods, and the connected parts of small masks."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from napari_defectseg.core.axes import Axes
from napari_defectseg.labels.edit import Mask, Numbers


def neighbours(axes: Axes) -> Mask:
    """Return the neighbourhood of a pixel: all around in space, none from frame to frame."""
    around = np.ones((3,) * len(axes), bool)
    for axis, name in enumerate(axes):
        if name == "t":
            sides = [slice(None)] * len(axes)
            for end in (0, 2):
                sides[axis] = slice(end, end + 1)
                around[tuple(sides)] = False
    return around


def parts_of(mask: Mask, around: Mask) -> tuple[Numbers, int]:
    """Return the connected parts of a mask, numbered.

    Parameters
    ----------
    mask : ndarray of bool
    around : ndarray of bool
        The neighbourhood, from `neighbours`.

    Returns
    -------
    ndarray of int32, int
        Numbers from 1 in raster order, and how many.
    """
    numbers, count = ndimage.label(mask, around)
    return np.asarray(numbers, np.int32), int(count)
