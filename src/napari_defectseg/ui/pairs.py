"""Pairs of a dataset in the window: described, pictured, opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.ui.widgets.thumbnails import picture

if TYPE_CHECKING:
    from napari_defectseg.datasets.dataset import Pair
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.labels.labelmap import LabelMap


def words_of(pair: Pair) -> str:
    """Return what a pair is: specimen, size, set."""
    size = " × ".join(str(length) for length in pair.label_shape)
    parts = [pair.specimen, f"{size} px", pair.event.split or "not split"]
    return " · ".join(part for part in parts if part)


def picture_steps(pairs: Sequence[Pair], classes: ClassMap) -> Steps[None]:
    """Make small pictures one after the other; each step carries the pair's id and its picture.

    Of volumes and movies the middle is shown. Run it in a worker.
    """
    for place, pair in enumerate(pairs):
        image, mask = pair.image(), pair.mask()
        at = {
            axis: image.shape[image.axes.index(axis)] // 2
            for axis in ("t", "z")
            if axis in image.axes
        }
        plane = image.read(**at)
        if "c" in image.axes:
            plane = np.moveaxis(plane, [a for a in image.axes if a not in at].index("c"), -1)
        front = 0 if classes.exclusive else 1
        key = tuple(at.get(axis, slice(None)) for axis in image.label_axes)
        flat = mask[(slice(None),) * front + key]
        yield Step(place + 1, len(pairs), "Pictures", (pair.id, picture(plane, flat, classes)))


def open_steps(pair: Pair) -> Steps[tuple[CalibratedImage, LabelMap]]:
    """Read a pair. Run it in a worker."""
    from napari_defectseg.labels.construct import from_mask

    yield Step(0, 1, f"Opening {pair.id}")
    image = pair.image()
    labels = from_mask(pair.mask(), pair.classes, image.label_axes, image.calibration)
    return image, labels
