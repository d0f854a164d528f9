"""`Ledger`: which blocks of a long run are finished, with a checksum of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

import numpy as np

from napari_defectseg.core.atomic import not_saved, write_text
from napari_defectseg.core.errors import FileMissing, RecipeError
from napari_defectseg.inference.finite import Replaced
from napari_defectseg.inference.tiling import Box

FILE = "blocks.jsonl"


@dataclass(frozen=True)
class Entry:
    """A block that was written.

    Parameters
    ----------
    first, tiles : int
        Its first tile, counted over the whole run, and how many it finishes.
    where : tuple of slice
        Its place in the mask, without classes.
    checksum : str
        Of everything that was kept of it, see `checksum`.
    replaced : Replaced
    """

    first: int
    tiles: int
    where: Box
    checksum: str
    replaced: Replaced = field(default_factory=Replaced)

    def as_line(self) -> str:
        """Return it as a line of the file."""
        box = [[part.start, part.stop] for part in self.where]
        values: dict[str, Any] = {"block": [self.first, self.tiles], "box": box}
        values["sum"] = self.checksum
        if self.replaced:
            values["replaced"] = [self.replaced.count, self.replaced.first]
        return json.dumps(values, ensure_ascii=False) + "\n"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Entry:
        """Return what a line says; raises whatever a wrong one leads to."""
        first, tiles = values["block"]
        where = tuple(slice(int(start), int(stop)) for start, stop in values["box"])
        count, place = values.get("replaced", (0, ""))
        return cls(
            int(first), int(tiles), where, str(values["sum"]), Replaced(int(count), str(place))
        )


class Ledger:
    """An append-only file: what the run is, then a line for each finished block.

    Parameters
    ----------
    path : Path
    head : mapping
        Plain JSON values that say what is computed, and how.
    entries : list of Entry
        The blocks so far; the last one of a tile counts.
    """

    def __init__(self, path: Path, head: Mapping[str, Any], entries: list[Entry]) -> None:
        self.path, self.head, self.entries = path, head, entries
        self._file: IO[str] | None = None

    @classmethod
    def create(cls, folder: Path, head: Mapping[str, Any]) -> Ledger:
        """Return the empty ledger of a new run; one that was there is replaced.

        Raises
        ------
        NotSaved
            If it cannot be written.
        """
        path = folder / FILE
        write_text(path, json.dumps(head, ensure_ascii=False) + "\n")
        return cls(path, head, [])

    @classmethod
    def read(cls, folder: Path) -> Ledger:
        """Return the ledger of a run that was stopped.

        A line that was cut off or is damaged is a block that is not finished.

        Raises
        ------
        FileMissing
            If there is none.
        RecipeError
            If it does not say what was computed.
        """
        path = folder / FILE
        try:
            first, *rest = path.read_text("utf-8", errors="replace").split("\n")
            head = json.loads(first)
        except FileNotFoundError as error:
            raise FileMissing(
                f"{folder} holds no run that could go on: {FILE} is not there.",
                hint="Begin anew.",
            ) from error
        except (OSError, ValueError) as error:
            raise RecipeError(f"{path} cannot be read: {error}.", hint="Begin anew.") from error
        if not isinstance(head, dict):
            raise RecipeError(f"{path} does not say what was computed.", hint="Begin anew.")
        return cls(path, head, list(_entries(rest)))

    @property
    def blocks(self) -> dict[int, Entry]:
        """The finished blocks by their first tile."""
        return {entry.first: entry for entry in self.entries}

    @property
    def tiles(self) -> int:
        """Number of tiles in finished blocks."""
        return sum(entry.tiles for entry in self.blocks.values())

    def add(self, entry: Entry) -> None:
        """Append a finished block; it is with the system when this returns.

        Raises
        ------
        NotSaved
            If the disk is full.
        """
        try:
            if self._file is None:
                self._file = self.path.open("a", encoding="utf-8")
                if self.path.stat().st_size and not _ends_well(self.path):
                    self._file.write("\n")
            self._file.write(entry.as_line())
            self._file.flush()
        except OSError as error:
            raise not_saved(self.path, error) from error
        self.entries.append(entry)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def checksum(parts: Iterable[np.ndarray[Any, Any]]) -> str:
    """Return a checksum of arrays: of their types, shapes and values."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(f"{part.dtype.str}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).view(np.uint8).reshape(-1).data)
    return digest.hexdigest()


def _entries(lines: Iterable[str]) -> Iterable[Entry]:
    for line in lines:
        try:
            yield Entry.from_dict(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
