"""Runs of equal value along the rows of a mask: what labelling works on instead of pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.components.team import Team, team_for
from napari_defectseg.core.errors import LabelError


@dataclass(frozen=True)
class Runs:
    """The non-zero runs of a mask or of labels, row after row.

    Parameters
    ----------
    shape : tuple of int
        Shape (depth, height, width) of the array; depth 1 for a plane.
    first : ndarray of int64, shape (rows + 1,)
        Where each row's runs begin in the other arrays; the last entry is their number.
    start, stop : ndarray of int32, shape (runs,)
        First column of each run, and the one behind its last.
    value : ndarray of uint8 or int32, shape (runs,)
        The array's value in the run.
    """

    shape: tuple[int, int, int]
    first: NDArray[np.int64]
    start: NDArray[np.int32]
    stop: NDArray[np.int32]
    value: NDArray[Any]

    def __len__(self) -> int:
        return int(self.start.size)

    def rows(self, low: int, high: int, depth: int = 1) -> Runs:
        """Return the rows from `low` to below `high`, counted over all slices.

        Parameters
        ----------
        low, high : int
        depth : int
            Number of slices that they are.
        """
        begin, end = int(self.first[low]), int(self.first[high])
        height = (high - low) // depth if depth else self.shape[1]
        return Runs(
            (depth, height, self.shape[2]),
            self.first[low : high + 1] - begin,
            self.start[begin:end],
            self.stop[begin:end],
            self.value[begin:end],
        )

    def without(self, value: int) -> Runs:
        """Return all runs but those of a value."""
        keep = self.value != value
        before = np.concatenate([[0], np.cumsum(keep)])
        return Runs(
            self.shape, before[self.first], self.start[keep], self.stop[keep], self.value[keep]
        )

    def with_values(self, value: NDArray[Any]) -> Runs:
        """Return the same runs with other values, one each."""
        return replace(self, value=value)

    def draw(self, value: NDArray[Any], out: NDArray[Any]) -> None:
        """Write a value into each run of a contiguous array; runs of value 0 are left out.

        Parameters
        ----------
        value : ndarray, shape (runs,)
            Of the dtype of `out`.
        out : ndarray
            Of the shape that the runs are of.
        """
        depth, height, width = self.shape
        _draw(self.first, self.start, self.stop, value, out.reshape(depth * height, width))


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
    return _runs(as_volume(mask))


def find_label_runs(labels: NDArray[np.int32]) -> Runs:
    """Return the runs of equal object number, labels 2D or 3D.

    Labels that are edited meanwhile give runs of before or after, or too few, never others.
    """
    volume = np.ascontiguousarray(labels, np.int32)
    return _runs(volume.reshape((1, *volume.shape)) if volume.ndim == 2 else volume)


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


def _runs(volume: NDArray[Any]) -> Runs:
    depth, height, width = volume.shape
    rows = volume.reshape(depth * height, width)
    first = np.zeros(len(rows) + 1, np.int64)
    with team_for(volume.size) as team:
        parts = team.cut(len(rows))
        if width:
            _count_in(team, parts, rows, first)
        count = int(first[-1])
        # Zeros, not empty: a run that is not found after all then holds no pixel.
        start, stop = np.zeros(count, np.int32), np.zeros(count, np.int32)
        value = np.zeros(count, volume.dtype)
        team.run(
            partial(_fill, rows[low:high], first[low : high + 1], start, stop, value)
            for low, high in parts
        )
    return Runs((depth, height, width), first, start, stop, value)


def _count_in(
    team: Team, parts: list[tuple[int, int]], rows: NDArray[Any], first: NDArray[np.int64]
) -> None:
    """Count the runs of each row, part by part, and add up."""
    team.run(partial(_count, rows[low:high], first[low + 1 : high + 1]) for low, high in parts)
    for low, high in parts[1:]:
        first[low + 1 : high + 1] += first[low]


@compiled
def _count(rows: NDArray[Any], after: NDArray[np.int64]) -> None:
    # Counting comes first: arrays that grow inside the loop make it fifty times slower.
    used = 0
    for y in range(rows.shape[0]):
        row = rows[y]
        begins = int(row[0] != 0)
        for x in range(1, row.size):
            begins += (row[x] != row[x - 1]) & (row[x] != 0)
        used += begins
        after[y] = used


@compiled
def _fill(
    rows: NDArray[Any],
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    value: NDArray[Any],
) -> None:
    width = rows.shape[1]
    borders = np.empty(width + 1, np.int32)
    for y in range(rows.shape[0]):
        used = first[y]
        if used == first[y + 1]:
            continue
        row = rows[y]
        borders[0] = 0
        found = 1
        # Written at every pixel and kept at borders: without a branch, twice as fast.
        for x in range(1, width):
            borders[found] = x
            found += row[x] != row[x - 1]
        borders[found] = width
        for border in range(found):
            here = row[borders[border]]
            if here != 0 and used < first[y + 1]:
                start[used] = borders[border]
                stop[used] = borders[border + 1]
                value[used] = here
                used += 1


@compiled
def _draw(
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    value: NDArray[Any],
    rows: NDArray[Any],
) -> None:
    for y in range(rows.shape[0]):
        for i in range(first[y], first[y + 1]):
            if value[i] != 0:
                rows[y, start[i] : stop[i]] = value[i]
