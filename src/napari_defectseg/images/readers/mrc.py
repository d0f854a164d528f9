"""MRC and CCP4 maps, bare or packed by gzip or bzip2; cell in ångström over its sampling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.border import cut_short, reading
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.packed import beginning, packing_of
from napari_defectseg.images.parts import Part
from napari_defectseg.images.raw import lazy_raw
from napari_defectseg.images.reader import BY_CONTENT, BY_NAME, NO, head, name_axes, stem
from napari_defectseg.images.statements import Statement, combine

KIND = "MRC"
SUFFIXES = (".mrc", ".mrcs", ".map", ".ccp4", ".st", ".ali", ".rec")
HEADER, MARK = 1024, slice(208, 211)
MODES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
SMALLEST_ISPG_OF_STACKS = 401
ORDER = (1, 2, 3)
"""Columns along x, rows along y, sections along z: what every image program writes."""
ONE_ANGSTROM = 1 / 10
LARGEST_EXTENDED = 1 << 31


def recognise(path: Path) -> int:
    """Return whether the word MAP stands where MRC files have it, unpacked if need be."""
    if not path.is_file():
        return NO
    named = _bare_suffix(path) in SUFFIXES
    packed = path.suffix.lower() in (".gz", ".bz2")
    start = beginning(path, HEADER) if packed and named else head(path, HEADER)
    if start[MARK] == b"MAP":
        return BY_CONTENT
    return BY_NAME if named and len(start) > 0 else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the one map, movie or volume in it."""
    image = read(path)
    return (Part(image.name, image.shape, str(image.dtype)),)


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return the pixels; a size that is not positive counts as unknown."""
    with reading(path, KIND):
        header = _header(path)
        shape = _shape(path, header)
        offset = HEADER + int(header.nsymbt)
        if not 0 <= int(header.nsymbt) < LARGEST_EXTENDED:
            raise ImageError(f"{path.name} has an impossible extended header.")
        dtype = _dtype(path, header)
        data = lazy_raw(path, KIND, dtype, shape, offset, packing_of(path))
        names = name_axes(path, shape, axes or {2: "yx", 3: "zyx", 4: "tzyx"}[len(shape)])
        calibration = _calibration(header, names)
    return CalibratedImage(data, names, calibration, stem(path), Origin(str(path)))


def _bare_suffix(path: Path) -> str:
    packed = path.suffix.lower() in (".gz", ".bz2")
    return Path(path.stem).suffix.lower() if packed else path.suffix.lower()


def _header(path: Path) -> Any:
    """Return the header as a numpy record, in the byte order that makes sense of it."""
    from mrcfile.dtypes import HEADER_DTYPE

    start = beginning(path, HEADER)
    if len(start) < HEADER:
        raise cut_short(path, len(start), HEADER)
    for order in "<>":
        record = np.frombuffer(start, HEADER_DTYPE.newbyteorder(order))[0].view(np.recarray)
        if 0 <= int(record.mode) <= 128 and 0 < int(record.mapc) <= 3:
            return record
    for order in "<>":
        # Old programs leave the axis order empty.
        record = np.frombuffer(start, HEADER_DTYPE.newbyteorder(order))[0].view(np.recarray)
        if int(record.mode) in MODES and int(record.mapc) == 0 and 0 < int(record.nx) < 1 << 20:
            return record
    raise ImageError(
        f"{path.name} has no header of an MRC file.",
        hint="It is another kind of file, or damaged.",
    )


def _shape(path: Path, header: Any) -> tuple[int, ...]:
    nx, ny, nz, mz = (int(header[name]) for name in ("nx", "ny", "nz", "mz"))
    if min(nx, ny, nz) <= 0:
        raise ImageError(f"{path.name} claims the impossible shape {(nz, ny, nx)}.")
    if int(header.ispg) >= SMALLEST_ISPG_OF_STACKS and 0 < mz < nz and nz % mz == 0:
        return (nz // mz, mz, ny, nx)
    return (nz, ny, nx) if nz > 1 else (ny, nx)


def _dtype(path: Path, header: Any) -> np.dtype[Any]:
    mode = int(header.mode)
    if mode not in MODES:
        raise ImageError(
            f"{path.name} holds values of MRC mode {mode}, which are not read here.",
            hint="Modes 0, 1, 2, 6 and 12 are; 3 and 4 are Fourier transforms.",
        )
    order = header.dtype["mode"].byteorder
    return np.dtype(MODES[mode]).newbyteorder("<" if order == "=" else order)


def _calibration(header: Any, names: Axes) -> Calibration:
    sizes: dict[str, tuple[float | None, str | None]] = {}
    for letter in "xyz":
        cell, sampling = float(header.cella[letter]), int(header[f"m{letter}"])
        # The header is in ångström.
        sizes[letter] = (cell / sampling / 10 if sampling > 0 else None, "nm")
    values = [pair[0] for pair in sizes.values()]
    doubt = ""
    if all(value == ONE_ANGSTROM for value in values):
        doubt = "Exactly 1 Å is what programs write that do not know the pixel size. Is it right?"
    calibration = combine(
        [Statement("MRC header, cell in Å over its sampling", sizes, doubt)], names
    )
    order = tuple(int(header[name]) for name in ("mapc", "mapr", "maps"))
    if order not in (ORDER, (0, 0, 0)) and len({f"{value}" for value in values}) > 1:
        words = " ".join("?xyz"[axis] if 0 < axis < 4 else "?" for axis in order)
        question = (
            f"The MRC header turns the axes (columns, rows, sections along {words}) and their "
            "sizes differ. Which belongs to which?"
        )
        calibration = replace(calibration, question=question)
    return calibration
