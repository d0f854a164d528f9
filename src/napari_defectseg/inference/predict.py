"""Scores of an image from a model, tile by tile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ImageError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.provenance import Provenance, now
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.job import Job, prepare
from napari_defectseg.inference.layout import Index, cut
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.recover import MemoryFull, with_smaller_tiles
from napari_defectseg.inference.sampling import sample
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.tiling import Box, Tile
from napari_defectseg.models.model import Model
from napari_defectseg.models.preprocess import FittedChain, fit_chain

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
    settings = settings or PredictSettings()
    started = time.perf_counter()
    yield Step(0, 0, "getting the model ready")
    job = prepare(model, image, settings)
    while True:
        try:
            run = yield from _run_steps(job)
            break
        except MemoryFull as error:
            job = with_smaller_tiles(job, error)
            yield Step(0, job.total, job.warnings[-1])
    return _prediction(job, run, time.perf_counter() - started)


@dataclass
class _Run:
    """What a run gathers."""

    scores: Array
    resolved: dict[str, Any]
    replaced: int = 0


def _run_steps(job: Job) -> Steps[_Run]:
    from napari_defectseg.inference.engines.exact import exact_engine

    with exact_engine(job.model, job.device.name, job.settings.threads) as engine:
        run = _Run(
            np.empty(job.scores_shape, np.float32), job.resolved(engine.name, engine.threads)
        )
        done = 0
        yield Step(done, job.total, "measuring grey values")
        source = _Source(job)
        for index in job.layout.indices():
            source.start(index)
            for number, tile in enumerate(job.plan, start=1):
                block, replaced = source.block(tile)
                inside = engine.run(block)[(slice(None), *tile.local)]
                part = Part(job.layout.where(index, tile.inner), job.layout.shaped(inside))
                run.scores[part.where] = part.scores
                run.replaced += replaced
                done += 1
                yield Step(done, job.total, _words(job, index, number), partial=part)
    return run


class _Source:
    """Gives the blocks of one plane or volume after the other, ready for the network."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._scope = job.model.card.scope
        self._fills = job.settings.nan == "mean"
        self._index: Index = ()
        self._item: Array | None = None
        self._fill: Array | None = None
        if self._scope == "image" or (self._fills and self._scope != "slice"):
            self._fit(sample(job.layout))
        elif self._scope == "constant":
            self._chain = self._fitted(np.zeros((1, 1), job.image.dtype))

    def start(self, index: Index) -> None:
        """Go to the next plane or volume; it is kept in memory where it is small."""
        self._index = index
        job = self._job
        size = np.prod(job.layout.shape) * job.image.dtype.itemsize * job.layout.channels.wanted
        small = size * 4 <= job.budget
        self._item = job.layout.read(index) if small or self._scope == "slice" else None
        if self._scope == "slice" and self._item is not None:
            self._fit(self._item)

    def block(self, tile: Tile) -> tuple[Array, int]:
        """Return what the network sees of a tile, and how many of its pixels were replaced."""
        kept = self._item is not None
        item = (
            self._item if self._item is not None else self._job.layout.read(self._index, tile.read)
        )
        block = cut(item, tile, already_read=not kept)
        block, replaced = self._finite(block, tile)
        return self._chain.apply(block), replaced

    def _fit(self, values: Array) -> None:
        self._chain = self._fitted(values)
        if self._fills and values.dtype.kind == "f":
            flat = np.where(np.isfinite(values), values, np.nan).reshape(values.shape[0], -1)
            self._fill = np.asarray(np.nanmean(flat, axis=1, dtype=np.float64))

    def _fitted(self, values: Array) -> FittedChain:
        try:
            return fit_chain(self._job.model.card.preprocessing, values)
        except ImageError as error:
            raise ImageError(f"{self._job.image.name}: {error.sentence}") from error

    def _finite(self, block: Array, tile: Tile) -> tuple[Array, int]:
        if block.dtype.kind != "f" or np.isfinite(block).all():
            return block, 0
        bad = ~np.isfinite(block)
        if self._fill is None:
            raise ImageError(
                f"{self._job.image.name} has pixels without a finite value "
                f"({self._place(bad, tile)}).",
                hint="Fill them, or let them be replaced by the mean (nan='mean').",
            )
        shape = (-1,) + (1,) * (block.ndim - 1)
        inside = int(bad[(slice(None), *tile.local)].any(axis=0).sum())
        return np.where(bad, self._fill.reshape(shape), block).astype(block.dtype), inside

    def _place(self, bad: Array, tile: Tile) -> str:
        first = [int(n) for n in np.argwhere(bad.any(axis=0))[0]]
        at = [
            f"{name} {n + part.start}"
            for name, n, part in zip(self._job.layout.seen, first, tile.outer, strict=True)
        ]
        words = self._job.layout.words(self._index)
        return ", ".join([*([words] if words else []), *at])


def _words(job: Job, index: Index, number: int) -> str:
    place = job.layout.words(index)
    tiles = f"tile {number} of {len(job.plan)}" if len(job.plan) > 1 else ""
    return ", ".join(part for part in (place, tiles) if part) or "predicted"


def _prediction(job: Job, run: _Run, seconds: float) -> Prediction:
    card, image = job.model.card, job.image
    warnings = job.warnings
    if run.replaced:
        warnings += (f"{run.replaced} pixels without a finite value got the mean of the others.",)
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
