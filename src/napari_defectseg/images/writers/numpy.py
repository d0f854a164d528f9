"""``.npy`` with a small JSON file beside it that keeps axes and pixel size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_defectseg.core.atomic import atomic_path, refuse_existing, write_text
from napari_defectseg.images.sidecar import sidecar_of, sidecar_text
from napari_defectseg.images.writer import Picture


def write(picture: Picture, path: Path, overwrite: bool) -> None:
    """Write `picture` to `path`, and its axes and pixel size to the file beside it."""
    beside = sidecar_of(path)
    refuse_existing(beside, overwrite)
    with atomic_path(path, overwrite=overwrite) as part, part.open("wb") as file:
        np.save(file, np.asarray(picture.data[...]), allow_pickle=False)
    text = sidecar_text(picture.axes, picture.calibration, picture.name)
    write_text(beside, text, overwrite=overwrite)
