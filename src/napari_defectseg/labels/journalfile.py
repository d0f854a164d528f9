"""`JournalFile`: lines and blocks on disk, appended only, each with a checksum.

::

    <journal>/edits.jsonl          one JSON object a line; its last entry is the CRC-32 of the rest
    <journal>/edits/<id>.base      the labels at the beginning
    <journal>/edits/<id>.blocks    pixels of large edits; small ones stand in their line (base64)
    <journal>/lock                 held by the program that writes

A record counts when its line is whole; its blocks are on the disk before it. ``append`` returns
after the system was asked to put both on the disk (``fdatasync``): a killed program loses
nothing that was acknowledged, and a pulled plug nothing either, as far as the disk is honest.
"""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from napari_defectseg.core.atomic import atomic_path, flush_folder, not_saved

LINES, BLOCKS = "edits.jsonl", "edits"
INLINE = 4096
"""Blocks up to so many bytes stand in the line itself: one write and one flush a stroke."""
COPY = 1 << 22


@dataclass(frozen=True, eq=False)
class Record:
    """One line, and the blocks it refers to.

    Parameters
    ----------
    fields : mapping
        Plain JSON values; ``"do"`` says what it is.
    blocks : tuple of bytes
        Written before the line; where is noted in the line under ``"blocks"``.
    """

    fields: Mapping[str, Any]
    blocks: tuple[bytes, ...] = ()


@dataclass
class JournalFile:
    """The files of one journal.

    Parameters
    ----------
    folder : Path
    name : str
        Part of the names of its files with blocks; unique.
    lines_end, blocks_end : int
        Bytes that are known to be good; what lies beyond is cut off before the next write.
    """

    folder: Path
    name: str
    lines_end: int = 0
    blocks_end: int = 0
    _handles: dict[str, BinaryIO] = field(default_factory=dict, repr=False)

    @property
    def lines(self) -> Path:
        """The file of lines."""
        return self.folder / LINES

    @property
    def base(self) -> Path:
        """The file of the labels at the beginning."""
        return self.folder / BLOCKS / f"{self.name}.base"

    @property
    def blocks(self) -> Path:
        """The file of large blocks."""
        return self.folder / BLOCKS / f"{self.name}.blocks"

    def begin(self, record: Record) -> None:
        """Write the base and the first line.

        Raises
        ------
        NotSaved
            If the disk is full, read-only or gone.
        """
        with atomic_path(self.base) as part, part.open("wb") as file:
            places = []
            for block in record.blocks:
                places.append({"at": file.tell(), "bytes": len(block), "crc": checksum(block)})
                file.write(block)
        line = encoded({**record.fields, "file": self.name, "blocks": places})
        try:
            self._cut()
            self._append(line)
            flush_folder(self.folder.parent)
        except OSError as error:
            raise not_saved(self.lines, error) from error
        self.lines_end += len(line)

    def append(self, record: Record) -> None:
        """Write a record; all of it or, if that fails, nothing that counts.

        Raises
        ------
        NotSaved
            If the disk is full, read-only or gone. What was written of it is cut off again,
            now or before the next write.
        """
        places: list[dict[str, Any]] = []
        end = self.blocks_end
        try:
            self._cut()
            for block in record.blocks:
                if len(block) <= INLINE:
                    places.append({"data": base64.b64encode(block).decode("ascii")})
                    continue
                self._write(self.blocks, block)
                places.append({"at": end, "bytes": len(block), "crc": checksum(block)})
                end += len(block)
            if end > self.blocks_end:
                _sync(self._open(self.blocks))
            line = encoded({**record.fields, "blocks": places})
            self._append(line)
        except OSError as error:
            with suppress(OSError):
                self._cut()
            raise not_saved(self.lines, error) from error
        self.blocks_end, self.lines_end = end, self.lines_end + len(line)

    def copy_to(self, folder: Path) -> JournalFile:
        """Copy what is good into another folder, and return the copy.

        Each file is whole or not there; the lines come last.

        Raises
        ------
        NotSaved
            If the other folder cannot be written.
        """
        copy = JournalFile(folder, self.name, self.lines_end, self.blocks_end)
        _copy(self.base, copy.base, None)
        if self.blocks_end:
            _copy(self.blocks, copy.blocks, self.blocks_end)
        _copy(self.lines, copy.lines, self.lines_end)
        return copy

    def remove_others(self) -> None:
        """Remove the blocks of another journal that had its lines here before."""
        for other in (self.folder / BLOCKS).iterdir():
            if other.suffix in (".base", ".blocks") and other.stem != self.name:
                with suppress(OSError):
                    other.unlink()

    def close(self) -> None:
        """Close the files."""
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()

    def _open(self, path: Path) -> BinaryIO:
        if path.name not in self._handles:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handles[path.name] = path.open("ab", buffering=0)
            flush_folder(path.parent)
        return self._handles[path.name]

    def _cut(self) -> None:
        """Cut off what a failed or killed write left behind."""
        for path, end in ((self.lines, self.lines_end), (self.blocks, self.blocks_end)):
            if path.exists() and path.stat().st_size > end:
                os.truncate(path, end)

    def _write(self, path: Path, data: bytes) -> None:
        handle, rest = self._open(path), memoryview(data)
        while rest:
            rest = rest[handle.write(rest) :]

    def _append(self, line: bytes) -> None:
        self._write(self.lines, line)
        _sync(self._open(self.lines))


def _sync(handle: BinaryIO) -> None:
    getattr(os, "fdatasync", os.fsync)(handle.fileno())


def _copy(source: Path, target: Path, length: int | None) -> None:
    with atomic_path(target) as part, source.open("rb") as old, part.open("wb") as new:
        rest = source.stat().st_size if length is None else length
        while rest and (block := old.read(min(rest, COPY))):
            new.write(block)
            rest -= len(block)


def checksum(data: bytes) -> str:
    """Return the CRC-32 of some bytes as eight hexadecimal digits."""
    return f"{zlib.crc32(data):08x}"


def encoded(fields: Mapping[str, Any]) -> bytes:
    """Return the line of some fields, with its checksum."""
    body = json.dumps(fields, separators=(",", ":"))
    return f'{body[:-1]},"crc":"{checksum(body.encode())}"}}\n'.encode()


def decoded(line: bytes) -> dict[str, Any] | None:
    """Return the fields of a line; None if it is not whole."""
    body, mark, _ = line.rpartition(b',"crc":"')
    if not line.endswith(b'"}\n') or not mark:
        return None
    body += b"}"
    if line != body[:-1] + f',"crc":"{checksum(body)}"}}\n'.encode():
        return None
    fields: dict[str, Any] = json.loads(body)
    return fields


def read_lines(path: Path) -> Iterator[tuple[dict[str, Any] | None, int]]:
    """Yield the fields of each line and the byte behind it; None for one that is not whole."""
    end = 0
    with path.open("rb") as file:
        for line in file:
            end += len(line)
            yield decoded(line), end


def read_blocks(path: Path, places: Sequence[Mapping[str, Any]]) -> list[bytes] | None:
    """Return the blocks that a line refers to; None if one of them is not whole."""
    found: list[bytes] = []
    for place in places:
        if "data" in place:
            found.append(base64.b64decode(place["data"]))
            continue
        try:
            with path.open("rb") as file:
                file.seek(place["at"])
                block = file.read(place["bytes"])
        except OSError:
            return None
        if len(block) != place["bytes"] or checksum(block) != place["crc"]:
            return None
        found.append(block)
    return found
