"""The scores of a model on images that nothing chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.datasets.pair import Pair
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.measurement.metrics import evaluate_many
from napari_defectseg.models.model import TorchModel
from napari_defectseg.training.augment import zoomed
from napari_defectseg.training.example import targets_of


class Seen(Protocol):
    """What is judged on: a pair of a dataset, or something that looks like one."""

    @property
    def specimen(self) -> str:
        """The specimen it shows."""

    def image(self) -> CalibratedImage:
        """Return the image."""

    def mask(self) -> np.ndarray[Any, Any]:
        """Return the class mask."""


@dataclass(frozen=True)
class Shrunk:
    """A pair at another size, for networks that only ever see shrunken images.

    Parameters
    ----------
    pair : Pair
    shape : tuple of int
        Of the spatial axes.
    """

    pair: Pair
    shape: tuple[int, ...]

    @property
    def specimen(self) -> str:
        """The specimen it shows."""
        return self.pair.specimen

    def image(self) -> CalibratedImage:
        """Return the image, resampled linearly."""
        image = self.pair.image()
        front = image.read()[None] if "c" not in image.axes else _front(image)
        small, _ = zoomed(front.astype(np.float32), np.zeros(front.shape[1:]), self.shape)
        pixels = small[0] if "c" not in image.axes else small
        axes = image.label_axes if "c" not in image.axes else ("c", *image.label_axes)
        unknown = Calibration.uncalibrated(image.calibration.ndim)
        return replace(image, data=pixels, axes=axes, calibration=unknown, levels=())

    def mask(self) -> np.ndarray[Any, Any]:
        """Return the mask at that size, by nearest pixel."""
        mask = self.pair.mask()
        flat = np.zeros((1, *mask.shape[mask.ndim - len(self.shape) :]), np.float32)
        return zoomed(flat, mask, self.shape)[1]


def _front(image: CalibratedImage) -> np.ndarray[Any, Any]:
    return np.moveaxis(image.read(), image.axes.index("c"), 0)


SCORES = ("dice", "iou", "precision", "recall", "object_f1")


def judge_steps(
    model: TorchModel, pairs: Sequence[Seen], settings: PredictSettings
) -> Steps[dict[str, Any]]:
    """Predict every pair as a user would and return the pooled scores of each class.

    Returns
    -------
    dict
        ``classes.<name>.{dice, iou, precision, recall, object_f1}`` pooled over the images,
        None where undefined, and how many images and specimens they come from.
    """
    masks = []
    for number, pair in enumerate(pairs):
        yield Step(number, len(pairs), "scoring on images that were never seen")
        found = predict(model, pair.image(), settings).mask()
        masks.append((planes_like(pair.mask(), found, model.card.classes), found))
    pooled = evaluate_many(masks, classes=model.card.classes)
    values = pooled.as_dict()["classes"]
    return {
        "classes": {
            name: {score: values[name].get(score) for score in SCORES}
            for name in model.card.classes.names
        },
        "images": len(pairs),
        "specimens": sorted({pair.specimen for pair in pairs}),
        "what": "pixels and objects pooled over the test images, which chose nothing",
    }


def planes_like(
    truth: np.ndarray[Any, Any], shown: np.ndarray[Any, Any], classes: ClassMap
) -> np.ndarray[Any, Any]:
    """Return a mask of values as class planes where the prediction has planes."""
    if classes.exclusive or truth.shape == shown.shape:
        return truth
    return targets_of(truth, classes)


def judge(
    model: TorchModel, pairs: Sequence[Seen], settings: PredictSettings | None = None
) -> dict[str, Any]:
    """Return the pooled scores of each class; see `judge_steps`."""
    return drive(judge_steps(model, pairs, settings or PredictSettings(device="cpu")))
