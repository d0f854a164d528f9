"""NRRD: attached and detached headers, raw, gzip and bzip2; spacing with its unit."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import FileMissing, ImageError
from napari_defectseg.core.units import normalise_time
from napari_defectseg.images.border import reading
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.packed import Packing
from napari_defectseg.images.parts import Part
from napari_defectseg.images.raw import lazy_raw
from napari_defectseg.images.reader import BY_CONTENT, BY_NAME, NO, head, name_axes, stem
from napari_defectseg.images.statements import Statement, combine, with_frames

KIND = "NRRD"
SUFFIXES = (".nrrd", ".nhdr")
LONGEST = 1 << 20
PACKED = {"raw": "", "gz": "gz", "gzip": "gz", "bz2": "bz2", "bzip2": "bz2"}
COLOUR_KINDS = ("RGB-color", "RGBA-color", "3-color", "4-color", "list", "vector", "3-vector")
MICRO = (b"\xc2\xb5", b"\xce\xbc", b"\xb5")
"""The micro sign, which pynrrd drops as no ASCII: µm would become m."""
OUR_AXES = "axes"
"""Key in which our own files name their axes, fastest last."""


def recognise(path: Path) -> int:
    """Return whether it begins as NRRD does."""
    start = head(path, 5)
    if start[:4] == b"NRRD":
        return BY_CONTENT
    return BY_NAME if start and path.suffix.lower() in SUFFIXES else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the one array in it."""
    with reading(path, KIND):
        header, _ = _header(path)
        return (Part(stem(path), _shape(header), str(_dtype(path, header).name)),)


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return the array with the spacing of its header; without a unit it is no length."""
    with reading(path, KIND):
        header, length = _header(path)
        data = _data(path, header, length)
        names = _names(path, header, data.shape, axes)
        calibration = _calibration(header, names)
    details = {"encoding": str(header.get("encoding", ""))}
    origin = Origin(str(path), details=details)
    return CalibratedImage(data, names, calibration, stem(path), origin)


def _header(path: Path) -> tuple[dict[str, Any], int]:
    """Return the fields of the header, and its length in bytes."""
    import nrrd

    start = head(path, LONGEST)
    ends = [start.find(gap) + len(gap) for gap in (b"\n\n", b"\r\n\r\n") if gap in start]
    if start[:4] != b"NRRD":
        raise ImageError(f"{path.name} does not begin as a NRRD file does.")
    if not ends and len(start) >= LONGEST:
        raise ImageError(f"{path.name} has a NRRD header without an end.")
    length = min(ends, default=len(start))
    text = start[:length]
    for micro in MICRO:
        text = text.replace(micro, b"u")
    header: dict[str, Any] = nrrd.read_header(io.BytesIO(text))
    sizes = header["sizes"]
    if len(sizes) != int(header["dimension"]):
        raise ImageError(f"{path.name} names {len(sizes)} sizes for {header['dimension']} axes.")
    return header, length


def _shape(header: dict[str, Any]) -> tuple[int, ...]:
    return tuple(int(size) for size in header["sizes"])[::-1]


def _dtype(path: Path, header: dict[str, Any]) -> np.dtype[Any]:
    import nrrd

    words = nrrd.reader._TYPEMAP_NRRD2NUMPY
    kind = str(header["type"])
    stored: np.dtype[Any] = np.dtype(words.get(kind, "O"))
    if stored.kind not in "uif":
        raise ImageError(f"{path.name} holds values of type {kind}, which are not pixels.")
    return stored.newbyteorder(">" if header.get("endian") == "big" else "<")


def _data(path: Path, header: dict[str, Any], length: int) -> LazyArray:
    encoding = str(header["encoding"]).lower()
    if encoding not in PACKED:
        raise ImageError(
            f"{path.name} is encoded as {encoding}, which is not read here.",
            hint="Save it with the encoding raw or gzip.",
        )
    stored, shape = _dtype(path, header), _shape(header)
    if 0 in shape:
        raise ImageError(f"{path.name} is empty: its sizes are {shape}.")
    named = header.get("data file") or header.get("datafile")
    file, start = (_beside(path, str(named)), 0) if named else (path, length)
    skip = int(header.get("byte skip") or header.get("byteskip") or 0)
    if int(header.get("line skip") or header.get("lineskip") or 0):
        raise ImageError(f"{path.name} asks to skip lines of text, which is not read here.")
    kind = PACKED[encoding]
    if kind:
        return lazy_raw(file, KIND, stored, shape, max(skip, 0), Packing(kind, start))
    if skip < 0:
        skip = file.stat().st_size - start - math.prod(shape) * stored.itemsize
    return lazy_raw(file, KIND, stored, shape, start + max(skip, 0))


def _beside(path: Path, name: str) -> Path:
    """Return the file with the pixels, which must lie in the folder of its header."""
    inside = Path(name)
    if "%" in name or name.upper().startswith("LIST"):
        raise ImageError(
            f"{path.name} spreads its pixels over several files, which is not read here.",
            hint="Save it as one .nrrd file.",
        )
    if inside.is_absolute() or ".." in inside.parts:
        raise ImageError(
            f"{path.name} names pixels outside of its folder: {name}.",
            hint="Put both files into one folder and name the file alone.",
        )
    if not (path.parent / inside).is_file():
        raise FileMissing(
            f"{path.name} is a header; its pixels, {name}, are not beside it.",
            hint="Copy both files into one folder.",
        )
    return path.parent / inside


def _names(path: Path, header: dict[str, Any], shape: tuple[int, ...], wanted: str | None) -> Axes:
    kinds = [str(kind) for kind in header.get("kinds") or ()][::-1]
    units = [str(unit) for unit in header.get("units") or ()][::-1]
    found = str(header.get(OUR_AXES, ""))
    if not found and len(kinds) == len(shape):
        letters, spatial = [], list("zyx")
        for axis in reversed(range(len(shape))):
            timed = kinds[axis] == "time" or (axis < len(units) and normalise_time(units[axis]))
            letter = "c" if kinds[axis] in COLOUR_KINDS else "t" if timed else ""
            letters.append(letter or (spatial.pop() if spatial else ""))
        found = "".join(reversed(letters))
    usable = len(found) == len(shape) and {"y", "x"} <= set(found)
    return name_axes(path, shape, wanted or (found if usable else None))


def _calibration(header: dict[str, Any], names: Axes) -> Calibration:
    steps, units, field = _steps(header, len(names))
    pairs = dict(zip(names, zip(steps, units, strict=True), strict=True))
    spatial = {name: pair for name, pair in pairs.items() if name in ("z", "y", "x")}
    source = f"NRRD header, {field}"
    if not any(unit for _, unit in spatial.values()):
        values = " ".join(f"{pair[0]:g}" for pair in spatial.values() if pair[0] is not None)
        source = f"{source} {values} without a unit" if values else "NRRD header, no spacing"
    calibration = combine([Statement(source, spatial)], names)
    return with_frames(calibration, *pairs["t"]) if "t" in pairs else calibration


def _steps(header: dict[str, Any], count: int) -> tuple[list[float | None], list[str | None], str]:
    """Return step and unit of every axis, slowest first, and the field that tells."""
    directions = header.get("space directions")
    if directions is not None:
        steps = [_length(vector) for vector in directions]
        said = iter(list(header.get("space units") or ()))
        units: list[str | None] = [None if s is None else next(said, None) for s in steps]
        field = "space directions"
    else:
        steps = [_finite(value) for value in header.get("spacings", ())]
        units = [str(unit) or None for unit in header.get("units") or ()]
        field = "spacings"
    steps += [None] * (count - len(steps))
    units += [None] * (count - len(units))
    return steps[:count][::-1], units[:count][::-1], field


def _length(vector: Any) -> float | None:
    return None if vector is None else _finite(np.linalg.norm(np.asarray(vector, dtype=float)))


def _finite(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
