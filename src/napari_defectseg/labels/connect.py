"""The one place where this room asks for connected objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage
from skimage import measure

from napari_defectseg.core.axes import Axes
from napari_defectseg.labels.edit import Mask, Numbers


def label(
    mask: np.ndarray[Any, np.dtype[Any]], connectivity: int | None = None
) -> tuple[Numbers, int]:
    """Return the connected objects of equal value, numbered.

    Parameters
    ----------
    mask : ndarray of bool or uint8
        0 is background; neighbouring pixels belong together if they have the same value.
    connectivity : int or None
        How many axes a step between neighbours may take; None: all (8 in 2D, 26 in 3D).

    Returns
    -------
    ndarray of int32, int
        Numbers from 1 in raster order of the first pixel, and how many.
    """
    values = mask.view(np.uint8) if mask.dtype == np.bool_ else mask
    numbers, count = measure.label(values, background=0, return_num=True, connectivity=connectivity)
    return np.asarray(numbers, dtype=np.int32), int(count)


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
