"""`LazyArray`: pixels in a file, read when asked for; damage found then is a sentence too."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from napari_defectseg.images.border import check_memory, reading

SMALL = 1 << 26
"""Images of at most so many bytes are read at once when opened by a person."""


class LazyArray:
    """An array in a file.

    It is opened on the first access, may be read from several threads, and can be pickled
    (the copy opens the file anew).

    Parameters
    ----------
    path : str
        The file, for messages.
    kind : str
        What it is read as, for messages.
    shape : tuple of int
        Lengths of the file's axes, before `order`.
    dtype : dtype-like
        Type of the values.
    opener : callable
        Takes no argument, returns something with slicing by ints and forward slices.
        To be pickled it must be a module-level function or a `functools.partial` of one.
    order : tuple of int, optional
        The file's axes in the order in which this array shows them, as for `numpy.transpose`.
    serial : bool
        Whether only one thread may read at a time.
    """

    def __init__(
        self,
        path: str,
        kind: str,
        shape: tuple[int, ...],
        dtype: Any,
        opener: Callable[[], Any],
        order: tuple[int, ...] | None = None,
        serial: bool = True,
    ) -> None:
        self.path = path
        self.kind = kind
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._stored = tuple(int(length) for length in shape)
        self._order = order or tuple(range(len(shape)))
        self._opener = opener
        self._serial = serial
        self._inner: Any = None
        self._lock = threading.RLock()

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(self._stored[axis] for axis in self._order)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._order)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self._stored)

    @property
    def nbytes(self) -> int:
        """Bytes of the values in memory."""
        return self.size * self.dtype.itemsize

    def transposed(self, order: tuple[int, ...]) -> LazyArray:
        """Return the same array with its axes in another order."""
        inner = tuple(self._order[axis] for axis in order)
        return LazyArray(
            self.path, self.kind, self._stored, self.dtype, self._opener, inner, self._serial
        )

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray[Any, Any]:
        """Return a part as a numpy array; basic indices are read alone, others after a full read.

        Raises
        ------
        ImageError
            If the file is damaged there, or the part does not fit into memory.
        """
        basic = basic_key(key, self.shape)
        if basic is None:
            whole: np.ndarray[Any, Any] = self[...][key]
            return whole
        forward, flips = basic
        count = math.prod(len(range(part.start, part.stop, part.step)) for part in forward)
        check_memory(self.path, count * self.dtype.itemsize)
        shown = self._read(forward) if count else self._nothing(forward)
        result: np.ndarray[Any, Any] = shown[flips]
        return result

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        whole = self[...]
        return whole if dtype is None else whole.astype(dtype, copy=bool(copy))

    def __repr__(self) -> str:
        return f"LazyArray({self.path!r}, {self.shape}, {self.dtype})"

    def __getstate__(self) -> dict[str, Any]:
        kept = dict(self.__dict__)
        kept["_inner"] = None
        del kept["_lock"]
        return kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()

    def _nothing(self, forward: list[slice]) -> np.ndarray[Any, Any]:
        return np.empty([len(range(p.start, p.stop, p.step)) for p in forward], self.dtype)

    def _read(self, forward: list[slice]) -> np.ndarray[Any, Any]:
        stored = [slice(None)] * len(forward)
        for shown, axis in enumerate(self._order):
            stored[axis] = forward[shown]
        with reading(self.path, self.kind):
            block = self._block(tuple(stored))
            if block.dtype != self.dtype:
                block = block.astype(self.dtype)
        return block.transpose(self._order)

    def _block(self, key: tuple[slice, ...]) -> np.ndarray[Any, Any]:
        with self._lock:
            if self._inner is None:
                self._inner = self._opener()
                close = getattr(self._inner, "close_file", None)
                if close is not None:
                    weakref.finalize(self, close)
            if self._serial:
                return np.asarray(self._inner[key])
        return np.asarray(self._inner[key])


def settle(array: Any) -> Any:
    """Return a small lazy array as a numpy array, a large one as it is."""
    if isinstance(array, LazyArray) and array.nbytes <= SMALL:
        return np.ascontiguousarray(array[...])
    return array


def basic_key(
    key: Any, shape: tuple[int, ...]
) -> tuple[list[slice], tuple[int | slice, ...]] | None:
    """Return forward slices to read and what to apply after; None if `key` is not basic."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if not all(part is Ellipsis or isinstance(part, slice | int | np.integer) for part in parts):
        return None
    if any(isinstance(part, bool) for part in parts):
        return None
    dots = [index for index, part in enumerate(parts) if part is Ellipsis]
    if len(dots) > 1 or len(parts) - len(dots) > len(shape):
        raise IndexError(f"{len(parts)} indices do not fit {len(shape)} axes")
    at = dots[0] if dots else len(parts)
    fill = [slice(None)] * (len(shape) - len(parts) + len(dots))
    parts[at : at + len(dots)] = fill
    pairs = [_forward(part, length) for part, length in zip(parts, shape, strict=True)]
    return [pair[0] for pair in pairs], tuple(pair[1] for pair in pairs)


def _forward(part: Any, length: int) -> tuple[slice, int | slice]:
    if not isinstance(part, slice):
        index = int(part)
        if not -length <= index < length:
            raise IndexError(f"index {index} is outside an axis of length {length}")
        index %= length
        return slice(index, index + 1, 1), 0
    places = range(*part.indices(length))
    if not places:
        return slice(0, 0, 1), slice(None)
    if places.step > 0:
        return slice(places.start, places[-1] + 1, places.step), slice(None)
    return slice(places[-1], places.start + 1, -places.step), slice(None, None, -1)
