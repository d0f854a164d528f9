"""The scores of a model on images that nothing chose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.datasets.pair import Pair
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.measurement.metrics import evaluate_many
from napari_defectseg.models.model import TorchModel

SCORES = ("dice", "iou", "precision", "recall", "object_f1")


def judge_steps(
    model: TorchModel, pairs: Sequence[Pair], settings: PredictSettings
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
        masks.append((pair.mask(), predict(model, pair.image(), settings).mask()))
    found = evaluate_many(masks, classes=model.card.classes)
    values = found.as_dict()["classes"]
    return {
        "classes": {
            name: {score: values[name].get(score) for score in SCORES}
            for name in model.card.classes.names
        },
        "images": len(pairs),
        "specimens": sorted({pair.specimen for pair in pairs}),
        "what": "pixels and objects pooled over the test images, which chose nothing",
    }


def judge(
    model: TorchModel, pairs: Sequence[Pair], settings: PredictSettings | None = None
) -> dict[str, Any]:
    """Return the pooled scores of each class; see `judge_steps`."""
    return drive(judge_steps(model, pairs, settings or PredictSettings(device="cpu")))
