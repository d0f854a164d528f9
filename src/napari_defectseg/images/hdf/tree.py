"""The data sets of an HDF5 file, found without following links out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MOST, DEEPEST = 20_000, 32
"""Objects that are looked at in one file, and groups inside one another."""


@dataclass(frozen=True)
class Tree:
    """What is inside an HDF5 file.

    Parameters
    ----------
    groups : dict of str to h5py.Group
        Path to group, the root as the empty path.
    arrays : dict of str to h5py.Dataset
        Path to data set; each once, however many names it has.
    elsewhere : dict of str to str
        Path of a link to the other file that it points to.
    """

    groups: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Any] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)


def look(file: Any) -> Tree:
    """Return the groups and data sets of an open file."""
    import h5py

    tree = Tree({"": file})
    waiting = [""]
    seen = {_place(file)}
    while waiting and len(seen) < MOST:
        path = waiting.pop(0)
        group = tree.groups[path]
        for name in group:
            inside = f"{path}/{name}".lstrip("/")
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                tree.elsewhere[inside] = str(link.filename)
            if not isinstance(link, h5py.HardLink):
                continue
            thing = group[name]
            place = _place(thing)
            if place in seen or len(seen) >= MOST:
                continue
            seen.add(place)
            if isinstance(thing, h5py.Group) and inside.count("/") < DEEPEST:
                tree.groups[inside] = thing
                waiting.append(inside)
            elif isinstance(thing, h5py.Dataset):
                tree.arrays[inside] = thing
    return tree


def _place(thing: Any) -> Any:
    import h5py

    return h5py.h5o.get_info(thing.id).addr


def is_picture(array: Any) -> bool:
    """Return whether a data set can be an image: numbers, two axes longer than 1."""
    shape = array.shape
    return bool(shape and array.dtype.kind in "buif" and sum(length > 1 for length in shape) >= 2)


def text(value: Any, default: str = "") -> str:
    """Return an attribute as text, however the file holds it."""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else default
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip("\x00 ")
    return default if value is None else str(value).strip("\x00 ")


def texts(value: Any) -> list[str]:
    """Return an attribute as a list of texts."""
    if value is None:
        return []
    if isinstance(value, np.ndarray | list | tuple):
        return [text(one) for one in np.ravel(np.asarray(value))]
    return [text(value)]


def number(value: Any) -> float | None:
    """Return an attribute or text as a number, None if it is none."""
    try:
        return float(np.ravel(np.asarray(value))[0]) if value is not None else None
    except (TypeError, ValueError, IndexError):
        return None


def child(tree: Tree, path: str, name: str) -> Any:
    """Return the group at ``path/name``, None if there is none."""
    return tree.groups.get(f"{path}/{name}".lstrip("/"))


def attributes(thing: Any) -> Mapping[str, Any]:
    """Return the attributes of a group or data set, nothing for None."""
    found: Mapping[str, Any] = thing.attrs if thing is not None else {}
    return found
