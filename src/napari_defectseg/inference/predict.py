"""Scores of an image from a model, tile by tile."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from napari_defectseg.core.errors import DeviceError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.stopwatch import Stopwatch
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.ahead import read_ahead
from napari_defectseg.inference.begun import Begun
from napari_defectseg.inference.choice import choose_way
from napari_defectseg.inference.crew import Crew, abreast
from napari_defectseg.inference.engine import Engine, Pass, engine_for
from napari_defectseg.inference.finite import Replaced, check_scores
from napari_defectseg.inference.job import Job, prepare, spacing_for
from napari_defectseg.inference.layout import Index
from napari_defectseg.inference.pace import Watch
from napari_defectseg.inference.patches import WindowPlan
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.recover import MemoryFull, lighter, watching_memory
from napari_defectseg.inference.region import Region
from napari_defectseg.inference.rescale import rescale
from napari_defectseg.inference.scores import room_for_scores
from napari_defectseg.inference.segments import Result, seamless, together
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.source import Source
from napari_defectseg.inference.tiling import Box, Tile, TilePlan
from napari_defectseg.inference.windowed import WindowedPlane
from napari_defectseg.inference.worked import Worked
from napari_defectseg.models.model import Model
from napari_defectseg.models.several import SeveralModels

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Part:
    """Scores that have just been computed, for whoever wants to show them at once.

    Parameters
    ----------
    where : tuple of slice
        Place in the scores, channels in front.
    scores : ndarray of float32
    begun : Begun or None
        The run as far as it has come with this part. Whoever keeps it keeps the scores, even
        after the run was stopped; `go_on_steps` takes it.
    kept_in : Path or None
        Folder in which the run keeps this part until it is done, also after it was killed.
    """

    where: Box
    scores: Array
    begun: Begun | None = None
    kept_in: Path | None = None


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


@dataclass(frozen=True)
class Piece:
    """The result of one tile.

    Parameters
    ----------
    part : Part or None
        None: it is being computed, or waits until all tiles of its plane are there.
    words : str
    replaced : Replaced
    tiles : int
        Number of tiles that the part finishes.
    ahead : int
        Without a part: tiles of this plane that are computed and wait.
    within : float
        Without a part: share of the tile that is being computed.
    """

    part: Part | None
    words: str
    replaced: Replaced = field(default_factory=Replaced)
    tiles: int = 1
    ahead: int = 0
    within: float = 0.0


def pieces(
    job: Job, engine: Engine, first: int, source: Source | None = None
) -> Generator[Piece, None, None]:
    """Compute the tiles, all but the `first` ones; a new source is made where none is given."""
    source = source or Source(job)
    card = job.model.card
    plane = _whole if "image" in (card.batch_norm, card.rescale) else None
    if card.windows is not None:
        plane = _windowed
    with Watch(job, engine) as watch:
        run = _Run(job, source, engine, watch)
        if plane is None:
            yield from (
                _side_by_side(run, engine, first)
                if isinstance(engine, Crew)
                else _one_by_one(run, first)
            )
            return
        for before, index in enumerate(job.layout.indices()):
            known = max(0, first - before * len(job.plan))
            if known < len(job.plan):
                source.start(index)
                yield from plane(_Plane(job, source, engine, watch, index), known)


@dataclass(frozen=True)
class _Run:
    """What all planes are computed with."""

    job: Job
    source: Source
    engine: Engine
    watch: Watch

    def blocks(self, first: int) -> Generator[tuple[_Place, Array], None, None]:
        """Read what the network sees of each tile, of all but the `first` ones."""
        job = self.job
        assert isinstance(job.plan, TilePlan)
        for before, index in enumerate(job.layout.indices()):
            known = max(0, first - before * len(job.plan))
            if known >= len(job.plan):
                continue
            self.source.start(index)
            plane = _Plane(job, self.source, self.engine, self.watch, index)
            for number, tile in enumerate(job.plan, start=1):
                if number > known:
                    with watching_memory(_of(tile)):
                        block, replaced = self.source.block(tile)
                    yield (plane, number, tile, replaced), block


def _one_by_one(run: _Run, first: int) -> Iterator[Piece]:
    """Compute the tiles, all but the `first` ones; the next one is read meanwhile."""
    with closing(read_ahead(run.blocks(first))) as blocks:
        for (plane, number, tile, replaced), block in blocks:
            scores = yield from plane.scores(number, tile, block)
            yield plane.piece(number, tile, scores, replaced)


def _side_by_side(run: _Run, crew: Crew, first: int) -> Iterator[Piece]:
    """Compute the tiles on several devices, all but the `first` ones; they come in order."""
    for (plane, number, tile, replaced), scores, ahead in abreast(crew, run.blocks(first)):
        if scores is None:
            yield Piece(None, _words(run.job, plane.index, number), ahead=ahead)
        else:
            plane.check(tile, scores)
            yield plane.piece(number, tile, scores, replaced)


@dataclass(frozen=True)
class _Plane:
    """What the tiles of one plane or volume are computed with."""

    job: Job
    source: Source
    engine: Engine
    watch: Watch
    index: Index

    def piece(self, number: int, tile: Tile, scores: Array, replaced: Replaced) -> Piece:
        part = Part(*self.job.layout.placed(self.index, tile, scores))
        return Piece(part, _words(self.job, self.index, number), replaced)

    def result(self, number: int, tile: Tile, ahead: int = 0) -> Generator[Piece, None, Result]:
        """Read and compute a tile, and return it as it came."""
        with watching_memory(_of(tile)):
            block, replaced = self.source.block(tile)
        scores = yield from self.scores(number, tile, block, ahead)
        return tile, scores, replaced

    def scores(
        self, number: int, tile: Tile, block: Array, ahead: int = 0
    ) -> Generator[Piece, None, Array]:
        """Compute a block; pieces without a part come while it waits for another process."""
        waiting = Piece(None, _words(self.job, self.index, number), ahead=ahead)
        with (
            watching_memory(_of(tile)),
            self.watch.lap(tile) as lap,
            closing(self.engine.begin(block)) as passing,
        ):
            scores = yield from waited(passing, waiting, lap)
        self.check(tile, scores)
        return scores

    def check(self, tile: Tile, scores: Array) -> None:
        """Refuse scores that are no numbers; see `check_scores`."""
        check_scores(scores, tile, self.job.layout, self.index, self.job.model.card.name)


_Place: TypeAlias = tuple[_Plane, int, Tile, Replaced]
"""A plane, a tile of it and its number, and which of its pixels were replaced."""


def _of(tile: Tile) -> str:
    return f"a tile of {' × '.join(str(n) for n in tile.shape)} pixels"


def waited(passing: Pass, waiting: Piece, lap: Stopwatch) -> Generator[Piece, None, Array]:
    """Yield `waiting` as often as a pass waits, and return its scores; a pause is not timed."""
    while True:
        try:
            within = next(passing)
        except StopIteration as end:
            scores: Array = end.value
            return scores
        lap.halt()
        yield replace(waiting, within=within or 0.0)
        lap.go()


def _windowed(plane: _Plane, known: int) -> Iterator[Piece]:
    """Yield a plane whose patches are blended, after all are computed."""
    job, layout, plan = plane.job, plane.job.layout, plane.job.plan
    assert isinstance(plan, WindowPlan)
    item, replaced = plane.source.whole()
    spacing = spacing_for(job.model.card, job.image)
    run = WindowedPlane(job.model.card, plan, item, plane.source.chain, spacing)
    for part in plane.watch.each(run.passes(plane.engine), plan.work // len(plan)):
        # A border of zeros that is cut off leaves fewer patches than planned.
        done = min(round(part * len(plan)), len(plan) - 1)
        yield Piece(None, _words(job, plane.index, max(done, 1)), ahead=done)
    scores = run.scores(plane.engine)
    (tile,) = TilePlan(layout.shape, layout.shape, 1, 0, layout.shape)
    plane.check(tile, scores)
    if job.model.card.rescale == "image":
        rescale([scores], job.model.card.name)
    where = layout.where(plane.index, tuple(slice(0, n) for n in layout.shape))
    found = Part(*layout.cut(where, layout.shaped(scores)))
    yield Piece(found, _words(job, plane.index, len(plan)), replaced, tiles=len(plan))


def _whole(plane: _Plane, known: int) -> Iterator[Piece]:
    """Yield the tiles of a plane that must be seen as a whole, after all are computed."""
    job, card = plane.job, plane.job.model.card
    assert isinstance(job.plan, TilePlan)
    found: list[Result] = []
    if card.batch_norm == "image":
        found = list(together(job.plan, plane.source, plane.engine))
        for tile, scores, _ in found:
            plane.check(tile, scores)
    else:
        for number, tile in enumerate(job.plan, start=1):
            found.append((yield from plane.result(number, tile, max(0, number - 1 - known))))
            words, ahead = _words(job, plane.index, number), max(0, number - known)
            yield Piece(None, words, found[-1][2], ahead=ahead)
    if card.rescale == "image":
        rescale([scores[(slice(None), *tile.local)] for tile, scores, _ in found], card.name)
    if job.layout.resampling is not None:  # what comes back to the image looks across the seams
        found = seamless(found, job.plan)
    for number, result in enumerate(found, start=1):
        if number > known:
            yield plane.piece(number, *result)


def _words(job: Job, index: Index, number: int) -> str:
    place = job.layout.words(index)
    tiles = f"tile {number} of {len(job.plan)}" if len(job.plan) > 1 else ""
    return ", ".join(part for part in (place, tiles) if part) or "predicting"
