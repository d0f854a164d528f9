"""`ObjectIndex`: where each object lies and how many pixels it has, kept up to date by edits."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Change

FAR = np.iinfo(np.int32).max


class ObjectIndex:
    """Boxes and sizes of the objects of a label map.

    Built once by looking at everything; afterwards an edit costs what it touches. A box always
    holds its object; it may be larger than needed after pixels were taken away.

    Parameters
    ----------
    ndim : int
        Number of axes of a plane.
    capacity : int
        Largest object number to make room for; more is made when needed.
    """

    def __init__(self, ndim: int, capacity: int = 0) -> None:
        self._low = np.full((capacity + 1, ndim), FAR, np.int32)
        self._high = np.zeros((capacity + 1, ndim), np.int32)
        self._sizes = np.zeros(capacity + 1, np.int64)

    @classmethod
    def of(cls, planes: tuple[np.ndarray[Any, np.dtype[np.int32]], ...]) -> ObjectIndex:
        """Return the index of whole planes, slab by slab."""
        index = cls(planes[0].ndim)
        for plane in planes:
            for slab in boxes.slabs(boxes.whole(plane.shape)):
                index._add_block(plane[slab], slab)
        return index

    def size(self, number: int) -> int:
        """Return the number of pixels of an object; 0 if it is not there."""
        return int(self._sizes[number]) if 0 < number < self._sizes.size else 0

    @property
    def sizes(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Number of pixels of each object number, a copy; entry 0 is 0."""
        return self._sizes.copy()

    def box(self, number: int) -> Box:
        """Return a box that holds an object.

        Raises
        ------
        KeyError
            If there is no such object.
        """
        if not self.size(number):
            raise KeyError(number)
        return tuple(
            slice(int(a), int(b))
            for a, b in zip(self._low[number], self._high[number], strict=True)
        )

    def update(self, change: Change) -> None:
        """Take a change into account that has been applied."""
        if not change.size:
            return
        before, after = change.before, change.after
        self._reserve(int(max(before.max(), after.max())))
        np.subtract.at(self._sizes, before, 1)
        np.add.at(self._sizes, after, 1)
        self._sizes[0] = 0
        drawn = after > 0
        if drawn.any():
            numbers = after[drawn]
            places = np.nonzero(change.mask)
            for axis, (place, side) in enumerate(zip(places, change.box, strict=True)):
                where = (place[drawn] + side.start).astype(np.int32)
                np.minimum.at(self._low[:, axis], numbers, where)
                np.maximum.at(self._high[:, axis], numbers, where + 1)
        for number in change.objects:
            if self._sizes[number] == 0:
                self._low[number], self._high[number] = FAR, 0

    def _reserve(self, number: int) -> None:
        missing = number + 1 - self._sizes.size
        if missing > 0:
            missing += self._sizes.size // 2
            ndim = self._low.shape[1]
            self._low = np.concatenate([self._low, np.full((missing, ndim), FAR, np.int32)])
            self._high = np.concatenate([self._high, np.zeros((missing, ndim), np.int32)])
            self._sizes = np.concatenate([self._sizes, np.zeros(missing, np.int64)])

    def _add_block(self, block: np.ndarray[Any, np.dtype[np.int32]], where: Box) -> None:
        found = ndimage.find_objects(block)
        self._reserve(len(found))
        counts = np.bincount(block.reshape(-1), minlength=1)
        self._sizes[1 : counts.size] += counts[1:]
        for number, box in enumerate(found, start=1):
            if box is not None:
                low = [side.start + base.start for side, base in zip(box, where, strict=True)]
                high = [side.stop + base.start for side, base in zip(box, where, strict=True)]
                self._low[number] = np.minimum(self._low[number], low)
                self._high[number] = np.maximum(self._high[number], high)
