"""Types, shapes and attributes in an HDF5 file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.models.hdf5.header import ATTRIBUTE, ATTRIBUTES, Message
from napari_defectseg.models.hdf5.source import Cursor, Source, Strange

MOST_DIMENSIONS = 32
MOST_VALUES = 100_000
"""In an attribute."""
LONGEST_TEXT = 32 << 20
ENDLESS = "attributes in a form that only newer writers use (h5repack --low=0 --high=0 changes it)"


@dataclass(frozen=True)
class Kind:
    """A type of values.

    Parameters
    ----------
    size : int
        Bytes of one.
    dtype : str
        As numpy writes it, empty for what are no numbers.
    words : str
        ``"numbers"``, ``"text"``, ``"long text"`` (kept elsewhere) or what else it is.
    """

    size: int
    dtype: str = ""
    words: str = "numbers"


def shape_in(source: Source, cursor: Cursor) -> tuple[int, ...] | None:
    """Return the lengths along each axis, None for a place without values."""
    version, rank, _ = cursor.number(1), cursor.number(1), cursor.number(1)
    if version not in (1, 2) or rank > MOST_DIMENSIONS:
        raise Strange("a shape of a strange version")
    kind = cursor.number(1) if version == 2 else 1
    cursor.take(5 if version == 1 else 0)
    if kind == 2:
        return None
    return tuple(cursor.number(source.long) for _ in range(rank))


def kind_in(cursor: Cursor) -> Kind:
    """Return a type of values."""
    first, bits = cursor.number(1), cursor.take(3)
    size = cursor.number(4)
    order = "<>"[bits[0] & 1]
    match first & 15:
        case 0:
            plain = _is_plain(cursor, size)
            sign = "i" if bits[0] & 8 else "u"
            return Kind(size, f"{order}{sign}{size}") if plain else Kind(size, "", "odd numbers")
        case 1:
            plain = not bits[0] & 64 and size in (2, 4, 8)
            return Kind(size, f"{order}f{size}") if plain else Kind(size, "", "odd numbers")
        case 3:
            return Kind(size, "", "text")
        case 8:
            return Kind(size, f"i{size}" if size in (1, 2, 4, 8) else "", "names of values")
        case 9:
            return Kind(size, "", "long text" if bits[0] & 15 == 1 else "lists")
        case other:
            words = {2: "times", 4: "bits", 5: "bytes", 6: "records", 7: "references"}
            return Kind(size, "", words.get(other, "something else"))


def _is_plain(cursor: Cursor, size: int) -> bool:
    offset, bits = cursor.number(2), cursor.number(2)
    return size in (1, 2, 4, 8) and not offset and bits == 8 * size


@dataclass(frozen=True)
class Attribute:
    """A value beside an object, not yet read.

    Parameters
    ----------
    kind : Kind
    shape : tuple of int or None
    data : bytes
    """

    kind: Kind
    shape: tuple[int, ...] | None
    data: bytes

    def texts(self, source: Source) -> list[str]:
        """Return the values as text.

        Raises
        ------
        Strange
            If they are damaged or too long.
        """
        count = _count(self.shape)
        cursor = Cursor(self.data)
        if self.kind.words == "text":
            raw = [cursor.take(self.kind.size).rstrip(b"\0 ") for _ in range(count)]
        elif self.kind.words == "long text":
            raw = _long_texts(source, cursor, count)
        elif self.kind.dtype:
            size = np.dtype(self.kind.dtype).itemsize * count
            numbers: Any = np.frombuffer(cursor.take(size), self.kind.dtype)
            return [str(number) for number in numbers]
        else:
            raise Strange(f"an attribute of {self.kind.words}")
        return [text.decode("utf-8", "replace") for text in raw]


def _count(shape: tuple[int, ...] | None) -> int:
    count = 0 if shape is None else 1
    for length in shape or ():
        count *= length
        if count > MOST_VALUES:
            raise Strange(f"an attribute of {count} values")
    return count


def _long_texts(source: Source, cursor: Cursor, count: int) -> list[bytes]:
    heaps: dict[int, dict[int, bytes]] = {}
    found, total = [], 0
    for _ in range(count):
        size, address, index = cursor.number(4), cursor.number(source.wide), cursor.number(4)
        total += size
        if total > LONGEST_TEXT:
            raise Strange(f"a text of {total} bytes")
        if not size:
            found.append(b"")
            continue
        if address not in heaps:
            heaps[address] = _heap(source, address)
        piece = heaps[address].get(index)
        if piece is None or len(piece) < size:
            raise Strange("a text that is not there")
        found.append(piece[:size].rstrip(b"\0"))
    return found


def _heap(source: Source, address: int) -> dict[int, bytes]:
    """Return the pieces of a heap of texts by number."""
    front = source.cursor(address, 8 + source.long)
    if front.take(4) != b"GCOL":
        raise Strange("a heap that is none")
    front.take(4)
    size = front.number(source.long)
    cursor = Cursor(source.read(address, size, LONGEST_TEXT))
    cursor.take(8 + source.long)
    found = {}
    while cursor.left() >= 8 + source.long:
        index, _, _, length = (cursor.number(n) for n in (2, 2, 4, source.long))
        if not index:  # what follows is free
            break
        found[index] = cursor.take(length)
        cursor.align()
    return found


def attributes_of(source: Source, messages: Sequence[Message]) -> dict[str, Attribute]:
    """Return the attributes of an object by name.

    Raises
    ------
    Strange
        If they are damaged, or of a form that is not read.
    """
    found = {}
    for message in messages:
        if message.kind == ATTRIBUTES:
            cursor = message.cursor()
            cursor.take(1)
            cursor.take(2 * (cursor.number(1) & 1))
            if cursor.number(source.wide) != source.nowhere:
                raise Strange(ENDLESS)
        if message.kind == ATTRIBUTE:
            name, attribute = _attribute(source, message.cursor())
            found[name] = attribute
    return found


def _attribute(source: Source, cursor: Cursor) -> tuple[str, Attribute]:
    version, flags = cursor.number(1), cursor.number(1)
    if version not in (1, 2, 3) or (flags and version > 1):
        raise Strange("an attribute of a strange version")
    of_name, of_kind, of_shape = (cursor.number(2) for _ in range(3))
    cursor.take(version == 3)
    parts = []
    for size in (of_name, of_kind, of_shape):
        parts.append(cursor.take(size))
        if version == 1:
            cursor.take(min(-size % 8, cursor.left()))
    name = parts[0].split(b"\0")[0].decode("utf-8", "replace")
    shape = shape_in(source, Cursor(parts[2]))
    return name, Attribute(kind_in(Cursor(parts[1])), shape, cursor.data[cursor.at :])
