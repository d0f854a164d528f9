"""Axes and pixel size beside a file that cannot hold them: ``image.npy`` and ``image.npy.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.statements import Statement, with_frames

LARGEST = 1 << 20


def sidecar_of(path: Path) -> Path:
    """Return where axes and pixel size of `path` are kept."""
    return path.with_name(f"{path.name}.json")


def sidecar_text(axes: Axes, calibration: Calibration, name: str) -> str:
    """Return what to write there."""
    values = {
        "axes": "".join(axes),
        "pixel_size": list(calibration.spacing),
        "unit": calibration.unit,
        "frame_time": calibration.frame_time,
        "time_unit": calibration.time_unit,
        "source": calibration.source,
        "name": name,
    }
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def read_sidecar(path: Path, shape: tuple[int, ...]) -> tuple[Axes, Calibration] | None:
    """Return axes and pixel size of an array of `shape`, None without a side file.

    Raises
    ------
    ImageError
        If the side file is there but makes no sense for this array.
    """
    beside = sidecar_of(path)
    if not beside.is_file():
        return None
    try:
        if beside.stat().st_size > LARGEST:
            raise ValueError("it is too long")
        values: dict[str, Any] = json.loads(beside.read_text(encoding="utf-8"))
        names = axis_names.check(tuple(values["axes"]), len(shape))
        spatial = axis_names.spatial(names)
        sizes = dict(zip(spatial, values["pixel_size"], strict=True))
        stated = {letter: (size, values["unit"]) for letter, size in sizes.items()}
        calibration = Statement(beside.name, stated).calibration(names)
        calibration = with_frames(calibration, values["frame_time"], values["time_unit"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ImageError(
            f"{beside.name} does not describe {path.name}: {error}.",
            hint="Remove it to open the array without pixel size.",
        ) from error
    return names, calibration
