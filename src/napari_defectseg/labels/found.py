"""`FoundObjects`: the objects of one mask as runs, before they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.components.label import full_connectivity, number_runs
from napari_defectseg.components.runs import Runs, find_runs

FAR = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class FoundObjects:
    """Objects that are large enough, numbered 1, 2, … in raster order.

    Parameters
    ----------
    runs : Runs
        Of the mask.
    names : ndarray of int32
        Object number of each run; 0 where the object was too small.
    sizes : ndarray of int64, shape (count + 1,)
    values : ndarray of uint8, shape (count + 1,)
        Class value of each object.
    low, high : ndarray of int32, shape (count + 1, 3)
        Box of each object in z, y and x.
    left_out : int
        Number of objects that were too small.
    """

    runs: Runs
    names: NDArray[np.int32]
    sizes: NDArray[np.int64]
    values: NDArray[np.uint8]
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    left_out: int = 0

    @classmethod
    def of(
        cls, mask: NDArray[Any], *, connectivity: int | None = None, min_size: float = 0.0
    ) -> FoundObjects:
        """Return the connected objects of a mask of two or three axes.

        Parameters
        ----------
        mask : ndarray of uint8 or bool
            Class values, 0 background.
        connectivity : int or None
            How many axes a step between neighbours may take; None: all.
        min_size : float
            Smaller ones are left out.
        """
        runs = find_runs(mask)
        names, _ = number_runs(runs, full_connectivity(np.ndim(mask), connectivity))
        all_sizes = np.bincount(names, runs.stop - runs.start, minlength=1).astype(np.int64)
        kept = all_sizes >= max(min_size, 1)
        kept[0] = False
        count = int(np.count_nonzero(kept))
        renamed = np.zeros(all_sizes.size, np.int32)
        renamed[kept] = np.arange(1, count + 1, dtype=np.int32)
        names = renamed[names]
        values = np.zeros(count + 1, np.uint8)
        values[names] = runs.value
        values[0] = 0
        low, high = np.full((count + 1, 3), FAR, np.int32), np.zeros((count + 1, 3), np.int32)
        _boxes(runs.first, runs.start, runs.stop, names, runs.shape[1], low, high)
        sizes = np.concatenate([[0], all_sizes[kept]])
        small = int(np.count_nonzero(all_sizes[1:])) - count
        return cls(runs, names, sizes, values, low, high, small)

    def __len__(self) -> int:
        return int(self.sizes.size) - 1

    def draw(self, out: NDArray[np.int32], first: int) -> None:
        """Draw the numbers, from `first` on, into a contiguous plane of zeros."""
        runs = self.runs
        names = np.where(self.names > 0, self.names + np.int32(first - 1), np.int32(0))
        runs.draw(names, out)

    def draw_classes(self, out: NDArray[np.uint8]) -> None:
        """Draw the class values into a contiguous mask of zeros."""
        runs = self.runs
        values = self.values[self.names]
        runs.draw(values, out)


@compiled
def _boxes(
    first: NDArray[np.int64],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
    names: NDArray[np.int32],
    height: int,
    low: NDArray[np.int32],
    high: NDArray[np.int32],
) -> None:
    for row in range(first.size - 1):
        z = row // height
        y = row % height
        for i in range(first[row], first[row + 1]):
            n = names[i]
            low[n, 0] = min(low[n, 0], z)
            low[n, 1] = min(low[n, 1], y)
            low[n, 2] = min(low[n, 2], start[i])
            high[n, 0] = max(high[n, 0], z + 1)
            high[n, 1] = max(high[n, 1], y + 1)
            high[n, 2] = max(high[n, 2], stop[i])
