"""Scores of an image from a model, tile by tile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.provenance import Provenance, now
from napari_defectseg.images.image import ArrayLike, CalibratedImage
from napari_defectseg.inference.job import Job, prepare
from napari_defectseg.inference.layout import Index
from napari_defectseg.inference.pace import Watch
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.recover import MemoryFull, with_smaller_tiles
from napari_defectseg.inference.scores import room_for_scores
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.source import Source
from napari_defectseg.inference.tiling import Box
from napari_defectseg.models.model import Model

if TYPE_CHECKING:
    from napari_defectseg.inference.engines.exact import ExactEngine

Array = np.ndarray[Any, Any]

LARGEST_HASHED = 1 << 30
"""Bytes; an image without a file that is larger is not hashed, for that would read it all."""


@dataclass(frozen=True)
class Part:
    """Scores that have just been computed, for whoever wants to show them at once.

    Parameters
    ----------
    where : tuple of slice
        Place in the scores, channels in front.
    scores : ndarray of float32
    """

    where: Box
    scores: Array


def predict(
    model: Model,
    image: CalibratedImage,
    settings: PredictSettings | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Prediction:
    """Return the scores of an image.

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
        Asked after each tile; true stops.

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
    started = time.perf_counter()
    yield Step(0, 0, "getting the model ready")
    job = prepare(model, image, settings)
    while True:
        try:
            run = yield from _run_steps(job, held)
            break
        except MemoryFull as error:
            job = with_smaller_tiles(job, error)
            yield Step(0, job.total, job.warnings[-1])
    return _prediction(job, run, time.perf_counter() - started)


@dataclass(frozen=True)
class _Run:
    """What a run gathers."""

    scores: ArrayLike
    resolved: dict[str, Any]
    replaced: int = 0
    temporary: bool = False


def _run_steps(job: Job, held: int) -> Steps[_Run]:
    from napari_defectseg.inference.engines.exact import exact_engine

    replaced = 0
    with (
        room_for_scores(job, held) as room,
        exact_engine(
            job.model,
            job.device.name,
            job.settings.threads,
            kept=job.budget + room.in_memory if job.keeps else 0,
        ) as engine,
    ):
        resolved = job.resolved(engine.name, engine.threads)
        yield Step(0, job.total, "measuring grey values")
        for done, piece in enumerate(_pieces(job, engine), start=1):
            room.target[piece.part.where] = piece.part.scores
            replaced += piece.replaced
            yield Step(done, job.total, piece.words, partial=piece.part)
    return _Run(room.readable, resolved, replaced, room.temporary)


@dataclass(frozen=True)
class _Piece:
    """The result of one tile."""

    part: Part
    words: str
    replaced: int


def _pieces(job: Job, engine: ExactEngine) -> Iterator[_Piece]:
    source = Source(job)
    with Watch(job, engine.threads) as watch:
        for index in job.layout.indices():
            source.start(index)
            for number, tile in enumerate(job.plan, start=1):
                block, replaced = source.block(tile)
                with watch.lap(tile):
                    scores = engine.run(block)
                inside = scores[(slice(None), *tile.local)]
                part = Part(job.layout.where(index, tile.inner), job.layout.shaped(inside))
                yield _Piece(part, _words(job, index, number), replaced)


def _words(job: Job, index: Index, number: int) -> str:
    place = job.layout.words(index)
    tiles = f"tile {number} of {len(job.plan)}" if len(job.plan) > 1 else ""
    return ", ".join(part for part in (place, tiles) if part) or "predicted"


def _prediction(job: Job, run: _Run, seconds: float) -> Prediction:
    card, image = job.model.card, job.image
    warnings = job.warnings
    if run.replaced:
        warnings += (f"{run.replaced} pixels without a finite value got the mean of the others.",)
    if run.temporary:
        warnings += ("The scores are larger than the memory allowed; they lie on the disk.",)
    provenance = Provenance(
        made_by="predict",
        inputs={image.origin.path or image.name: _hash(image)},
        model=card.name,
        model_sha256=job.model.sha256,
        settings={**job.settings.as_dict(), "plan": run.resolved},
        when=now(),
    )
    return Prediction(
        scores=run.scores,
        classes=card.classes,
        task=card.task,
        axes=image.label_axes,
        calibration=image.calibration,
        image_name=image.name,
        thresholds=card.thresholds,
        min_size=card.min_size,
        provenance=provenance,
        plan=run.resolved,
        seconds=seconds,
        warnings=warnings,
    )


def _hash(image: CalibratedImage) -> str:
    from pathlib import Path

    on_disk = bool(image.origin.path) and Path(image.origin.path).is_file()
    size = int(np.prod(image.shape)) * image.dtype.itemsize
    return image.sha256() if on_disk or size <= LARGEST_HASHED else ""
