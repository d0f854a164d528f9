"""`Picture`: what a writer gets, the same for images, masks and labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import NotSaved

SMALLER: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(np.int64): np.dtype(np.int32),
    np.dtype(np.uint64): np.dtype(np.uint32),
}
"""Whole numbers that few formats know, and what they become if their values allow."""


@dataclass(frozen=True)
class Picture:
    """Pixels to write.

    Parameters
    ----------
    data : array-like
        numpy or lazy.
    axes : tuple of str
    calibration : Calibration
    name : str
    colours : dict of int to str
        Class value to colour, empty for images.
    discrete : bool
        Whether values are classes or object numbers, which have no mean.
    """

    data: Any
    axes: Axes
    calibration: Calibration
    name: str
    colours: dict[int, str] = field(default_factory=dict)
    discrete: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(int(length) for length in self.data.shape)

    @property
    def sizes(self) -> dict[str, float]:
        """Known pixel sizes by axis letter, in `calibration.unit`."""
        pairs = zip(axis_names.spatial(self.axes), self.calibration.spacing, strict=True)
        return {name: value for name, value in pairs if value is not None}

    @property
    def rgb(self) -> bool:
        """Whether the last axis is colour."""
        return self.axes[-1] == "c" and self.shape[-1] in (3, 4)

    def array(self, order: Axes | None = None) -> np.ndarray[Any, Any]:
        """Return all pixels, with a type that files know, axes in `order` where one is given."""
        values = plain(np.asarray(self.data[...] if self.data.shape else self.data))
        if order is None or order == self.axes:
            return values
        return values.transpose([self.axes.index(name) for name in order])

    def planes(self, order: Axes) -> Iterator[np.ndarray[Any, Any]]:
        """Yield the planes of the last two axes of `order` (three with colour), one after another.

        Lazy data are read plane by plane, so that what is larger than memory can be written.
        """
        inner = 3 if order[-1] == "c" else 2
        lead = order[:-inner]
        lengths = [self.shape[self.axes.index(name)] for name in lead]
        for at in np.ndindex(*lengths):
            where = dict(zip(lead, at, strict=True))
            key = tuple(where.get(name, slice(None)) for name in self.axes)
            left = tuple(name for name in self.axes if name not in where)
            plane = np.asarray(self.data[key])
            yield plain(plane.transpose([left.index(name) for name in order[-inner:]]))


def stored_type(dtype: Any) -> np.dtype[Any]:
    """Return the type in which files hold values of `dtype`.

    Raises
    ------
    NotSaved
        For complex and other values that are not pixels.
    """
    kind: np.dtype[Any] = np.dtype(dtype)
    if kind.kind == "b":
        return np.dtype(np.uint8)
    if kind == np.float16:
        return np.dtype(np.float32)
    if kind.kind not in "uif":
        raise NotSaved(f"Values of type {kind} are not pixels and were not saved.")
    native = kind.newbyteorder("=")
    return SMALLER.get(native, native)


def plain(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return `values` in their `stored_type`.

    Raises
    ------
    NotSaved
        If whole numbers are too large for it.
    """
    kind = stored_type(values.dtype)
    if kind == values.dtype:
        return values
    if values.size and values.dtype.kind in "ui":
        limit = np.iinfo(kind)
        if values.min() < limit.min or values.max() > limit.max:
            raise NotSaved(
                f"Values up to {values.max()} do not fit {kind} and were not saved.",
                hint="Number the objects anew, or save as .npy.",
            )
    return values.astype(kind)
