"""OME-TIFF, zlib compressed: pixel size in OME-XML and in the resolution tags."""

from __future__ import annotations

import math
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.provenance import sha256_of_array
from napari_defectseg.core.units import LENGTHS
from napari_defectseg.images.writer import Picture, stored_type

BIG = 2**32 - 2**25
"""From so many bytes on the file is written as BigTIFF."""
NAMESPACE = "napari-defectseg/class-colours"


def write(picture: Picture, path: Path, overwrite: bool) -> None:
    """Write `picture` to `path`, whole or not at all."""
    import tifffile

    order = _order(picture)
    shape = tuple(picture.shape[picture.axes.index(name)] for name in order)
    dtype = stored_type(picture.data.dtype)
    with atomic_path(path, overwrite=overwrite) as part:
        tifffile.imwrite(
            part,
            picture.planes(order),
            shape=shape,
            dtype=dtype,
            ome=True,
            bigtiff=math.prod(shape) * dtype.itemsize > BIG,
            photometric="rgb" if order[-1] == "c" else "minisblack",
            compression="zlib",
            metadata={"UUID": _identity(picture, order), **_metadata(picture, order)},
            **_resolution(picture),
        )


def _order(picture: Picture) -> Axes:
    """Return the axes as OME wants them: frames, channels, slices, rows, columns, colour."""
    last: Axes = ("c",) if picture.rgb else ()
    rest = tuple(name for name in picture.axes if name not in last)
    lead = tuple(name for name in rest if name not in ("y", "x"))
    return (*lead, "y", "x", *last)


def _identity(picture: Picture, order: Axes) -> str:
    """Return the file's UUID: the same picture gives the same bytes, whenever it is written."""
    data = picture.data
    # Pixels that are still in another file are not read twice for this.
    content = sha256_of_array(data) if isinstance(data, np.ndarray) else str(picture.shape)
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{_metadata(picture, order)}{content}"))


def _metadata(picture: Picture, order: Axes) -> dict[str, Any]:
    letters = "".join("S" if name == "c" and picture.rgb else name.upper() for name in order)
    found: dict[str, Any] = {"axes": letters, "Name": picture.name}
    for name, value in picture.sizes.items():
        found[f"PhysicalSize{name.upper()}"] = value
        found[f"PhysicalSize{name.upper()}Unit"] = picture.calibration.unit
    if picture.calibration.frame_time is not None:
        found["TimeIncrement"] = picture.calibration.frame_time
        found["TimeIncrementUnit"] = picture.calibration.time_unit
    if picture.colours:
        values = {str(value): colour for value, colour in picture.colours.items()}
        found["MapAnnotation"] = {"Namespace": NAMESPACE, **values}
    return found


def _resolution(picture: Picture) -> dict[str, Any]:
    """Return the resolution tags, so that programs without OME see the pixel size too."""
    sizes = picture.sizes
    if not {"y", "x"} <= set(sizes):
        return {"resolution": (1, 1), "resolutionunit": "NONE"}
    centimetre = 0.01 / LENGTHS[picture.calibration.unit]
    return {
        "resolution": (centimetre / sizes["x"], centimetre / sizes["y"]),
        "resolutionunit": "CENTIMETER",
    }
