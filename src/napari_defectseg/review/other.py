"""Another person's or program's labels, as a label map to compare with."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.construct import from_instances, from_mask
from napari_defectseg.labels.labelmap import LabelMap


def other_labels(array: np.ndarray[Any, Any], like: LabelMap) -> LabelMap:
    """Return the objects of an array that says nothing of what its numbers mean.

    If all numbers are class values of `like`, it is a mask and connected pixels are objects; else
    the numbers are objects, and each has the class of what it covers most in `like`, the first
    class where it covers nothing.

    Parameters
    ----------
    array : ndarray of integers
        In the shape of a plane of `like`; 0 is background.
    like : LabelMap
        Gives classes, axes and pixel size; not changed.

    Raises
    ------
    LabelError
        If the shape is another, or the numbers are not whole and positive.
    """
    if tuple(array.shape) != like.shape:
        raise LabelError(f"A mask of shape {array.shape} does not fit labels of {like.shape}.")
    if array.dtype.kind not in "biu" or (array.size and array.min() < 0):
        raise LabelError(f"Labels are whole numbers from 0 on; these are {array.dtype}.")
    values = np.unique(array)
    known = {0, UNLABELLED, *like.classes.values}
    if set(values.tolist()) <= known and like.classes.exclusive:
        mask = array.astype(np.uint8)
        return from_mask(mask, like.classes, like.axes, like.calibration)
    classes = _covered(array, values, like)
    if like.classes.exclusive:
        return from_instances(array, classes, like.classes, like.axes, like.calibration)
    planes = np.stack(
        [
            np.where(np.isin(array, [n for n, v in classes.items() if v == value]), array, 0)
            for value in like.classes.values
        ]
    )
    return from_instances(planes, classes, like.classes, like.axes, like.calibration)


def _covered(
    array: np.ndarray[Any, Any], values: np.ndarray[Any, Any], like: LabelMap
) -> dict[int, int]:
    """Return for each number the class it covers most."""
    place = np.searchsorted(values, array)
    lookup = like.class_lookup()
    counts = np.zeros((values.size, 256), np.int64)
    for plane in like.planes:
        under = lookup[plane]
        inside = under > 0
        np.add.at(counts, (place[inside], under[inside]), 1)
    best = counts.argmax(axis=1)
    best[counts.max(axis=1) == 0] = like.classes.values[0]
    return {int(n): int(v) for n, v in zip(values, best, strict=True) if n}
