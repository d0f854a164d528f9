"""HDF5 read with care: no links, no outside files, no strange filters, no absurd sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from napari_defectseg.core.errors import ModelError

Array: TypeAlias = np.ndarray[Any, Any]

MAGIC = b"\x89HDF\r\n\x1a\n"
MOST_NAMES = 20_000
MOST_VALUES = 1 << 31
BEST_PACKING = 1100
"""Deflate makes data at most this much smaller."""
FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32"}
LONGEST_TEXT = 32 << 20
AGAIN = "It may have been cut off while it was copied; fetch it again."


@dataclass(frozen=True)
class Place:
    """Where an array lies in a file, and its shape."""

    path: str
    shape: tuple[int, ...]


@contextmanager
def opened(source: Path | BinaryIO, where: str) -> Iterator[Any]:
    """Give the root of an HDF5 file; what HDF5 refuses becomes a sentence.

    Raises
    ------
    ModelError
        If the file is damaged.
    """
    import h5py

    try:
        keep = {"locking": False} if isinstance(source, Path) else {}
        with h5py.File(source, "r", **keep) as file:
            yield file
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, UnicodeError) as error:
        if isinstance(error, ModelError):
            raise
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{where} is not a whole HDF5 file of Keras: {words}.", hint=AGAIN
        ) from error
    except (MemoryError, OverflowError, AttributeError, RecursionError) as error:
        raise ModelError(f"{where} is a damaged HDF5 file: {error!r}.", hint=AGAIN) from error


def looks_like_hdf5(path: Path) -> bool:
    """Return whether the file begins as HDF5 does."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def child(group: Any, path: str, where: str) -> Any:
    """Return what lies at a path below a group, following no link.

    Raises
    ------
    ModelError
        If nothing is there, or a link.
    """
    import h5py

    here = group
    for part in path.split("/"):
        link = here.get(part, getlink=True) if isinstance(here, h5py.Group) and part else None
        if link is None:
            raise ModelError(f"{where} names {path!r} among its weights, but does not hold it.")
        if not isinstance(link, h5py.HardLink):
            raise ModelError(
                f"{where} holds {path!r} as a link to another place; links are not followed."
            )
        here = here[part]
    return here


def names_in(group: Any) -> list[str]:
    """Return the names of what lies directly in a group, links left out."""
    import h5py

    if len(group) > MOST_NAMES:
        raise ModelError(f"A group of the file holds {len(group)} things; no network is so large.")
    return [n for n in group if isinstance(group.get(n, getlink=True), h5py.HardLink)]


def text_of(thing: Any, name: str, where: str) -> str:
    """Return an attribute as text, empty where there is none."""
    if name not in thing.attrs:
        return ""
    _check_attribute(thing, name, where)
    value = thing.attrs[name]
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def list_of(thing: Any, name: str, where: str) -> list[str] | None:
    """Return an attribute as a list of names, None where there is none.

    Lists above 64 kB are split by Keras into ``name0``, ``name1``, …
    """
    parts = [name] if name in thing.attrs else []
    while not parts or parts[0] != name:
        following = f"{name}{len(parts)}"
        if following not in thing.attrs or len(parts) >= MOST_NAMES:
            break
        parts.append(following)
    if not parts:
        return None
    found: list[str] = []
    for part in parts:
        _check_attribute(thing, part, where)
        values = np.ravel(np.asarray(thing.attrs[part]))
        if values.dtype.kind == "f" and not values.size:  # an empty list of Keras
            continue
        found += [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values]
    if len(found) > MOST_NAMES:
        raise ModelError(f"{where} lists {len(found)} names; no network has so many.")
    return found


def place_of(dataset: Any, path: str, where: str) -> Place:
    """Return place and shape of the numbers in a data set, checked before any is read.

    Raises
    ------
    ModelError
        If they lie in another file, are packed in an unknown way, are no numbers, or if the
        file does not hold as many as it states.
    """
    import h5py

    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        raise ModelError(f"{where} holds no numbers at {path!r}.")
    if dataset.external or dataset.is_virtual:
        raise ModelError(f"{where} keeps {path!r} in another file, which is not opened.")
    if dataset.dtype.kind not in "fiu" or dataset.dtype.itemsize > 8:
        raise ModelError(f"{where} holds {path!r} as {dataset.dtype}, not as numbers.")
    plan = dataset.id.get_create_plist()
    strange = [n for i in range(plan.get_nfilters()) if (n := plan.get_filter(i)[0]) not in FILTERS]
    if strange:
        raise ModelError(f"{where} packs {path!r} by the filter {strange[0]}, which is not known.")
    count = math.prod(dataset.shape)
    stored = dataset.id.get_storage_size()
    best = BEST_PACKING if plan.get_nfilters() else 1
    if (
        len(dataset.shape) > 8
        or count > MOST_VALUES
        or count * dataset.dtype.itemsize > best * stored
    ):
        shape = "×".join(map(str, dataset.shape))
        raise ModelError(
            f"{where} states {shape} values at {path!r}, but holds {stored} bytes of them.",
            hint=AGAIN,
        )
    return Place(path, tuple(int(n) for n in dataset.shape))


def values_at(root: Any, place: Place, where: str) -> Array:
    """Return the numbers at a place as float32.

    Raises
    ------
    ModelError
        If they are not those that were seen when the file was opened.
    """
    dataset = child(root, place.path, where)
    if place_of(dataset, place.path, where).shape != place.shape:
        raise ModelError(f"{where} was changed since it was opened.", hint="Open it again.")
    values: Array = np.asarray(dataset[()], np.float32)
    return values


def _check_attribute(thing: Any, name: str, where: str) -> None:
    attribute = thing.attrs.get_id(name)
    count = math.prod(attribute.shape or ())
    size = count * attribute.dtype.itemsize
    if count > MOST_NAMES or size > LONGEST_TEXT or attribute.dtype.kind not in "OSUfiu":
        raise ModelError(f"{where} has an attribute {name!r} of {size} bytes, too long to be read.")
