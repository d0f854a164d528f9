"""`Source`: the bytes of an HDF5 file within bounds, and `Cursor` over a piece of them.

The format is that of the HDF5 File Format Specification, version 3.0 (The HDF Group). The library
of The HDF Group is not used on model files: damaged ones make it run for ever, and its past is
one of errors in memory.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

MAGIC = b"\x89HDF\r\n\x1a\n"
PLACES = (0, 512, 1024, 2048, 4096)
"""Where the signature may stand: behind a block of the writer's own."""
MOST_READS = 2_000_000
LONGEST_PIECE = 64 << 20
"""Bytes of one piece that describes others; numbers are read apart."""


class Strange(ValueError):
    """The bytes are not what the format says, or a part of it that no file of weights needs."""


@dataclass
class Cursor:
    """A place in a piece of bytes that moves on as values are taken."""

    data: bytes
    at: int = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        if size < 0 or self.at + size > len(self.data):
            raise Strange("something is cut off")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """Return the next bytes as a number."""
        return int.from_bytes(self.take(size), "little")

    def align(self, start: int = 0) -> None:
        """Go on to the next multiple of eight, counted from `start`."""
        self.at += -(self.at - start) % 8

    def left(self) -> int:
        """Return how many bytes follow."""
        return len(self.data) - self.at


@dataclass
class Source:
    """An open file; addresses count from where its own begin.

    Parameters
    ----------
    file : binary file
    size : int
        Bytes in it.
    base : int
        What addresses are added to.
    wide, long : int
        Bytes of an address and of a length.
    root : int
        Address of the header of the outermost group.
    """

    file: BinaryIO
    size: int
    base: int = 0
    wide: int = 8
    long: int = 8
    root: int = 0
    reads: int = field(default=0, repr=False)

    @property
    def nowhere(self) -> int:
        """The address that means: none."""
        return (1 << 8 * self.wide) - 1

    def read(self, at: int, size: int, most: int = LONGEST_PIECE) -> bytes:
        """Return bytes at an address.

        Raises
        ------
        Strange
            If they are not inside the file, too many, or the file was looked at too often.
        """
        self.reads += 1
        if self.reads > MOST_READS:
            raise Strange("it has more parts than any network")
        if size < 0 or size > most or at < 0 or self.base + at + size > self.size:
            raise Strange("a part lies beyond its end")
        self.file.seek(self.base + at)
        data = self.file.read(size)
        if len(data) != size:
            raise Strange("it became shorter while it was read")
        return data

    def cursor(self, at: int, size: int) -> Cursor:
        """Return a cursor over bytes at an address, fewer where the file ends before."""
        return Cursor(self.read(at, max(0, min(size, self.size - self.base - at))))


def source_of(content: BinaryIO) -> Source:
    """Return the source of an open file, after its first block.

    Raises
    ------
    Strange
        If it is no HDF5, or of a version that is not known.
    """
    size = content.seek(0, io.SEEK_END)
    source = Source(content, size)
    for place in PLACES:
        if place + len(MAGIC) <= size and source.read(place, len(MAGIC)) == MAGIC:
            return _superblock(source, place)
    raise Strange("it does not begin as HDF5 does")


def is_hdf5(path: Path) -> bool:
    """Return whether a file begins as HDF5 does."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _superblock(source: Source, place: int) -> Source:
    cursor = source.cursor(place + len(MAGIC), 128)
    version = cursor.number(1)
    if version in (0, 1):
        cursor.take(4)
        source.wide, source.long = cursor.number(1), cursor.number(1)
        cursor.take(9 if version == 0 else 13)
    elif version in (2, 3):
        source.wide, source.long = cursor.number(1), cursor.number(1)
        cursor.take(1)
    else:
        raise Strange(f"it has a first block of the unknown version {version}")
    if source.wide not in (4, 8) or source.long not in (4, 8):
        raise Strange("its addresses are of a strange length")
    source.base = cursor.number(source.wide)
    cursor.take(2 * source.wide)
    if version < 2:
        cursor.take(2 * source.wide)  # the driver, and the name of the root
    source.root = cursor.number(source.wide)
    return source
