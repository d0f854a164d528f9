"""NumPy arrays: ``.npy`` mapped into memory, ``.npz`` with a choice of array; no pickles."""

from __future__ import annotations

import math
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.border import check_claim, cut_short, reading
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.parts import Part, PartNeeded, find_part
from napari_defectseg.images.reader import BY_CONTENT, BY_NAME, NO, head, name_axes, stem
from napari_defectseg.images.sidecar import read_sidecar

SUFFIXES = (".npy", ".npz")
MAGIC, ZIP = b"\x93NUMPY", b"PK"


def recognise(path: Path) -> int:
    """Return whether it is a NumPy file."""
    start = head(path, 6)
    if start == MAGIC:
        return BY_CONTENT
    named = path.suffix.lower() in SUFFIXES and path.is_file()
    return BY_CONTENT if named and start[:2] == ZIP else BY_NAME if named else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the arrays inside."""
    with reading(path, "NumPy array"):
        if head(path, 6) == MAGIC:
            shape, dtype, _, _ = _header_of(path)
            return (Part(stem(path), shape, str(dtype)),)
        return _members(path)


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return an array; its pixel size comes from the small JSON file that we write beside it."""
    with reading(path, "NumPy array"):
        member = "" if head(path, 6) == MAGIC else _choose(path, part)
        data = _from_archive(path, member) if member else _mapped(path)
    kept = read_sidecar(path, data.shape)
    names = name_axes(path, data.shape, axes or (kept and "".join(kept[0])))
    count = len(axis_names.spatial(names))
    calibration = Calibration.uncalibrated(count)
    if kept and kept[1].ndim == count:
        calibration = kept[1]
    return CalibratedImage(data, names, calibration, stem(path), Origin(str(path), member))


def _mapped(path: Path) -> LazyArray:
    shape, dtype, fortran, offset = _header_of(path)
    need = offset + math.prod(shape) * dtype.itemsize
    if path.stat().st_size < need:
        raise cut_short(path, path.stat().st_size, need)
    opener = partial(_map, str(path), dtype.str, offset, shape, fortran)
    return LazyArray(str(path), "NumPy array", shape, dtype.newbyteorder("="), opener, serial=False)


def _map(path: str, dtype: str, offset: int, shape: tuple[int, ...], fortran: bool) -> Any:
    order: Any = "F" if fortran else "C"
    return np.memmap(path, np.dtype(dtype), "r", offset, shape, order)


def _header_of(path: Path) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
    with path.open("rb") as file:
        return _header(path, file)


def _header(path: Path, file: Any) -> tuple[tuple[int, ...], np.dtype[Any], bool, int]:
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read_header(file)
    if dtype.hasobject or dtype.kind not in "buif":
        raise ImageError(
            f"{path.name} holds values of type {dtype}, which are not pixels.",
            hint="Save a plain array of whole or floating-point numbers.",
        )
    if any(length < 0 for length in shape):
        raise ImageError(f"{path.name} claims the impossible shape {shape}.")
    return tuple(shape), dtype, fortran, file.tell()


def _members(path: Path) -> tuple[Part, ...]:
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".npy"):
                with archive.open(name) as file:
                    shape, dtype, _, _ = _header(path, file)
                found.append(Part(name.removesuffix(".npy"), shape, str(dtype)))
    if not found:
        raise ImageError(f"{path.name} is an archive without a NumPy array.")
    return tuple(found)


def _choose(path: Path, part: str | None) -> str:
    inside = _members(path)
    if part is not None:
        return inside[find_part(path, inside, part)].name
    pictures = [one for one in inside if len(one.shape) >= 2] or list(inside)
    if len(pictures) > 1:
        raise PartNeeded(path, pictures)
    return pictures[0].name


def _from_archive(path: Path, member: str) -> LazyArray:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(f"{member}.npy")
        with archive.open(info) as file:
            shape, dtype, _, offset = _header(path, file)
    check_claim(path, shape, dtype.itemsize, info.compress_size)
    need = offset + math.prod(shape) * dtype.itemsize
    if info.file_size < need:
        raise cut_short(path, info.file_size, need)
    opener = partial(_unpack, str(path), member)
    return LazyArray(str(path), "NumPy array", shape, dtype.newbyteorder("="), opener)


def _unpack(path: str, member: str) -> np.ndarray[Any, Any]:
    with zipfile.ZipFile(path) as archive, archive.open(f"{member}.npy") as file:
        array: np.ndarray[Any, Any] = np.lib.format.read_array(file, allow_pickle=False)
        return array
