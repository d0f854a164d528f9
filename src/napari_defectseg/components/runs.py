"""Runs of equal value along the rows of a mask: what labelling works on instead of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.core.errors import LabelError


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
    first = np.zeros(len(rows) + 1, np.int64)
    count = _count(rows, first)
    start, stop = np.empty(count, np.int32), np.empty(count, np.int32)
    value = np.empty(count, np.uint8)
    _fill(rows, first, start, stop, value)
    depth, height, width = volume.shape
    return Runs((depth, height, width), first, start, stop, value)


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


# Counting first and filling then takes two passes, yet a fiftieth of the time of one pass into
# arrays that grow: the first pass has no branches, and neither has to keep an array's address.
@compiled
def _count(rows: NDArray[np.uint8], first: NDArray[np.int64]) -> int:
    total = 0
    for y in range(rows.shape[0]):
        row = rows[y]
        count = 0
        if row.size > 0 and row[0] != 0:
            count = 1
        for x in range(1, row.size):
            count += (row[x] != row[x - 1]) & (row[x] != 0)
        total += count
        first[y + 1] = total
    return total


@compiled
def _fill(
    rows: NDArray[np.uint8],
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    value: NDArray[np.uint8],
) -> None:
    for y in range(rows.shape[0]):
        row = rows[y]
        i = first[y] - 1
        last = np.uint8(0)
        for x in range(row.size):
            here = row[x]
            if here == last:
                continue
            if last != 0:
                stop[i] = x
            if here != 0:
                i += 1
                start[i] = x
                value[i] = here
            last = here
        if last != 0:
            stop[i] = row.size
