"""`Bodies`: the pixels of every object as runs, for measurements that sums do not answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement import gathering

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Bodies:
    """The pixels of every object, sorted by object.

    Parameters
    ----------
    first : ndarray of int64, shape (n + 1,)
        Where each object's runs begin.
    runs : ndarray of int32, shape (runs, 4)
        Line z, line y, first column, the column behind the last; in scan order.
    ndim : int
        Number of spatial axes; in a plane z is 0.
    steps : ndarray of float, shape (3,)
        Size of a pixel along z, y, x; in a plane that along z is 1.
    """

    first: NDArray[np.int64]
    runs: NDArray[np.int32]
    ndim: int
    steps: Real

    def __len__(self) -> int:
        return int(self.first.size - 1)

    @property
    def flat(self) -> bool:
        """Whether they lie in a plane."""
        return self.ndim == 2

    @cached_property
    def boxes(self) -> NDArray[np.int64]:
        """First index and length along z, y, x of each object's box, shape (n, 6)."""
        boxes = np.zeros((len(self), 6), np.int64)
        some = np.flatnonzero(np.diff(self.first))
        if not some.size:
            return boxes
        begin = self.first[some]
        low = np.minimum.reduceat(self.runs, begin, axis=0)
        high = np.maximum.reduceat(self.runs, begin, axis=0)
        boxes[some, :3] = low[:, :3]
        last = high[:, (gathering.Z, gathering.Y, gathering.STOP)] - (0, 0, 1)
        boxes[some, 3:] = last - low[:, :3] + 1
        return boxes

    def select(self, rows: NDArray[np.int64]) -> Bodies:
        """Return some of them, in the order given."""
        sizes = np.diff(self.first)[rows]
        first = np.concatenate([[0], np.cumsum(sizes)])
        place = np.repeat(self.first[rows] - first[:-1], sizes) + np.arange(first[-1])
        return Bodies(first, self.runs[place], self.ndim, self.steps)

    def mask(self, index: int, margin: int = 0) -> NDArray[np.bool_]:
        """Return one object in its box, with a margin around, shape (y, x) or (z, y, x)."""
        z, y, x = (self.boxes[index, 3:] + 2 * margin).tolist()
        depth = 1 if self.flat else z
        out = np.zeros((depth, y, x), bool)
        low = self.boxes[index, :3] - margin
        if self.flat:
            low[0] = self.boxes[index, 0]
        runs = self.runs[self.first[index] : self.first[index + 1]]
        gathering.paint_body(runs, low, out)
        return out[0] if self.flat else out

    def masks(self, margin: int = 0) -> Iterator[NDArray[np.bool_]]:
        """Yield every object in its box; see `mask`."""
        for index in range(len(self)):
            yield self.mask(index, margin)
