"""Several models on one image: each as if it were alone, into one set of scores."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import numpy as np

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.begun import Begun
from napari_defectseg.inference.choice import choose_way
from napari_defectseg.inference.disagreement import Spread
from napari_defectseg.inference.engine import engine_for
from napari_defectseg.inference.job import Job, prepare
from napari_defectseg.inference.predict import Part, pieces
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.recover import MemoryFull, with_smaller_tiles
from napari_defectseg.inference.scores import Room, room_for_scores
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.tiling import Box
from napari_defectseg.models.ensemble import EnsembleModel
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.several import Channels, SeveralModels

Found = tuple[Job, dict[str, object], int]
"""A job as it was run, its resolved plan, and how many pixels were replaced."""


class Target(Protocol):
    """What becomes of the scores of one model after the other."""

    def start(self) -> None:
        """Begin with the next model."""

    def take(self, where: Box, scores: np.ndarray[Any, Any]) -> Part:
        """Take scores of a model and return what the joint ones are there now."""


class Beside:
    """Scores of different classes, each written where it belongs."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def start(self) -> None:
        """There is nothing to begin."""

    def take(self, where: Box, scores: np.ndarray[Any, Any]) -> Part:
        """Write the scores; they are what they were alone."""
        self._room.target[where] = scores
        return Part(where, scores)


def predict_several(
    model: SeveralModels, image: CalibratedImage, settings: PredictSettings, held: int = 0
) -> Steps[Prediction]:
    """Predict with one model after the other; one step a tile.

    What each of them gives is what it gives alone, bit for bit: put side by side (the background
    of exclusive classes is left out), or its mean with those of the others.

    Parameters
    ----------
    model : SeveralModels
    image : CalibratedImage
    settings : PredictSettings
    held : int
        Bytes of other scores that are kept in memory.

    Raises
    ------
    ImageError, ModelError, DeviceError
        As `predict` does for each of the models.
    """
    started = time.perf_counter()
    yield Step(0, 0, "getting the models ready")
    jobs = []
    for part in model.models:
        job = prepare(part, image, replace(settings, scores_path=None))
        jobs.append((yield from choose_way(job)))
    total, done, found = sum(job.total for job in jobs), 0, list[Found]()
    whole = replace(jobs[0], model=cast("TorchModel", model), settings=settings)
    with ExitStack() as stack:
        room = stack.enter_context(room_for_scores(whole, held))
        target, spread = _target(model, whole, room, stack, held)
        for job, channels in zip(jobs, model.channels(), strict=True):
            target.start()
            run = _Run(job, channels, target, room.in_memory, (done, total))
            found.append((yield from run.steps()))
            done += job.total
        disagreement = None if spread is None else spread.finished(whole)
    made = Begun(
        replace(whole, warnings=_warnings(found)),
        room,
        _plan(found, model.combine),
        done=whole.total,
        replaced=max(replaced for _, _, replaced in found),
        seconds=time.perf_counter() - started,
    ).prediction()
    return replace(made, disagreement=disagreement)


def _target(
    model: SeveralModels, whole: Job, room: Room, stack: ExitStack, held: int
) -> tuple[Target, Spread | None]:
    if not isinstance(model, EnsembleModel):
        return Beside(room), None
    own = replace(whole, settings=replace(whole.settings, scores_path=None))
    squares = stack.enter_context(room_for_scores(own, held + room.in_memory))
    spread = Spread(room, squares)
    return spread, spread


@dataclass(frozen=True)
class _Run:
    """One of the models.

    Parameters
    ----------
    job : Job
    channels : tuple of list of int
        Of its scores, and of those of all.
    target : Target
    in_memory : int
        Bytes of the joint scores that are kept in memory.
    count : tuple of int
        Steps before it, and in all.
    """

    job: Job
    channels: Channels
    target: Target
    in_memory: int
    count: tuple[int, int]

    def steps(self) -> Steps[Found]:
        """Run it; where the memory does not suffice, anew in smaller tiles."""
        job = self.job
        while True:
            try:
                plan, replaced = yield from self._fill(job)
                return job, plan, replaced
            except MemoryFull as error:
                job = with_smaller_tiles(job, error)
                yield Step(*self.count, job.warnings[-1])

    def _fill(self, job: Job) -> Steps[tuple[dict[str, object], int]]:
        replaced, name, planned = 0, job.model.card.name, self.job.total
        kept = job.budget + self.in_memory if job.keeps else 0
        with engine_for(job, kept=kept) as engine:
            number = 0
            for piece in pieces(job, engine, 0):
                # Smaller tiles than planned are more of them; the count stays within its share.
                done = self.count[0] + planned * (number + piece.ahead) // job.total
                if piece.part is None:
                    yield Step(done, self.count[1], piece.words)
                    continue
                number += piece.tiles
                part = self._take(piece.part)
                replaced += piece.replaced
                done = self.count[0] + planned * number // job.total
                yield Step(done, self.count[1], f"{name}: {piece.words}", partial=part)
            return job.resolved(engine.name, engine.threads), replaced

    def _take(self, part: Part) -> Part:
        take, put = self.channels
        where = (slice(put[0], put[-1] + 1), *part.where[1:])  # places are next to each other
        return self.target.take(where, part.scores[take])


def _plan(found: list[Found], combine: str) -> dict[str, object]:
    """Return the plan of the first model, and those of all with their names."""
    each = [{"model": job.model.card.name, **plan} for job, plan, _ in found]
    passes = sum(job.total for job, _, _ in found)
    return {**found[0][1], "passes": passes, "combine": combine, "models": each}


def _warnings(found: list[Found]) -> tuple[str, ...]:
    """Return what each model warns of: once where all say the same, else with its name."""
    every = [set(job.warnings) for job, _, _ in found]
    common = set.intersection(*every)
    shared = tuple(w for w in found[0][0].warnings if w in common)
    own = tuple(
        f"{job.model.card.name}: {warning}"
        for job, _, _ in found
        for warning in job.warnings
        if warning not in common
    )
    return (*shared, *own)
