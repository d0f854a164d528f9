"""OME-Zarr 0.1 to 0.5, and bare zarr arrays, of formats 2 and 3; read block by block."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.border import BOMB_BYTES, check_claim, check_shape, reading
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.ngff.guard import open_guarded
from napari_defectseg.images.ngff.metadata import Multiscale, bare, multiscales
from napari_defectseg.images.ngff.tree import is_node, stored_bytes, walk
from napari_defectseg.images.parts import Part, PartNeeded, find_part
from napari_defectseg.images.reader import BY_NAME, EXACT, NO, name_axes, stem

KIND = "zarr"
LABELS = "labels"


@dataclass(frozen=True)
class Entry:
    """Something in the store that can be opened: an image in several sizes, or an array."""

    name: str
    folder: Path
    scales: Multiscale

    @property
    def beside(self) -> bool:
        """Whether it is a label image that belongs to another image."""
        return LABELS in self.name.split("/")[:-1]


def recognise(path: Path) -> int:
    """Return whether a folder is a zarr group or array."""
    if not path.is_dir():
        return NO
    return EXACT if is_node(path) else BY_NAME if path.suffix.lower() == ".zarr" else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the images, label images and arrays of a store."""
    with reading(path, KIND):
        return tuple(_part(entry) for entry in _entries(path))


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return one image of a store with its coarser levels; label images only if asked for."""
    with reading(path, KIND):
        entries = _entries(path)
        if part is not None:
            named = [_part(entry) for entry in entries]
            return _image(path, entries[find_part(path, named, part)], axes)
        first = [entry for entry in entries if not entry.beside] or entries
        if len(first) > 1:
            raise PartNeeded(path, [_part(entry) for entry in first])
        return _image(path, first[0], axes)


def _entries(path: Path) -> list[Entry]:
    found: list[Entry] = []
    levels: set[str] = set()
    for node in walk(path):
        if node.name in levels:
            # The levels of an image are not images of their own; its labels are.
            continue
        if node.is_array:
            scales = bare(node.attributes, node.dimensions, stem(path))
            found.append(Entry(node.name or stem(path), node.folder, scales))
            continue
        images = multiscales(node.attributes)
        for index, scales in enumerate(images):
            name = node.name or scales.name or stem(path)
            found.append(
                Entry(name if len(images) == 1 else f"{name} {index}", node.folder, scales)
            )
        top = f"{node.name}/".lstrip("/")
        levels |= {f"{top}{level}" for scales in images for level in scales.paths}
    if not found:
        raise ImageError(
            f"{path.name} is a zarr store without an image or array.",
            hint="Was it copied completely, with its hidden files (.zattrs, .zgroup, .zarray)?",
        )
    return found


def _part(entry: Entry) -> Part:
    array = open_array(str(_level(entry, entry.scales.paths[0])))
    note = "label image" if entry.beside else "".join(entry.scales.axes)
    return Part(entry.name, tuple(array.shape), str(array.dtype), note)


def _level(entry: Entry, level: str) -> Path:
    """Return the folder of a level, which must be an array in the folder of its image."""
    folder = entry.folder / level
    if ".." in Path(level).parts or Path(level).is_absolute() or not is_node(folder):
        raise ImageError(
            f"{entry.folder.name} names an array {level!r} that is not in it.",
            hint="Was it copied completely, with its hidden files?",
        )
    return folder


def _image(path: Path, entry: Entry, axes: str | None) -> CalibratedImage:
    levels = [_lazy(path, _level(entry, level)) for level in entry.scales.paths]
    data, scales = levels[0], entry.scales
    fits = len(scales.axes) == data.ndim
    names = name_axes(path, data.shape, axes or ("".join(scales.axes) if fits else None))
    if scales.rgb and not axes and "c" in names and data.shape[names.index("c")] == 3:
        order = (*(i for i, name in enumerate(names) if name != "c"), names.index("c"))
        levels = [level.transposed(order) for level in levels]
        names = tuple(names[index] for index in order)
    part = entry.name if entry.folder != path else ""
    version = {"format": f"OME-Zarr {scales.version}"} if scales.version else {"format": "zarr"}
    return CalibratedImage(
        levels[0],
        names,
        scales.calibration(names),
        scales.name or stem(path),
        Origin(str(path), part, details=version),
        levels=tuple(level for level in levels[1:] if level.ndim == data.ndim),
    )


def _lazy(path: Path, folder: Path) -> LazyArray:
    array = open_array(str(folder))
    if array.dtype.kind not in "buif":
        raise ImageError(f"{path.name} holds values of type {array.dtype}, which are not pixels.")
    check_shape(path, array.shape)
    if 0 in array.chunks:
        raise ImageError(f"{path.name} claims blocks of the impossible shape {array.chunks}.")
    block = math.prod(array.chunks) * array.dtype.itemsize
    if block > BOMB_BYTES:
        check_claim(path, array.chunks, array.dtype.itemsize, stored_bytes(folder))
    return LazyArray(
        str(path),
        KIND,
        array.shape,
        array.dtype.newbyteorder("="),
        partial(open_guarded, str(folder), path.name),
        serial=False,
    )


def open_array(folder: str) -> Any:
    """Return the zarr array in a folder, for reading."""
    import zarr

    return zarr.open_array(folder, mode="r")
