"""Arrays of numbers in an HDF5 file: where they lie, and their values."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from napari_defectseg.models.hdf5.groups import entries_of
from napari_defectseg.models.hdf5.header import EXTERNAL, FILTERS, LAYOUT, SPACE, TYPE, Message
from napari_defectseg.models.hdf5.source import Cursor, Source, Strange
from napari_defectseg.models.hdf5.values import Kind, kind_in, shape_in

Array: TypeAlias = np.ndarray[Any, Any]

GZIP, SHUFFLE, CHECKED = 1, 2, 3
MOST_CHUNKS = 200_000
LONGEST = 1 << 40
NEWER = "numbers in a form that only newer writers use (h5repack --low=0 --high=0 changes it)"


@dataclass(frozen=True)
class Chunk:
    """A box of numbers that lies in one piece.

    Parameters
    ----------
    start : tuple of int
        Where it begins along each axis.
    address, size : int
        Where it lies and how many bytes, packed.
    unused : int
        Bits of the filters that were not used on it.
    """

    start: tuple[int, ...]
    address: int
    size: int
    unused: int = 0


@dataclass(frozen=True)
class Numbers:
    """An array that is not read yet.

    Parameters
    ----------
    shape : tuple of int or None
    kind : Kind
    chunk : tuple of int
        Shape of a chunk; empty: the array lies in one piece.
    chunks : tuple of Chunk
        Those that are there.
    filters : tuple of (int, int)
        Ways of packing by number, with the first value that belongs to each.
    inside : bytes
        The numbers themselves where they stand in the header.
    elsewhere : bool
        Whether they lie in other files.
    """

    shape: tuple[int, ...] | None
    kind: Kind
    chunk: tuple[int, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    filters: tuple[tuple[int, int], ...] = ()
    inside: bytes = b""
    elsewhere: bool = False

    @property
    def stored(self) -> int:
        """Bytes that the file holds of it."""
        return sum(chunk.size for chunk in self.chunks) + len(self.inside)

    @property
    def bytes(self) -> int:
        """Bytes that it has when it is read."""
        return math.prod(self.shape or ()) * self.kind.size


def numbers_of(source: Source, messages: Sequence[Message]) -> Numbers | None:
    """Return the array that messages describe, None where they describe none.

    Raises
    ------
    Strange
        If it is damaged, or laid out in a way that no file of weights needs.
    """
    said = {message.kind: message for message in messages}
    if not {SPACE, TYPE, LAYOUT} <= set(said):
        return None
    shape = shape_in(source, said[SPACE].cursor())
    kind = kind_in(said[TYPE].cursor())
    filters = _filters(said[FILTERS].cursor()) if FILTERS in said else ()
    if EXTERNAL in said:
        return Numbers(shape, kind, elsewhere=True)
    return _laid_out(source, said[LAYOUT].cursor(), Numbers(shape, kind, filters=filters))


def _laid_out(source: Source, cursor: Cursor, plain: Numbers) -> Numbers:
    version, kind = cursor.number(1), cursor.number(1)
    if version < 3:
        raise Strange("an array laid out in a way of before 2004")
    if version > 4:
        raise Strange(NEWER)
    shape, of, filters = plain.shape, plain.kind, plain.filters
    if kind == 0:
        return Numbers(shape, of, inside=cursor.take(cursor.number(2)))
    if kind == 1:
        address, size = cursor.number(source.wide), cursor.number(source.long)
        there = address != source.nowhere and size > 0
        whole = Chunk((0,) * len(shape or ()), address, size)
        return Numbers(shape, of, (), (whole,) if there else ())
    if kind == 3:
        return Numbers(shape, of, elsewhere=True)
    if kind != 2 or version != 3:
        raise Strange(NEWER)
    rank, address = cursor.number(1), cursor.number(source.wide)
    chunk = tuple(cursor.number(4) for _ in range(rank))
    if shape is None or rank != len(shape) + 1 or not all(chunk) or chunk[-1] != of.size:
        raise Strange("chunks that do not fit their array")
    chunks = () if address == source.nowhere else _chunks(source, address, rank)
    return Numbers(shape, of, chunk[:-1], chunks, filters)


def _chunks(source: Source, address: int, rank: int) -> tuple[Chunk, ...]:
    found = []
    for key, place in entries_of(source, address, 1, 8 + 8 * rank):
        cursor = Cursor(key)
        size, unused = cursor.number(4), cursor.number(4)
        start = tuple(cursor.number(8) for _ in range(rank - 1))
        found.append(Chunk(start, place, size, unused))
        if len(found) > MOST_CHUNKS:
            raise Strange(f"more than {MOST_CHUNKS} chunks")
    return tuple(found)


def _filters(cursor: Cursor) -> tuple[tuple[int, int], ...]:
    version, count = cursor.number(1), cursor.number(1)
    if version not in (1, 2) or count > 32:
        raise Strange("a way of packing of a strange version")
    cursor.take(6 if version == 1 else 0)
    found = []
    for _ in range(count):
        number = cursor.number(2)
        length = cursor.number(2) if version == 1 or number >= 256 else 0
        _, values = cursor.number(2), cursor.number(2)
        cursor.take(length + (-length % 8 if version == 1 else 0))
        given = [cursor.number(4) for _ in range(values)]
        cursor.take(4 * (values % 2) if version == 1 else 0)
        found.append((number, given[0] if given else 0))
    return tuple(found)


def read_numbers(source: Source, numbers: Numbers) -> Array:
    """Return the values of an array that was looked at before.

    Raises
    ------
    Strange
        If they are not there.
    """
    assert numbers.shape is not None
    dtype, shape = np.dtype(numbers.kind.dtype), numbers.shape
    if not numbers.chunk:
        raw = numbers.inside
        for chunk in numbers.chunks:
            raw = source.read(chunk.address, chunk.size, LONGEST)
        if len(raw) < numbers.bytes:
            raise Strange("an array that is cut off")
        return np.frombuffer(raw, dtype, math.prod(shape)).reshape(shape)
    values = np.zeros(shape, dtype)
    for chunk in numbers.chunks:
        if any(at >= length for at, length in zip(chunk.start, shape, strict=True)):
            continue  # left over from when the array was larger
        box = tuple(slice(a, a + n) for a, n in zip(chunk.start, numbers.chunk, strict=True))
        whole = _unpacked(source, numbers, chunk)
        part = values[box]
        part[...] = whole[tuple(slice(0, n) for n in part.shape)]
    return values


def _unpacked(source: Source, numbers: Numbers, chunk: Chunk) -> Array:
    raw, size = source.read(chunk.address, chunk.size), math.prod(numbers.chunk) * numbers.kind.size
    for place, (number, given) in reversed(list(enumerate(numbers.filters))):
        if chunk.unused >> place & 1:
            continue
        if number == CHECKED:
            raw = raw[:-4]
        elif number == GZIP:
            raw = zlib.decompressobj().decompress(raw, size + 4)
        elif number == SHUFFLE and given > 1:
            whole = len(raw) // given * given
            turned = np.frombuffer(raw[:whole], np.uint8).reshape(given, -1).T
            raw = turned.tobytes() + raw[whole:]
    if len(raw) < size:
        raise Strange("a chunk that is cut off")
    return np.frombuffer(raw, np.dtype(numbers.kind.dtype), math.prod(numbers.chunk)).reshape(
        numbers.chunk
    )
