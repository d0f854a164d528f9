"""Scores of an image from a model, tile by tile."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DeviceError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.begun import Begun
from napari_defectseg.inference.choice import choose_way
from napari_defectseg.inference.engine import engine_for
from napari_defectseg.inference.job import Job, prepare
from napari_defectseg.inference.pieces import pieces
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.recover import MemoryFull, lighter
from napari_defectseg.inference.region import Region
from napari_defectseg.inference.scores import room_for_scores
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.worked import Worked
from napari_defectseg.models.model import Model
from napari_defectseg.models.several import SeveralModels

Array = np.ndarray[Any, Any]


def predict(
    model: Model,
    image: CalibratedImage,
    settings: PredictSettings | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    region: Region | str | None = None,
) -> Prediction:
    """Return the scores of an image, or of a part of it.

    Parameters
    ----------
    model : Model
        As `open_model` gives it.
    image : CalibratedImage
        A plane of any size, a stack, a volume, a movie, with or without colours. A 2D model
        goes through a stack slice by slice; every frame of a movie is predicted by itself.
    settings : PredictSettings, optional
    on_step : callable, optional
        Called with each step.
    cancelled : callable, optional
        Asked after each tile and now and then inside one; true stops.
    region : Region or str, optional
        The part to predict, see `PredictSettings.region`.

    Raises
    ------
    ImageError
        If the image does not fit the model, or has pixels without a finite value.
    ModelError
        If the model cannot be run.
    DeviceError
        If the device is missing, or the memory is not enough for the smallest tile.
    Cancelled
        If `cancelled` said so.
    """
    if region is not None:
        settings = replace(settings or PredictSettings(), region=str(region))
    return drive(predict_steps(model, image, settings), on_step, cancelled)


def predict_steps(
    model: Model, image: CalibratedImage, settings: PredictSettings | None = None
) -> Steps[Prediction]:
    """Predict as `predict` does, as a generator of steps; one step a tile.

    ``Step.partial`` is the `Part` that was computed. Closing the generator stops the work.
    """
    return (yield from predict_beside(model, image, settings or PredictSettings()))


def predict_beside(
    model: Model, image: CalibratedImage, settings: PredictSettings, held: int = 0
) -> Steps[Prediction]:
    """Predict as `predict_steps` does while `held` bytes of other scores are kept in memory."""
    if isinstance(model, SeveralModels) or settings.volume != "slices":
        from napari_defectseg.inference.several import predict_several

        return (yield from predict_several(model, image, settings, held))
    started = time.perf_counter()
    yield Step(0, 0, "getting the model ready")
    job = yield from choose_way(prepare(model, image, settings))
    return (yield from _to_the_end(job, held, None, time.perf_counter() - started))


def go_on_steps(begun: Begun) -> Steps[Prediction]:
    """Go on with a run that was stopped or has failed, from the tile it had come to.

    The result is what it would have been without the stop, bit for bit.

    Parameters
    ----------
    begun : Begun
        From the last `Part` of that run; its scores are written on.

    Raises
    ------
    DeviceError
        If it cannot go on (see `Begun.can_go_on`); and what `predict` raises.
    """
    if not begun.can_go_on:
        raise DeviceError(
            "This prediction cannot go on: what it wrote was taken away when it stopped.",
            hint="Predict again.",
        )
    share = Worked(begun.job).share(begun.done)
    yield Step(begun.done, begun.job.total, "getting the model ready", share=share)
    return (yield from _to_the_end(begun.job, 0, begun, begun.seconds))


def _to_the_end(job: Job, held: int, begun: Begun | None, spent: float) -> Steps[Prediction]:
    """Run a job; where the memory does not suffice, anew in a lighter way."""
    while True:
        started = time.perf_counter()
        try:
            run = yield from _run_steps(job, held, begun, spent)
            return run.prediction()
        except MemoryFull as error:
            job, begun = lighter(job, error), None
            spent += time.perf_counter() - started
            yield Step(0, job.total, job.warnings[-1])


def _run_steps(job: Job, held: int, begun: Begun | None, spent: float) -> Steps[Begun]:
    started = time.perf_counter()
    with (
        nullcontext(begun.room) if begun else room_for_scores(job, held) as room,
        engine_for(job, kept=job.budget + room.in_memory if job.keeps else 0) as engine,
    ):
        run = begun or Begun(job, room, job.resolved(engine.name, engine.threads), seconds=spent)
        worked = Worked(job)
        yield Step(run.done, job.total, "measuring grey values", share=worked.share(run.done))
        for piece in pieces(job, engine, run.done):
            done = run.done + piece.ahead
            if piece.part is None:
                share = worked.share(done, piece.within)
                yield Step(done, job.total, piece.words, share=share)
                continue
            if piece.part.scores.size:  # a tile may lie beside the region that is wanted
                room.target[piece.part.where] = piece.part.scores
            run = replace(
                run,
                done=run.done + piece.tiles,
                replaced=run.replaced + piece.replaced,
                seconds=spent + time.perf_counter() - started,
            )
            part, share = replace(piece.part, begun=run), worked.share(run.done)
            yield Step(run.done, job.total, piece.words, partial=part, share=share)
    return run
