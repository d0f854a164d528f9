"""`Piece`: what one tile gives; the tiles of a run, one after the other or side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from napari_defectseg.core.stopwatch import Stopwatch
from napari_defectseg.inference.ahead import read_ahead
from napari_defectseg.inference.begun import Begun
from napari_defectseg.inference.crew import Crew, abreast
from napari_defectseg.inference.engine import Engine, Pass
from napari_defectseg.inference.finite import Replaced, check_scores
from napari_defectseg.inference.job import Job, spacing_for
from napari_defectseg.inference.layout import Index
from napari_defectseg.inference.pace import Watch
from napari_defectseg.inference.patches import WindowPlan
from napari_defectseg.inference.recover import watching_memory
from napari_defectseg.inference.rescale import rescale
from napari_defectseg.inference.segments import Result, seamless, together
from napari_defectseg.inference.source import Source
from napari_defectseg.inference.tiling import Box, Tile, TilePlan
from napari_defectseg.inference.windowed import WindowedPlane

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
