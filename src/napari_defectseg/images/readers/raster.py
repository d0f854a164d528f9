"""PNG, JPEG and BMP: ordinary pictures, whose print resolution is not a pixel size."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.border import check_claim, reading
from napari_defectseg.images.image import CalibratedImage, Origin
from napari_defectseg.images.lazy import LazyArray
from napari_defectseg.images.parts import Part
from napari_defectseg.images.reader import BY_CONTENT, NO, head, name_axes, stem
from napari_defectseg.images.statements import Statement, combine, resolution

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
PNG, JPEG, BMP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"
OUR_TEXT = "PixelSize"
"""Text chunk in which our own PNG files keep what pHYs cannot say."""
MODES: dict[str, tuple[Any, int]] = {
    "1": (np.uint8, 1), "L": (np.uint8, 1), "P": (np.uint8, 3), "RGB": (np.uint8, 3),
    "RGBA": (np.uint8, 4), "I;16": (np.uint16, 1), "I;16B": (np.uint16, 1), "I": (np.int32, 1),
    "F": (np.float32, 1), "LA": (np.uint8, 2), "CMYK": (np.uint8, 3), "YCbCr": (np.uint8, 3),
}  # fmt: skip
"""Pillow's modes to type of the values and number of channels that we give."""


def recognise(path: Path) -> int:
    """Return whether the first bytes are those of a PNG, JPEG or BMP."""
    start = head(path, 8)
    known = start == PNG or start[:3] == JPEG
    known = known or (start[:2] == BMP and path.suffix.lower() == ".bmp")
    return BY_CONTENT if known else NO


def parts(path: Path) -> tuple[Part, ...]:
    """Return the one picture in it."""
    image = read(path)
    return (Part(image.name, image.shape, str(image.dtype)),)


def read(path: Path, part: str | None = None, axes: str | None = None) -> CalibratedImage:
    """Return a picture; grey in two axes, colour with a last axis of 3 or 4."""
    with reading(path, "a picture"), _open(path) as picture:
        shape, dtype = _layout(path, picture)
        check_claim(path, shape, np.dtype(dtype).itemsize, path.stat().st_size)
        names = name_axes(path, shape, axes)
        calibration = _calibration(picture, names)
        details = {"format": str(picture.format)}
    data = LazyArray(str(path), "a picture", shape, dtype, partial(_decode, str(path)))
    return CalibratedImage(data, names, calibration, stem(path), Origin(str(path), details=details))


def _open(path: str | Path) -> Any:
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    # Not Image.open, which takes a large micrograph for a bomb; bombs are found by `check_claim`.
    start = head(Path(path), 8)
    opener: Any = PngImageFile if start == PNG else BmpImageFile
    return (JpegImageFile if start[:3] == JPEG else opener)(path)


def _layout(path: Path, picture: Any) -> tuple[tuple[int, ...], Any]:
    if picture.mode not in MODES:
        raise ImageError(f"{path.name} is a picture of the kind {picture.mode}, not read here.")
    dtype, channels = MODES[picture.mode]
    if picture.mode == "P" and _grey_palette(picture):
        channels = 1
    if channels == 2:
        channels = 1
    plane = (picture.height, picture.width)
    return (plane if channels == 1 else (*plane, channels)), dtype


def _grey_palette(picture: Any) -> bool:
    palette = np.asarray(picture.getpalette() or [0, 0, 0]).reshape(-1, 3)
    return bool((palette == palette[:, :1]).all())


def _decode(path: str) -> np.ndarray[Any, Any]:
    with _open(path) as picture:
        shape, dtype = _layout(Path(path), picture)
        if picture.mode in ("P", "CMYK", "YCbCr", "LA", "1"):
            picture = picture.convert("L" if len(shape) == 2 else "RGB")
        return np.array(picture, dtype=dtype)


def _calibration(picture: Any, names: tuple[str, ...]) -> Calibration:
    ours = picture.info.get(OUR_TEXT)
    if isinstance(ours, str):
        values = ours.split()
        if len(values) == 3:
            sizes: Any = {"y": (values[0], values[2]), "x": (values[1], values[2])}
            return combine([Statement(f"PNG text {OUR_TEXT}", sizes)], names)
    dpi = picture.info.get("dpi")
    if isinstance(dpi, tuple) and len(dpi) == 2:
        tag = "PNG pHYs" if picture.format == "PNG" else f"{picture.format} resolution"
        return combine([resolution(float(dpi[0]), float(dpi[1]), 1.0, tag)], names)
    return combine([], names)
