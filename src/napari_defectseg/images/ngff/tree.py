"""The groups and arrays of a zarr store on disk, found without trusting it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ImageError

MARKS = (".zarray", ".zgroup", ".zattrs", "zarr.json")
"""Files that make a folder a node of a store."""
LONGEST = 1 << 25
"""Bytes of metadata that are read; more is not metadata."""
DEEPEST, MOST_NODES = 6, 5000


@dataclass(frozen=True)
class Node:
    """A group or an array.

    Parameters
    ----------
    folder : Path
        Where it lies.
    name : str
        Path inside the store, empty for the store itself.
    is_array : bool
    attributes : dict
    dimensions : tuple of str
        Names that the store gives to the axes of an array, empty without.
    """

    folder: Path
    name: str
    is_array: bool
    attributes: dict[str, Any] = field(default_factory=dict)
    dimensions: tuple[str, ...] = ()


def is_node(folder: Path) -> bool:
    """Return whether a folder has the files of a zarr group or array."""
    return any((folder / mark).is_file() for mark in MARKS)


def node(folder: Path, name: str = "") -> Node:
    """Return what a folder is, from its metadata files alone."""
    if (folder / "zarr.json").is_file():
        values = _json(folder / "zarr.json")
        attributes = _mapping(folder, values.get("attributes") or {})
        dimensions = values.get("dimension_names") or ()
        is_array = values.get("node_type") == "array"
    else:
        beside = folder / ".zattrs"
        attributes = _json(beside) if beside.is_file() else {}
        dimensions = attributes.get("_ARRAY_DIMENSIONS") or ()
        is_array = (folder / ".zarray").is_file()
    names = tuple(str(one) for one in dimensions)
    return Node(folder, name, is_array, attributes, names)


def walk(folder: Path) -> Iterator[Node]:
    """Yield the nodes of a store from the top; links are not followed."""
    waiting = [node(folder)]
    seen = 0
    while waiting and seen < MOST_NODES:
        here = waiting.pop(0)
        seen += 1
        yield here
        if not here.is_array and here.name.count("/") < DEEPEST:
            waiting += [
                node(child, f"{here.name}/{child.name}".lstrip("/"))
                for child in sorted(here.folder.iterdir())
                if child.is_dir() and not child.is_symlink() and is_node(child)
            ]


def stored_bytes(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _json(file: Path) -> dict[str, Any]:
    if file.stat().st_size > LONGEST:
        raise ImageError(f"{file} is {file.stat().st_size} bytes long, which is not metadata.")
    return _mapping(file, json.loads(file.read_text(encoding="utf-8")))


def _mapping(place: Path, values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise ImageError(f"{place} holds no zarr metadata, but a {type(values).__name__}.")
    return values
