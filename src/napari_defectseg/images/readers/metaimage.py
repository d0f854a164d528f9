"""MetaImage: ``.mha``, and ``.mhd`` with its pixels beside it; bare or zlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import FileMissing, ImageError
from napari_defectseg.images.border import reading
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.packed import AS_IT_IS, Packing
from napari_defectseg.images.parts import Part
from napari_defectseg.images.raw import lazy_raw
from napari_defectseg.images.reader import BY_CONTENT, NO, head, name_axes, stem
from napari_defectseg.images.statements import Statement, combine

KIND = "MetaImage"
SUFFIXES = (".mhd", ".mha")
LONGEST = 1 << 16
LAST = "ElementDataFile"
"""The field that ends the header."""
TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
TRUE = ("true", "1", "yes")


def recognise(path: Path) -> int:
    """Return whether it has the suffix and the first words of a MetaImage."""
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return NO
    words = (b"ObjectType", b"NDims", b"Comment")
    return BY_CONTENT if any(word in head(path, 512) for word in words) else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the one image in it."""
    image = read(path)
    return (Part(image.name, image.shape, str(image.dtype)),)


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return the image; its spacing is a length only where the header names a unit."""
    with reading(path, KIND):
        fields, length = _header(path)
        shape, channels = _shape(path, fields)
        file, packing, offset = _place(path, fields, length)
        stored = _dtype(path, fields)
        data = lazy_raw(file, KIND, stored, shape, offset, packing)
        usual = {2: "yx", 3: "zyx", 4: "tzyx"}.get(len(shape) - (channels > 1), "")
        names = name_axes(path, shape, axes or (usual + "c" * (channels > 1)))
        calibration = _calibration(fields, names)
    return CalibratedImage(data, names, calibration, stem(path), Origin(str(path)))


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields and the length of the header."""
    fields: dict[str, str] = {}
    length = 0
    for line in head(path, LONGEST).splitlines(keepends=True):
        length += len(line)
        key, equals, value = line.decode("utf-8", "replace").partition("=")
        if not equals:
            continue
        fields[key.strip()] = value.strip()
        if key.strip() == LAST:
            return fields, length
    raise ImageError(
        f"{path.name} has no {LAST} in its header.", hint="It is damaged, or another kind of file."
    )


def _shape(path: Path, fields: dict[str, str]) -> tuple[tuple[int, ...], int]:
    lengths = tuple(int(word) for word in fields["DimSize"].split())[::-1]
    channels = int(fields.get("ElementNumberOfChannels", "1"))
    if len(lengths) != int(fields["NDims"]) or min(lengths) <= 0 or channels <= 0:
        raise ImageError(
            f"{path.name} claims {fields['NDims']} dimensions of {fields['DimSize']} values."
        )
    return (lengths if channels == 1 else (*lengths, channels)), channels


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype[Any]:
    kind = fields["ElementType"].removesuffix("_ARRAY")
    if kind not in TYPES:
        raise ImageError(f"{path.name} holds values of type {kind}, which are not pixels.")
    big = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False"))
    return np.dtype(TYPES[kind]).newbyteorder(">" if big.lower() in TRUE else "<")


def _place(path: Path, fields: dict[str, str], length: int) -> tuple[Path, Packing, int]:
    """Return the file with the pixels, how they are packed, and the bytes before them."""
    name = fields[LAST]
    packed = fields.get("CompressedData", "False").lower() in TRUE
    local = name.upper() == "LOCAL"
    if not local and (name.upper().startswith("LIST") or "%" in name):
        raise ImageError(
            f"{path.name} spreads its pixels over several files, which is not read here.",
            hint="Save it as one .mha file.",
        )
    inside = Path(name)
    if not local and (inside.is_absolute() or ".." in inside.parts):
        raise ImageError(
            f"{path.name} names pixels outside of its folder: {name}.",
            hint="Put both files into one folder and name the file alone.",
        )
    file = path if local else path.parent / inside
    if not file.is_file():
        raise FileMissing(
            f"{path.name} is a header; its pixels, {name}, are not beside it.",
            hint="Copy both files into one folder.",
        )
    start = length if local else 0
    skip = max(int(fields.get("HeaderSize", "0")), 0)
    return file, Packing("gz", start) if packed else AS_IT_IS, 0 if packed else start + skip


def _calibration(fields: dict[str, str], names: Axes) -> Calibration:
    words = fields.get("ElementSpacing") or fields.get("ElementSize") or ""
    steps = [float(word) for word in words.split()][::-1]
    spatial = [name for name in names if name != "c"]
    unit = fields.get("DistanceUnits", "").strip("?") or None
    source = "MetaImage header, ElementSpacing"
    if not unit and words:
        source = f"{source} {words} without a unit"
    sizes = {}
    if len(steps) == len(spatial):
        sizes = {n: (s, unit) for n, s in zip(spatial, steps, strict=True) if n != "t"}
    return combine([Statement(source, sizes)], names)
