"""HDF5 and its kinds: NeXus, Velox and Berkeley EMD, DM5, hspy; else a choice of data set."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.border import BOMB_BYTES, check_claim, check_shape, reading
from napari_defectseg.images.described import AxisFact, Described, image_axes, unknown_axes
from napari_defectseg.images.hdf import dm5, emd, hspy, nexus, velox
from napari_defectseg.images.hdf.tree import Tree, is_picture, look, number, texts
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.parts import Part, PartNeeded, find_part
from napari_defectseg.images.reader import BY_CONTENT, BY_NAME, NO, head, stem

KIND = "HDF5"
MAGIC = b"\x89HDF\r\n\x1a\n"
SUFFIXES = (".h5", ".hdf5", ".hdf", ".he5", ".nxs", ".nx", ".emd", ".hspy", ".dm5")
USER_BLOCKS = (0, 512, 1024, 2048)
KINDS = (velox, dm5, hspy, emd, nexus)


def recognise(path: Path) -> int:
    """Return whether it begins as HDF5 does, after a user block if there is one."""
    start = head(path, USER_BLOCKS[-1] + len(MAGIC))
    if any(start[at : at + len(MAGIC)] == MAGIC for at in USER_BLOCKS):
        return BY_CONTENT
    return BY_NAME if path.is_file() and path.suffix.lower() in SUFFIXES and start else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the data sets that can be images, those that the file describes first."""
    with _open(path) as file:
        return tuple(_part(one) for one in _found(path, look(file)))


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return one data set of an HDF5 file with what the file says of its axes."""
    with _open(path) as file:
        found = _found(path, look(file))
        if part is not None:
            chosen = found[find_part(path, [_part(one) for one in found], part.strip("/"))]
        else:
            chosen = _choose(path, found)
        return _image(path, file, chosen, axes, len(found) > 1)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    import h5py

    with reading(path, KIND), h5py.File(path, "r", locking=False) as file:
        yield file


def _found(path: Path, tree: Tree) -> list[Described]:
    described: dict[str, Described] = {}
    for kind in KINDS:
        described |= {one.name: one for one in kind.find(tree) if one.name not in described}
    plain = [
        _undescribed(name, array)
        for name, array in tree.arrays.items()
        if name not in described and is_picture(array)
    ]
    found = [*described.values(), *plain]
    if not found:
        raise _no_picture(path, tree)
    return found


def _undescribed(name: str, array: Any) -> Described:
    facts = unknown_axes(array.shape)
    # The convention of ImageJ's HDF5 plugins and ilastik.
    sizes = [number(one) for one in texts(array.attrs.get("element_size_um"))]
    source = ""
    if len(sizes) == 3 and array.ndim == 3:
        pairs = zip(array.shape, "zyx", sizes, strict=True)
        facts = tuple(AxisFact(length, name, size, "µm") for length, name, size in pairs)
        source = "HDF5 attribute element_size_um"
    return Described(name, array.shape, str(array.dtype), facts, source)


def _no_picture(path: Path, tree: Tree) -> ImageError:
    if tree.elsewhere:
        name, other = next(iter(tree.elsewhere.items()))
        return ImageError(
            f"{path.name} holds no image itself: {name} is a link to another file, {other}.",
            hint="Open that file; links out of a file are not followed.",
        )
    return ImageError(
        f"{path.name} is an HDF5 file without a data set that could be an image "
        f"({len(tree.arrays)} data sets in all).",
        hint="An image is a data set of numbers with two axes or more.",
    )


def _choose(path: Path, found: list[Described]) -> Described:
    first = [one for one in found if one.source and not one.preview] or found
    if len(first) > 1:
        raise PartNeeded(path, [_part(one) for one in first])
    return first[0]


def _part(one: Described) -> Part:
    return Part(one.name, tuple(one.shape), one.dtype, one.title)


def _image(
    path: Path, file: Any, one: Described, axes: str | None, several: bool
) -> CalibratedImage:
    array = file[one.name]
    _check(path, array)
    source = one.source or f"{one.name} states no pixel size"
    names, calibration = image_axes(path, one.facts, source, axes)
    opener = partial(DataSetFile, str(path), one.name, one.order)
    data = LazyArray(str(path), KIND, one.shape, array.dtype.newbyteorder("="), opener)
    origin = Origin(str(path), one.name if several else "", one.instrument, one.details)
    name = f"{stem(path)} {one.title}".strip() if several else stem(path)
    return CalibratedImage(data, names, calibration, name, origin)


def _check(path: Path, array: Any) -> None:
    """Refuse pixels that lie elsewhere, are packed in a way unknown here, or are made up."""
    if array.dtype.kind not in "buif":
        raise ImageError(f"{path.name} holds values of type {array.dtype}, which are not pixels.")
    check_shape(path, array.shape)
    if array.external:
        raise ImageError(
            f"{path.name} keeps the pixels of {array.name} in another file: "
            f"{array.external[0][0]}.",
            hint="That is not followed; save the image in one file.",
        )
    if array.is_virtual:
        _check_sources(path, array)
    _check_filters(path, array)
    block = math.prod(array.chunks or ()) * array.dtype.itemsize
    if block > BOMB_BYTES:
        check_claim(path, array.chunks, array.dtype.itemsize, array.id.get_storage_size())


def _check_sources(path: Path, array: Any) -> None:
    """Refuse a virtual data set whose sources are not beside the file: HDF5 would give zeros."""
    for source in array.virtual_sources():
        if source.file_name == ".":
            continue
        other = Path(source.file_name)
        if other.is_absolute() or ".." in other.parts or not (path.parent / other).is_file():
            raise ImageError(
                f"{path.name} takes the pixels of {array.name} from {other}, "
                "which is not beside it.",
                hint="Copy both files into one folder.",
            )


def _check_filters(path: Path, array: Any) -> None:
    import h5py

    properties = array.id.get_create_plist()
    for index in range(properties.get_nfilters()):
        code, _, _, label = properties.get_filter(index)
        if h5py.h5z.filter_avail(code):
            continue
        try:
            importlib.import_module("hdf5plugin")
        except ImportError as error:
            name = label.decode("ascii", "replace") or f"filter {code}"
            raise ImageError(
                f"{path.name} is compressed with {name}, which needs a further package.",
                hint="pip install hdf5plugin",
            ) from error


class DataSetFile:
    """An open HDF5 file from which parts of one data set are read."""

    def __init__(self, path: str, name: str, order: tuple[int, ...]) -> None:
        import h5py

        self._file = h5py.File(path, "r", locking=False)
        self.close_file = self._file.close
        self._array = self._file[name]
        self._order = order or tuple(range(self._array.ndim))

    def __getitem__(self, key: tuple[slice, ...]) -> np.ndarray[Any, Any]:
        """Return the part at forward slices, one an axis that is shown."""
        where: list[Any] = [0] * self._array.ndim
        for axis, part in zip(self._order, key, strict=True):
            where[axis] = part
        block = np.asarray(self._array[tuple(where)])
        kept = sorted(self._order)
        return block.transpose([kept.index(axis) for axis in self._order])
