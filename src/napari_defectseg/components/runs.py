"""Runs of equal value along the rows of a mask: what labelling works on instead of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.core.errors import LabelError

FIRST_CAPACITY = 4096
"""Runs that are made room for at first; the room doubles when it is full."""


@dataclass(frozen=True)
class Runs:
    """The non-zero runs of a mask, row after row.

    Parameters
    ----------
    shape : tuple of int
        Shape (depth, height, width) of the mask; depth 1 for a plane.
    first : ndarray of int64, shape (rows + 1,)
        Where each row's runs begin in the other arrays; the last entry is their number.
    start, stop : ndarray of int32, shape (runs,)
        First column of each run, and the one behind its last.
    value : ndarray of uint8, shape (runs,)
        The mask's value in the run.
    """

    shape: tuple[int, int, int]
    first: NDArray[np.int64]
    start: NDArray[np.int32]
    stop: NDArray[np.int32]
    value: NDArray[np.uint8]

    def __len__(self) -> int:
        return int(self.start.size)


def find_runs(mask: NDArray[Any]) -> Runs:
    """Return the runs of equal non-zero value of a mask.

    Parameters
    ----------
    mask : ndarray of bool or uint8, 2D or 3D
        Class values; 0 is background.

    Raises
    ------
    LabelError
        If it is not such a mask.
    """
    volume = as_volume(mask)
    rows = volume.reshape(-1, volume.shape[2])
    first, start, stop, value, count = _find(rows, FIRST_CAPACITY)
    depth, height, width = volume.shape
    return Runs((depth, height, width), first, start[:count], stop[:count], value[:count])


def as_volume(mask: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a mask as contiguous uint8 with three axes, without a copy where that can be.

    Raises
    ------
    LabelError
        If it has not two or three axes, or values other than whole numbers from 0 to 255.
    """
    array = np.asarray(mask)
    if array.ndim not in (2, 3):
        raise LabelError(
            f"A mask to label has two or three axes; this one has the shape {array.shape}."
        )
    if array.dtype != np.bool_ and array.dtype != np.uint8:
        array = _as_bytes(array)
    volume = np.ascontiguousarray(array).view(np.uint8)
    return volume.reshape((1, *volume.shape)) if volume.ndim == 2 else volume


def _as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    whole = array.astype(np.uint8)
    if not np.array_equal(whole, array):
        raise LabelError(
            f"A mask to label holds class values from 0 to 255; this one ({array.dtype}) "
            f"reaches from {array.min()} to {array.max()}.",
            hint="Apply a threshold to probabilities first.",
        )
    return whole


@compiled
def _find(
    rows: NDArray[np.uint8], capacity: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8], int]:
    count, width = rows.shape
    first = np.zeros(count + 1, np.int64)
    start = np.empty(capacity, np.int32)
    stop = np.empty(capacity, np.int32)
    value = np.empty(capacity, np.uint8)
    used = 0
    for y in range(count):
        row = rows[y]
        x = 0
        while x < width:
            here = row[x]
            if here == 0:
                x += 1
                continue
            begin = x
            x += 1
            while x < width and row[x] == here:
                x += 1
            if used == start.size:
                start = _twice(start)
                stop = _twice(stop)
                bigger = np.empty(2 * value.size, np.uint8)
                bigger[: value.size] = value
                value = bigger
            start[used] = begin
            stop[used] = x
            value[used] = here
            used += 1
        first[y + 1] = used
    return first, start, stop, value, used


@compiled
def _twice(array: NDArray[np.int32]) -> NDArray[np.int32]:
    bigger = np.empty(2 * array.size, np.int32)
    bigger[: array.size] = array
    return bigger
