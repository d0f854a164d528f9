"""Predict every image of a collection; one that fails does not stop the others."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from napari_defectseg.core.errors import DefectSegError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.images.collection import Collection
from napari_defectseg.inference.devices import choose
from napari_defectseg.inference.engine import check_loads
from napari_defectseg.inference.predict import predict_beside
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import Model


@dataclass(frozen=True)
class FieldPrediction:
    """What came of one image.

    Parameters
    ----------
    index : int
        Its place in the collection.
    name : str
    prediction : Prediction or None
        None: it could not be predicted.
    problem : str
        Why not, as a sentence.
    skipped : bool
        Whether it was left out because nobody wanted it any more.
    """

    index: int
    name: str
    prediction: Prediction | None = None
    problem: str = ""
    skipped: bool = False


def predict_collection(
    model: Model,
    collection: Collection,
    settings: PredictSettings | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[FieldPrediction, ...]:
    """Return what `predict_collection_steps` returns."""
    return drive(predict_collection_steps(model, collection, settings), on_step, cancelled)


def predict_collection_steps(
    model: Model,
    collection: Collection,
    settings: PredictSettings | None = None,
    *,
    skipped: Callable[[int], bool] | None = None,
) -> Steps[tuple[FieldPrediction, ...]]:
    """Predict the images one after the other.

    The steps count images; ``Step.partial`` is the `FieldPrediction` of an image that has just
    been finished, so that nothing finished is lost when the work is stopped.

    Parameters
    ----------
    model : Model
    collection : Collection
    settings : PredictSettings, optional
        ``scores_path`` is a folder here; it gets ``<name>.zarr`` for each image. Without it
        scores are kept in memory as long as they fit, then in temporary files.
    skipped : callable, optional
        Asked with the place of an image before it and at each of its steps; true leaves it out.

    Raises
    ------
    ModelError, DeviceError
        If the model cannot be run at all.
    """
    settings = settings or PredictSettings()
    choose(settings.device)
    check_loads(model, settings.threads)  # what cannot run fails once, not for every image
    names, left_out = _names(collection), skipped or (lambda _: False)
    total, found, held = len(collection), [], 0
    for index, entry in enumerate(collection.entries):
        yield Step(index, total, entry.name)
        own = _own(settings, names[index])
        steps = _field_steps(model, collection, index, own, held)
        result = yield from _unless(partial(left_out, index), steps, index, entry.name)
        found.append(result)
        held += _in_memory(result.prediction)
        yield Step(index + 1, total, result.problem or entry.name, partial=result)
    return tuple(found)


def _unless(
    skipped: Callable[[], bool], steps: Steps[FieldPrediction], index: int, name: str
) -> Steps[FieldPrediction]:
    """Pass steps on until nobody wants the image any more."""
    with closing(steps):
        while not skipped():
            try:
                step = next(steps)
            except StopIteration as end:
                result: FieldPrediction = end.value
                return result
            yield step
    return FieldPrediction(index, name, skipped=True)


def _field_steps(
    model: Model, collection: Collection, index: int, settings: PredictSettings, held: int
) -> Steps[FieldPrediction]:
    entry = collection.entries[index]
    if entry.problem:
        return FieldPrediction(index, entry.name, problem=entry.problem)
    try:
        steps = predict_beside(model, collection.open(index), settings, held)
        prediction = yield from _counted(steps, index, len(collection), entry.name)
    except DefectSegError as error:
        return FieldPrediction(index, entry.name, problem=str(error))
    return FieldPrediction(index, entry.name, prediction)


def _counted(steps: Steps[Prediction], done: int, total: int, name: str) -> Steps[Prediction]:
    """Pass steps on as parts of one image."""
    try:
        while True:
            step = next(steps)
            text = f"{name}: {step.text}"
            yield Step(done, total, text, share=(done + min(step.fraction, 1.0)) / total)
    except StopIteration as end:
        result: Prediction = end.value
        return result
    finally:
        steps.close()


def _own(settings: PredictSettings, name: str) -> PredictSettings:
    if settings.scores_path is None:
        return settings
    return replace(settings, scores_path=str(Path(settings.scores_path) / f"{name}.zarr"))


def _names(collection: Collection) -> list[str]:
    """Return a name for each image that no other has."""
    names = [entry.name for entry in collection.entries]
    return [
        name if names.count(name) == 1 else f"{index + 1:04d}_{name}"
        for index, name in enumerate(names)
    ]


def _in_memory(prediction: Prediction | None) -> int:
    if prediction is None or not isinstance(prediction.scores, np.ndarray):
        return 0
    return 4 * math.prod(prediction.scores.shape)
