"""Compact form of changes: run lengths, then deflate; for large edits in memory and all on disk."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Change, Edit, Mask, Numbers, PlainChange

LARGE = 1 << 16
"""A change in a box of more pixels is held packed."""
LEVEL = 1
RUNS, RAW = b"R", b"V"


@dataclass(frozen=True, eq=False)
class PackedChange:
    """A change held as compressed bytes; unpacked on each use.

    Parameters
    ----------
    plane : int
    box : Box
    size : int
        Number of pixels that change.
    objects : frozenset of int
    blob : bytes
        From `pack`.
    reverse : bool
        Whether before and after are exchanged.
    """

    plane: int
    box: Box
    size: int
    objects: frozenset[int]
    blob: bytes
    reverse: bool = False

    @property
    def mask(self) -> Mask:
        """Which pixels of the box change."""
        return self.plain().mask

    @property
    def before(self) -> Numbers:
        """Object numbers of those pixels before."""
        return self.plain().before

    @property
    def after(self) -> Numbers:
        """Object numbers of those pixels afterwards."""
        return self.plain().after

    def plain(self) -> PlainChange:
        """Return the change as arrays."""
        change = unpack(self.plane, self.box, self.blob)
        return change.inverse() if self.reverse else change

    def inverse(self) -> PackedChange:
        """Return the change back."""
        return replace(self, reverse=not self.reverse)


def packed(edit: Edit) -> Edit:
    """Return the edit with its large changes held packed."""
    return replace(edit, changes=tuple(smaller(change) for change in edit.changes))


def smaller(change: Change) -> Change:
    """Return a large change packed, a small one as it is."""
    if isinstance(change, PackedChange) or np.prod(boxes.shape_of(change.box)) <= LARGE:
        return change
    return pack_change(change)


def pack_change(change: Change) -> PackedChange:
    """Return the change in packed form."""
    if isinstance(change, PackedChange):
        return change
    return PackedChange(change.plane, change.box, change.size, change.objects, pack(change))


def plain(change: Change) -> PlainChange:
    """Return the change as arrays."""
    if isinstance(change, PackedChange):
        return change.plain()
    return PlainChange(change.plane, change.box, change.mask, change.before, change.after)


def pack(change: Change) -> bytes:
    """Return mask, before and after of a change as bytes.

    Three deflated parts, each with its length (8 bytes, little-endian) in front. A part is
    ``R``, the number of runs, values and lengths, or ``V`` and the values themselves, whichever
    is shorter; values are little-endian int32 (uint8 for the mask), lengths uint32.
    """
    here = plain(change)
    parts = (
        deflate(here.mask.reshape(-1).view(np.uint8)),
        deflate(here.before),
        deflate(here.after),
    )
    return b"".join(len(part).to_bytes(8, "little") + part for part in parts)


def unpack(plane: int, box: Box, blob: bytes) -> PlainChange:
    """Return the change that `pack` wrote.

    Raises
    ------
    LabelError
        If the bytes are not such a change.
    """
    parts = []
    start = 0
    for _ in range(3):
        length = int.from_bytes(blob[start : start + 8], "little")
        parts.append(blob[start + 8 : start + 8 + length])
        start += 8 + length
    shape = boxes.shape_of(box)
    try:
        mask = inflate(parts[0], np.uint8, int(np.prod(shape))).view(np.bool_).reshape(shape)
        count = int(np.count_nonzero(mask))
        before, after = (inflate(part, np.int32, count) for part in parts[1:])
    except (zlib.error, ValueError) as error:
        raise LabelError(f"A kept edit is damaged: {error}.") from error
    return PlainChange(plane, box, mask, before, after)


def deflate(values: np.ndarray[Any, Any]) -> bytes:
    """Return one part as `pack` writes it.

    Parameters
    ----------
    values : ndarray of int32 or uint8, shape (n,)
    """
    kind = values.dtype.newbyteorder("<")
    starts = np.flatnonzero(values[1:] != values[:-1]) + 1
    starts = np.concatenate([[0], starts]) if values.size else starts
    if starts.size * (kind.itemsize + 4) >= values.size * kind.itemsize:
        return zlib.compress(RAW + values.astype(kind).tobytes(), LEVEL)
    lengths = np.diff(np.append(starts, values.size)).astype("<u4")
    head = RUNS + starts.size.to_bytes(8, "little")
    return zlib.compress(head + values[starts].astype(kind).tobytes() + lengths.tobytes(), LEVEL)


def inflate(part: bytes, kind: type[Any], count: int) -> np.ndarray[Any, Any]:
    """Return the values of a part.

    Parameters
    ----------
    part : bytes
        From `deflate`.
    kind : type
        ``np.int32`` or ``np.uint8``, as it was.
    count : int
        How many values there must be.

    Raises
    ------
    ValueError, zlib.error
        If the bytes are something else.
    """
    data = zlib.decompress(part)
    little = np.dtype(kind).newbyteorder("<")
    if data[:1] == RAW:
        values = np.frombuffer(data, little, offset=1)
    else:
        runs = int.from_bytes(data[1:9], "little")
        kept = np.frombuffer(data, little, runs, 9)
        lengths = np.frombuffer(data, "<u4", runs, 9 + runs * little.itemsize)
        if int(lengths.sum(dtype=np.int64)) != count:
            raise ValueError(f"{count} pixels were expected")
        values = np.repeat(kept, lengths)
    if values.size != count:
        raise ValueError(f"{count} pixels were expected, {values.size} found")
    return values.astype(kind)
