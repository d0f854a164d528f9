"""What files of Keras need of HDF5, with care: no links, no outside files, no absurd sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.hdf5.node import AGAIN, Node

Array: TypeAlias = np.ndarray[Any, Any]

MOST_NAMES = 20_000
MOST_VALUES = 1 << 31
SMALL = 64 << 20
BEST_PACKING, USUAL_PACKING = 1100, 20
"""Deflate makes data at most this much smaller; weights that are `SMALL` or more, so much."""
FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32"}


@dataclass(frozen=True)
class Place:
    """Where an array lies in a file, and its shape."""

    path: str
    shape: tuple[int, ...]


def child(group: Node, path: str, where: str) -> Node:
    """Return what lies at a path below a group, following no link.

    Raises
    ------
    ModelError
        If nothing is there, or a link.
    """
    here = group
    for part in path.split("/"):
        link = here.links.get(part)
        if link is None:
            raise ModelError(f"{where} names {path!r} among its weights, but does not hold it.")
        if link.address < 0:
            raise ModelError(
                f"{where} holds {path!r} as a link to another place; links are not followed."
            )
        here = here.child(part)
    return here


def names_in(group: Node) -> list[str]:
    """Return the names of what lies directly in a group, links left out."""
    return [name for name, link in group.links.items() if link.address >= 0]


def text_of(thing: Node, name: str) -> str:
    """Return an attribute as text, empty where there is none."""
    found = thing.texts(name) if name in thing.attributes else []
    return found[0] if found else ""


def list_of(thing: Node, name: str, where: str) -> list[str] | None:
    """Return an attribute as a list of names, None where there is none.

    Lists above 64 kB are split by Keras into ``name0``, ``name1``, …
    """
    parts = [name] if name in thing.attributes else []
    while not parts or parts[0] != name:
        following = f"{name}{len(parts)}"
        if following not in thing.attributes:
            break
        parts.append(following)
    if not parts:
        return None
    found = [text for part in parts for text in thing.texts(part)]
    if len(found) > MOST_NAMES:
        raise ModelError(f"{where} lists {len(found)} names; no network has so many.")
    return found


def place_of(thing: Node, path: str, where: str) -> Place:
    """Return place and shape of the numbers in a data set, checked before any is read.

    Raises
    ------
    ModelError
        If they lie in another file, are packed in an unknown way, are no numbers, or if the
        file does not hold as many as it states.
    """
    numbers = thing.numbers
    if numbers is None or numbers.shape is None:
        raise ModelError(f"{where} holds no numbers at {path!r}.")
    if numbers.elsewhere:
        raise ModelError(f"{where} keeps {path!r} in another file, which is not opened.")
    if not numbers.kind.dtype:
        raise ModelError(f"{where} holds {path!r} as {numbers.kind.words}, not as numbers.")
    strange = [number for number, _ in numbers.filters if number not in FILTERS]
    if strange:
        raise ModelError(f"{where} packs {path!r} by the filter {strange[0]}, which is not known.")
    most = BEST_PACKING if numbers.bytes < SMALL else USUAL_PACKING
    most = most if numbers.filters else 1
    values = numbers.bytes // max(numbers.kind.size, 1)
    if len(numbers.shape) > 8 or values > MOST_VALUES or numbers.bytes > most * numbers.stored:
        shape = "×".join(map(str, numbers.shape))
        raise ModelError(
            f"{where} states {shape} values at {path!r}, but holds {numbers.stored} bytes of them.",
            hint=AGAIN,
        )
    return Place(path, numbers.shape)


def values_at(root: Node, place: Place, where: str) -> Array:
    """Return the numbers at a place as float32.

    Raises
    ------
    ModelError
        If they are not those that were seen when the file was opened.
    """
    thing = child(root, place.path, where)
    if place_of(thing, place.path, where).shape != place.shape:
        raise ModelError(f"{where} was changed since it was opened.", hint="Open it again.")
    values: Array = np.asarray(thing.values(), np.float32)
    return values
