"""`RawForm`: what a person must say about a file of bare numbers; and their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.core.setting import Setting
from napari_defectseg.core.units import LENGTHS
from napari_defectseg.images.border import check_claim, check_shape, cut_short, reading
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.packed import AS_IT_IS, Packing, unpack
from napari_defectseg.images.reader import name_axes, stem

TYPES = (
    "uint8", "uint16", "int16", "float32", "int8", "int32", "uint32", "float64",
)  # fmt: skip
"""Types of value that raw files have, the usual ones first."""
ORDERS: dict[str, Literal["<", ">"]] = {"little": "<", "big": ">"}


@dataclass(frozen=True)
class RawForm:
    """How the numbers lie in a raw file.

    Parameters
    ----------
    shape : tuple of int
        Lengths of the axes, the fastest last: slices, rows, columns.
    dtype : str
        Type of the values: ``"uint8"``, ``"uint16"``, ``"float32"``, …
    byte_order : str
        ``"little"`` (nearly always) or ``"big"``.
    offset : int
        Bytes before the first value.
    axes : str
        One letter an axis; empty for the usual ones.
    spacing : tuple of float or None
        Pixel size, one entry a spatial axis; empty if it is not known.
    unit : str
        Its unit of length.
    """

    shape: Annotated[tuple[int, ...], Setting("Shape")]
    dtype: Annotated[str, Setting("Type of value", choices=TYPES)]
    byte_order: Annotated[
        str,
        Setting("Byte order", choices=("little", "big"), names=(("little", "little (usual)"),)),
    ] = "little"
    offset: Annotated[int, Setting("Header", unit="bytes", low=0)] = 0
    axes: Annotated[str, Setting("Axes")] = ""
    spacing: Annotated[tuple[float | None, ...], Setting("Pixel size")] = ()
    unit: Annotated[str, Setting("Unit", choices=("", *LENGTHS), names=(("", "not known"),))] = ""

    @property
    def stored(self) -> np.dtype[Any]:
        """The type of the values in the file, with byte order.

        Raises
        ------
        ImageError
            If it is none of numbers, or the byte order is neither little nor big.
        """
        try:
            kind: np.dtype[Any] = np.dtype(self.dtype)
        except TypeError as error:
            raise ImageError(
                f"{self.dtype!r} is no type of values.", hint="Use uint8, uint16, float32, …"
            ) from error
        if kind.kind not in "buif" or self.byte_order not in ORDERS:
            raise ImageError(
                f"Values of type {self.dtype} in {self.byte_order}-endian order are not pixels.",
                hint="Use uint8, uint16, int16, float32, …, and little or big.",
            )
        return kind.newbyteorder(ORDERS[self.byte_order])

    @property
    def bytes(self) -> int:
        """How long the file must be."""
        return self.offset + math.prod(self.shape) * self.stored.itemsize


def open_raw(path: Path, form: RawForm, axes: str | None = None) -> CalibratedImage:
    """Return the image in a raw file, mapped into memory.

    Raises
    ------
    ImageError
        If the form does not fit the file; the sentence gives both lengths.
    """
    with reading(path, "raw numbers"):
        size = path.stat().st_size
        check_shape(path, form.shape)
        if not form.shape or 0 in form.shape or form.offset < 0:
            raise ImageError(f"{path.name}: a shape of {form.shape} is no image.")
        if size < form.bytes:
            raise cut_short(path, size, form.bytes)
        if size > form.bytes:
            raise ImageError(
                f"{path.name} holds {size} bytes, but {_said(form)} needs {form.bytes}.",
                hint="Check shape and type; if the file begins with a header, its length is "
                f"{size - form.bytes + form.offset} bytes.",
            )
        data = lazy_raw(path, "raw numbers", form.stored, form.shape, form.offset)
    names = name_axes(path, form.shape, axes or form.axes)
    count = len(axis_names.spatial(names))
    calibration = Calibration.uncalibrated(count, "raw numbers, without a header")
    if form.spacing:
        calibration = Calibration.of(form.spacing, form.unit, "form of the raw file")
    return CalibratedImage(data, names, calibration, stem(path), Origin(str(path)))


def lazy_raw(
    path: Path,
    kind: str,
    stored: np.dtype[Any],
    shape: tuple[int, ...],
    offset: int,
    packing: Packing = AS_IT_IS,
) -> LazyArray:
    """Return numbers in a file as a lazy array; packed ones are unpacked whole on first use.

    Parameters
    ----------
    path : Path
    kind : str
        What it is read as, for messages.
    stored : dtype
        With the byte order of the file.
    shape : tuple of int
    offset : int
        Bytes before the numbers, counted in the unpacked stream if they are packed.
    packing : Packing

    Raises
    ------
    ImageError
        If the file is too short, or so much shorter than claimed that it must be made up.
    """
    check_shape(path, shape)
    size = path.stat().st_size
    check_claim(path, shape, stored.itemsize, size)
    native = stored.newbyteorder("=")
    if packing.kind:
        opener = partial(_unpacked, str(path), stored.str, shape, offset, packing)
        return LazyArray(str(path), kind, shape, native, opener)
    need = offset + math.prod(shape) * stored.itemsize
    if size < need:
        raise cut_short(path, size, need)
    mapped = partial(_mapped, str(path), stored.str, shape, offset)
    return LazyArray(str(path), kind, shape, native, mapped, serial=False)


def _mapped(path: str, dtype: str, shape: tuple[int, ...], offset: int) -> Any:
    return np.memmap(path, np.dtype(dtype), "r", offset, shape)


def _unpacked(
    path: str, dtype: str, shape: tuple[int, ...], offset: int, packing: Packing
) -> np.ndarray[Any, Any]:
    stored = np.dtype(dtype)
    data = unpack(Path(path), packing, offset, math.prod(shape) * stored.itemsize)
    return data.view(stored).reshape(shape)


def _said(form: RawForm) -> str:
    return f"{' × '.join(map(str, form.shape))} of {form.dtype}"
