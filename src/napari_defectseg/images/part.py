"""A part of an image as an image of its own; what is large is still read when asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_defectseg.core.boxes import Box
from napari_defectseg.images.image import ArrayLike, CalibratedImage
from napari_defectseg.images.lazy import SMALL, basic_key

Array = np.ndarray[Any, Any]


class ArrayPart:
    """A box of an array, with the same values and nothing read before it is asked for.

    Parameters
    ----------
    data : array-like
    box : tuple of slice
        One for each axis, with start and stop inside the array.
    """

    def __init__(self, data: ArrayLike, box: Box) -> None:
        self._data, self._box = data, box
        self.dtype: np.dtype[Any] = np.dtype(data.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(part.stop - part.start for part in self._box)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._box)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Array:
        """Return a part as a numpy array; basic indices are read alone, others after all."""
        found = basic_key(key, self.shape)
        if found is None:
            chosen: Array = np.asarray(self._data[self._box])[key]
            return chosen
        forward, flips = found
        place = tuple(
            slice(part.start + b.start, part.stop + b.start, part.step)
            for part, b in zip(forward, self._box, strict=True)
        )
        shown: Array = np.asarray(self._data[place])[flips]
        return shown

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        whole = self[...]
        return whole if dtype is None else whole.astype(dtype, copy=bool(copy))


def part_of(image: CalibratedImage, box: Sequence[slice]) -> CalibratedImage:
    """Return a part of an image, all its channels, with its pixel size and origin.

    Parameters
    ----------
    image : CalibratedImage
    box : sequence of slice
        Along its label axes, with start and stop inside the image.
    """
    at = dict(zip(image.label_axes, box, strict=True))
    lengths = zip(image.axes, image.shape, strict=True)
    key = tuple(at.get(name, slice(0, n)) for name, n in lengths)
    part: ArrayLike = ArrayPart(image.data, key)
    if math.prod(part.shape) * image.dtype.itemsize <= SMALL:
        part = np.asarray(part[...])
    return replace(image, data=part, levels=())
