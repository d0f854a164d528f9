"""Small datasets and foreign files for the tests of exchange."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage

SHAPE = (40, 50)


def picture(seed: int = 0, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def mask(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    """Two classes, one object with a hole, one pixel alone, touching corners."""
    found = np.zeros(shape, np.uint8)
    found[..., 5:12, 5:12] = 1
    found[..., 7:9, 7:9] = 0
    found[..., 20:30, 20:25] = 2
    found[..., 30, 25] = 2
    found[..., 35, 40] = 1
    found[..., 0, 0] = 2
    return found


def dataset(
    folder: Path, shape: tuple[int, ...] = SHAPE, *, unlabelled: bool = True, exclusive: bool = True
) -> Dataset:
    made = Dataset.create(folder, ClassMap.of(["void", "loop"], exclusive=exclusive))
    for number, split in enumerate(("train", "validation", "test")):
        truth = mask(shape)
        if unlabelled:
            truth[..., -3:] = 255
        if not exclusive:
            planes = np.stack([truth == 1, truth == 2]).astype(np.uint8)
            planes[1, ..., 5:7, 5:7] = 1
            planes[0, truth == 255] = 255
            planes[1, truth == 255] = 255
            truth = planes
        calibration = Calibration.of((0.5,) * len(shape), "nm")
        image = CalibratedImage.from_array(picture(number, shape), calibration=calibration)
        made.add(image, truth, specimen=f"s{number}", split=split)  # type: ignore[arg-type]
    return made


def write(path: Path, array: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path
