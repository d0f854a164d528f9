"""`AxisView`: some axes of an array that may lie on the disk, in an order of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes

Key = tuple[int | slice, ...]


class AxisView:
    """A part of an array; what is read from it is read from the array, and written likewise.

    Parameters
    ----------
    array : array-like
        Whatever is sliced by integers and slices of step one (numpy, zarr).
    axes : tuple of str
        Its axes.
    order : tuple of str
        Axes that are seen, in this order.
    at : mapping of str to int, optional
        Where the others are looked at.
    """

    def __init__(
        self, array: Any, axes: Axes, order: Axes, at: Mapping[str, int] | None = None
    ) -> None:
        self._array, self._axes, self._order = array, axes, order
        self._at = dict(at or {})
        lengths = dict(zip(axes, array.shape, strict=True))
        self.shape = tuple(int(lengths[name]) for name in order)
        self.dtype: np.dtype[Any] = np.dtype(array.dtype)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Lengths of the pieces in which the array is stored; its own where it is in one."""
        sides = dict(
            zip(self._axes, getattr(self._array, "chunks", self._array.shape), strict=True)
        )
        return tuple(int(sides[name]) for name in self._order)

    def __getitem__(self, key: Any) -> np.ndarray[Any, Any]:
        """Return a part as a numpy array."""
        at, left = self._key(key)
        block = np.asarray(self._array[tuple(at[name] for name in self._axes)])
        stored = [name for name in self._axes if name in left]
        return block.transpose([stored.index(name) for name in left])

    def __setitem__(self, key: Any, value: np.ndarray[Any, Any]) -> None:
        """Write a part."""
        at, left = self._key(key)
        stored = [name for name in self._axes if name in left]
        turned = np.asarray(value).transpose([left.index(name) for name in stored])
        self._array[tuple(at[name] for name in self._axes)] = turned

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        whole = self[...]
        return whole if dtype is None else whole.astype(dtype, copy=bool(copy))

    def _key(self, key: Any) -> tuple[dict[str, int | slice], list[str]]:
        """Return what is asked of each axis of the array, and the axes that are left."""
        given = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis in given:
            dots = given.index(Ellipsis)
            fill = [slice(None)] * (self.ndim - len(given) + 1)
            given[dots : dots + 1] = fill
        given += [slice(None)] * (self.ndim - len(given))
        asked = dict(zip(self._order, given, strict=True))
        left = [name for name, part in asked.items() if isinstance(part, slice)]
        return {**self._at, **asked}, left


class ThickArray:
    """An array that is gone through in thin slabs but read in thick ones.

    A store whose pieces are many planes thick would be unpacked once for each plane; here the
    last thick slab is kept. Other parts are read as they are asked for.

    Parameters
    ----------
    array : array-like
    axis : int
        Along which it is gone through.
    most : int
        Bytes that are kept at most; one plane is always kept.
    """

    def __init__(self, array: Any, axis: int, most: int) -> None:
        self._array, self._axis = array, axis
        self.shape = tuple(int(n) for n in array.shape)
        self.dtype: np.dtype[Any] = np.dtype(array.dtype)
        self._most = most
        self._others: Key | None = None
        self._range = slice(0, 0)
        self._kept = np.zeros(0, self.dtype)

    def __getitem__(self, key: Any) -> np.ndarray[Any, Any]:
        """Return a part as a numpy array."""
        parts = list(key) if isinstance(key, tuple) else [key]
        parts += [slice(None)] * (len(self.shape) - len(parts))
        asked = parts[self._axis]
        if Ellipsis in parts:
            return np.asarray(self._array[key])
        if not isinstance(asked, slice):
            parts[self._axis] = slice(asked, asked + 1)
            lead = sum(isinstance(part, slice) for part in parts[: self._axis])
            return np.asarray(self[tuple(parts)].take(0, axis=lead))
        start, stop, _ = asked.indices(self.shape[self._axis])
        others = (*parts[: self._axis], *parts[self._axis + 1 :])
        if others != self._others or start < self._range.start or stop > self._range.stop:
            self._read(parts, others, start, stop)
        inside = slice(start - self._range.start, stop - self._range.start)
        lead = sum(isinstance(part, slice) for part in parts[: self._axis])
        return self._kept[(*(slice(None),) * lead, inside)]

    def _read(self, parts: list[Any], others: Key, start: int, stop: int) -> None:
        sides = [
            len(range(*part.indices(n))) if isinstance(part, slice) else 1
            for part, n in zip(parts, self.shape, strict=True)
        ]
        sides[self._axis] = 1
        depth = max(1, self._most // max(1, int(np.prod(sides)) * self.dtype.itemsize))
        first = start // depth * depth
        self._range = slice(first, min(max(first + depth, stop), self.shape[self._axis]))
        self._others, self._kept = others, np.zeros(0, self.dtype)  # the old one goes first
        whole = (*parts[: self._axis], self._range, *parts[self._axis + 1 :])
        self._kept = np.asarray(self._array[whole])
