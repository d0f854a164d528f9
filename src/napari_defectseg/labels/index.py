"""`ObjectIndex`: where each object lies and how many pixels it has, kept up to date by edits."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.labels import survey
from napari_defectseg.labels.edit import Box, Change
from napari_defectseg.labels.pack import plain

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
        self._ndim = ndim
        self._low = np.full((capacity + 1, 4), FAR, np.int32)
        self._high = np.zeros((capacity + 1, 4), np.int32)
        self._sizes = np.zeros(capacity + 1, np.int64)

    @classmethod
    def of(cls, planes: tuple[np.ndarray[Any, np.dtype[np.int32]], ...]) -> ObjectIndex:
        """Return the index of whole planes."""
        ndim = planes[0].ndim
        wide = [survey.four(np.ascontiguousarray(plane)) for plane in planes]
        index = cls(ndim, max(int(survey.largest(plane)) for plane in wide))
        for plane in wide:
            survey.locate(plane, index._low, index._high, index._sizes)
        return index

    def extend(
        self,
        low: np.ndarray[Any, np.dtype[np.int32]],
        high: np.ndarray[Any, np.dtype[np.int32]],
        sizes: np.ndarray[Any, np.dtype[np.int64]],
    ) -> None:
        """Add objects with the next numbers.

        Parameters
        ----------
        low, high : ndarray of int32, shape (n, axes)
            Corners of their boxes.
        sizes : ndarray of int64, shape (n,)
        """
        missing = 4 - low.shape[1]
        wide_low = np.pad(low, ((0, 0), (missing, 0)))
        wide_high = np.pad(high, ((0, 0), (missing, 0)), constant_values=1)
        self._low = np.concatenate([self._low, wide_low])
        self._high = np.concatenate([self._high, wide_high])
        self._sizes = np.concatenate([self._sizes, sizes])

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
        corners = zip(self._low[number].tolist(), self._high[number].tolist(), strict=True)
        return tuple(slice(low, high) for low, high in corners)[4 - self._ndim :]

    def update(self, change: Change) -> None:
        """Take a change into account that has been applied."""
        if not change.size:
            return
        here = plain(change)
        self._reserve(int(max(here.before.max(), here.after.max())))
        survey.account(
            survey.corner(here.box),
            survey.four(np.ascontiguousarray(here.mask)),
            here.before,
            here.after,
            self._low,
            self._high,
            self._sizes,
        )

    def _reserve(self, number: int) -> None:
        missing = number + 1 - self._sizes.size
        if missing > 0:
            missing += self._sizes.size // 2
            self._low = np.concatenate([self._low, np.full((missing, 4), FAR, np.int32)])
            self._high = np.concatenate([self._high, np.zeros((missing, 4), np.int32)])
            self._sizes = np.concatenate([self._sizes, np.zeros(missing, np.int64)])
