"""NIfTI-1 beside everything that `open_image` reads: nnU-Net's usual files, slowest axis first."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.open import open_image

HEADER = 348
TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4",
}  # fmt: skip
UNITS = {1: "m", 2: "mm", 3: "µm"}
LARGEST = 1 << 34
"""Bytes; what unpacks to more is refused."""


def open_volume(path: Path) -> CalibratedImage:
    """Open an image file; ``.nii`` and ``.nii.gz`` too.

    Raises
    ------
    DatasetError
        If a NIfTI file is damaged or of a kind not read here.
    """
    name = path.name.lower()
    if not name.endswith((".nii", ".nii.gz")):
        return open_image(path)
    try:
        content = path.read_bytes()
        if name.endswith(".gz"):
            with gzip.open(path) as file:
                content = file.read(LARGEST)
        return _volume(content, path)
    except (OSError, EOFError, zlib.error, struct.error, ValueError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{path} cannot be read as NIfTI: {error}.") from error


def _volume(content: bytes, path: Path) -> CalibratedImage:
    order = "<" if content[:4] == struct.pack("<i", HEADER) else ">"
    if struct.unpack(f"{order}i", content[:4])[0] != HEADER or content[344:347] != b"n+1":
        raise DatasetError(f"{path} is no NIfTI-1 file in one piece.")
    dims = struct.unpack(f"{order}8h", content[40:56])
    kind = struct.unpack(f"{order}h", content[70:72])[0]
    steps = struct.unpack(f"{order}8f", content[76:108])
    start, slope, shift = struct.unpack(f"{order}3f", content[108:120])
    if kind not in TYPES or not 1 <= dims[0] <= 7:
        raise DatasetError(f"{path} holds numbers of the kind {kind}, which is not read here.")
    shape = [n for n in dims[1 : dims[0] + 1] if n != 1] or [1]
    if not 2 <= len(shape) <= 3:
        raise DatasetError(f"{path} has {len(shape)} axes; 2 or 3 are read.")
    array = np.frombuffer(
        content, f"{order}{TYPES[kind]}", count=int(np.prod(shape)), offset=int(start)
    ).reshape(shape[::-1])
    array = array.astype(array.dtype.newbyteorder("="))
    if slope and (slope, shift) != (1.0, 0.0):
        array = (array * slope + shift).astype(np.float32)
    kept = [abs(s) for n, s in zip(dims[1 : dims[0] + 1], steps[1:], strict=False) if n != 1]
    unit = UNITS.get(content[123] & 7, "")
    calibration = (
        Calibration(tuple(kept[::-1]), unit, "NIfTI pixdim")
        if unit and all(kept) and len(kept) == len(shape)
        else Calibration.uncalibrated(len(shape))
    )
    axes = ("z", "y", "x")[-len(shape) :]
    return CalibratedImage(array, axes, calibration, path.name, Origin(str(path)))
