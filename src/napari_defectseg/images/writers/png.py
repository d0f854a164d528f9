"""PNG, 8 bit: for looking at and for programs that know nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.errors import NotSaved
from napari_defectseg.images.writer import Picture

MOST = 2**31 - 1


def write(picture: Picture, path: Path, overwrite: bool) -> None:
    """Write `picture` to `path` with its pixel size in a text chunk.

    Raises
    ------
    NotSaved
        If it is not one plane of 8-bit values.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    plane = picture.axes == ("y", "x") or (picture.axes == ("y", "x", "c") and picture.rgb)
    if not plane or np.dtype(picture.data.dtype) not in (np.dtype(np.uint8), np.dtype(bool)):
        raise NotSaved(
            f"{path.name}: PNG is written for one plane of 8-bit values, not for "
            f"{' '.join(picture.axes)} of {picture.data.dtype}.",
            hint="Save it as .ome.tif, which keeps all values.",
        )
    text = PngInfo()
    text.add_text("Title", picture.name.encode("latin-1", "replace").decode("latin-1"))
    options: dict[str, Any] = {}
    if picture.calibration.calibrated:
        y, x = picture.calibration.steps
        unit = picture.calibration.unit.replace("µ", "u")
        text.add_text("PixelSize", f"{y!r} {x!r} {unit}")
    with atomic_path(path, overwrite=overwrite) as part, part.open("wb") as file:
        Image.fromarray(picture.array()).save(file, format="PNG", pnginfo=text, **options)
