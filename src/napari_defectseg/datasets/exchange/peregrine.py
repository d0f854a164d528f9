"""Layers of a powder bed as Peregrine (Oak Ridge National Laboratory) writes them, HDF5."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.foreign import Found, ImportSettings, Item, Truth
from napari_defectseg.datasets.meaning import Mark, Meaning
from napari_defectseg.images.image import CalibratedImage, Origin

CAMERA = "slices/camera_data"
RESULTS = "slices/segmentation_results"
FIRST = "visible/0"
"""The picture after melting; ``visible/1`` is that after powder was spread."""
PREDICTED = (
    "The masks of such files are predictions of the build's own program unless somebody "
    "corrected them."
)
NAMES = (
    "powder", "printed", "recoater hopping", "recoater streaking", "incomplete spreading",
    "swelling", "debris", "super-elevation", "spatter", "misprint", "over melting",
    "under melting",
)  # fmt: skip
"""What the numbers of the published data set (v2023-11) mean."""


def recognise(path: Path) -> bool:
    """Return whether an HDF5 file holds camera layers and their segmentation."""
    import h5py

    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with _opened(path) as file:
        return CAMERA in file and RESULTS in file


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        raise DatasetError(f"{path} cannot be read as HDF5: {error}.") from error


def find(path: Path, settings: ImportSettings) -> Found:
    """Return the layers of a build, each `ImportSettings.every` one.

    Classes overlap: each is a map of its own.

    Raises
    ------
    DatasetError
        If the file is of another form.
    """
    if not recognise(path):
        raise DatasetError(f"{path} has no {CAMERA} and {RESULTS} in it.")
    part = settings.part or FIRST
    with _opened(path) as file:
        cameras = [f"{one}/{two}" for one in file[CAMERA] for two in file[CAMERA][one]]
        if part not in cameras:
            raise DatasetError(
                f"{path} has no camera picture {part}.", hint=f"There are: {', '.join(cameras)}."
            )
        count = file[f"{CAMERA}/{part}"].shape[0]
        keys = [key for key in file[RESULTS] if key.isdigit()]
        layers = range(0, count, max(1, settings.every))
        pixel = _pixel_size(file, file[f"{CAMERA}/{part}"].shape[1:])
    keys.sort(key=int)
    marks = tuple(Mark(key, _name(key), "", len(layers), "layers") for key in keys)
    items = tuple(
        Item(
            f"{path.stem}_layer{layer:05d}",
            path,
            partial(_image, path, part, layer, pixel),
            partial(_truth, path, tuple(keys), layer),
            detail={"layer": layer, "camera": part},
        )
        for layer in layers
    )
    return Found(marks, items, exclusive=False, notes=(PREDICTED,))


def _name(key: str) -> str:
    return NAMES[int(key)] if int(key) < len(NAMES) else ""


def _pixel_size(file: Any, shape: tuple[int, int]) -> Calibration:
    """Return the pixel size where the file states length and unit of the printer's field."""
    sizes = []
    unit = ""
    for axis, pixels in zip("yx", shape, strict=True):
        length = file.attrs.get(f"printer/{axis}_real_dimension")
        stated = file.attrs.get(f"printer/{axis}_real_dimension/units")
        if length is None or stated is None:
            return Calibration.uncalibrated(2)
        unit = stated.decode() if isinstance(stated, bytes) else str(stated)
        sizes.append(float(np.asarray(length).ravel()[0]) / pixels)
    return Calibration.of(tuple(sizes), unit, "HDF5 printer/real_dimension")


def _image(path: Path, part: str, layer: int, pixel: Calibration) -> CalibratedImage:
    with _opened(path) as file:
        pixels = np.asarray(file[f"{CAMERA}/{part}"][layer])
    origin = Origin(str(path), f"{CAMERA}/{part}[{layer}]")
    return CalibratedImage(pixels, ("y", "x"), pixel, f"{path.stem}_layer{layer:05d}", origin)


def _truth(
    path: Path, keys: tuple[str, ...], layer: int, image: CalibratedImage, meaning: Meaning
) -> Truth:
    classes = meaning.classes
    front = () if classes.exclusive else (len(classes),)
    mask = np.zeros(front + image.label_shape, np.uint8)
    with _opened(path) as file:
        for key in keys:
            value = meaning.value(key, str(path))
            plane = np.asarray(file[f"{RESULTS}/{key}"][layer]) > 0
            if plane.shape != image.label_shape:
                raise DatasetError(f"{path}: class {key} has another shape than the picture.")
            if classes.exclusive:
                mask[plane] = value
            elif value in classes.values:
                mask[classes.values.index(value)][plane] = 1
    return Truth(mask)
