"""Several models on one image, or one across several axes, into one set of scores."""

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
from napari_defectseg.inference.directions import ACROSS, Slabs, jobs_for, thickness_of
from napari_defectseg.inference.disagreement import Spread
from napari_defectseg.inference.engine import engine_for
from napari_defectseg.inference.finite import Replaced
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.pieces import Part, pieces
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.recover import MemoryFull, lighter
from napari_defectseg.inference.scores import Room, room_for_scores
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.tiling import Box
from napari_defectseg.models.ensemble import EnsembleModel
from napari_defectseg.models.model import Model, TorchModel
from napari_defectseg.models.several import Channels, SeveralModels, members_of


@dataclass(frozen=True)
class Member:
    """One of the models, across one of the axes.

    Parameters
    ----------
    job : Job
    model : str
        Its name.
    across : str
        The axis that its planes are cut across, empty where there is only one direction.
    channels : tuple of list of int
        Of its scores, and of those of all.
    first : bool
        Whether it is the first direction of its model.
    """

    job: Job
    model: str
    across: str
    channels: Channels
    first: bool

    @property
    def words(self) -> str:
        """What a person is told it is."""
        return f"{self.model}, across {self.across}" if self.across else self.model


@dataclass(frozen=True)
class Found:
    """What became of a member: its job as it was run, its plan, and pixels that were replaced."""

    member: Member
    job: Job
    plan: dict[str, object]
    replaced: Replaced


class Target(Protocol):
    """What becomes of the scores of one member after the other."""

    def start(self, member: Member) -> None:
        """Begin with the next one."""

    def take(self, where: Box, scores: np.ndarray[Any, Any]) -> Part | None:
        """Take scores and return what the joint ones are there now, None while they wait."""

    def again(self) -> None:
        """Let the member begin anew, in smaller tiles."""

    def flush(self) -> Part | None:
        """Take what waits: the member has come to its end."""


class Beside:
    """Scores of different classes, each written where it belongs."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def start(self, member: Member) -> None:
        """Have nothing to begin."""

    def take(self, where: Box, scores: np.ndarray[Any, Any]) -> Part:
        """Write the scores; they are what they were alone."""
        self._room.target[where] = scores
        return Part(where, scores)

    def again(self) -> None:
        """Have nothing to forget: what comes again is written again."""

    def flush(self) -> None:
        """Have nothing that waits."""


def members(model: Model, image: CalibratedImage, settings: PredictSettings) -> list[Member]:
    """Return who looks at the image: each model, across each axis that is asked for.

    Raises
    ------
    ImageError, ModelError, DeviceError
        As `predict` does for each of the models.
    """
    own = replace(settings, scores_path=None)
    if isinstance(model, SeveralModels):
        channels = model.channels()
    else:
        every = list(range(model.card.score_channels))
        channels = ((every, every),)
    found: list[Member] = []
    for part, places in zip(members_of(model), channels, strict=True):
        jobs = jobs_for(part, image, own)
        axes = ACROSS if len(jobs) > 1 else ("",)
        found += [
            Member(job, part.card.name, axis, places, number == 0)
            for number, (job, axis) in enumerate(zip(jobs, axes, strict=True))
        ]
    return found


def _with_engines(everyone: list[Member]) -> Steps[list[Member]]:
    """Return the members, each with the engine that computes it."""
    found = []
    for one in everyone:
        job = yield from choose_way(one.job)
        found.append(replace(one, job=job))
    return found


def predict_several(
    model: Model, image: CalibratedImage, settings: PredictSettings, held: int = 0
) -> Steps[Prediction]:
    """Predict with one member after the other; one step a tile.

    What each model gives is what it gives alone, bit for bit: put side by side (the background
    of exclusive classes is left out), or its mean with those of the others. Across three axes
    it is the mean of what it gives across each.

    Parameters
    ----------
    model : Model
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
    everyone = yield from _with_engines(members(model, image, settings))
    total, done, found = sum(one.job.total for one in everyone), 0, list[Found]()
    first = everyone[0].job
    whole = replace(first, model=cast("TorchModel", model), settings=settings)
    with ExitStack() as stack:
        room = stack.enter_context(room_for_scores(whole, held))
        target, spread = _target(model, whole, room, stack, held)
        for member in everyone:
            target.start(member)
            run = _Run(member, target, room.in_memory, (done, total), len(everyone) > 1)
            found.append((yield from run.steps()))
            done += member.job.total
        disagreement = None if spread is None else spread.finished(whole)
    made = Begun(
        replace(whole, warnings=_warnings(found)),
        room,
        _plan(found, model),
        done=whole.total,
        replaced=max(one.replaced for one in found),
        seconds=time.perf_counter() - started,
    ).prediction()
    return replace(made, disagreement=disagreement)


def _target(
    model: Model, whole: Job, room: Room, stack: ExitStack, held: int
) -> tuple[Target, Spread | None]:
    three = whole.settings.volume == "three-axes"
    if isinstance(model, EnsembleModel):
        own = replace(whole, settings=replace(whole.settings, scores_path=None))
        squares = stack.enter_context(room_for_scores(own, held + room.in_memory))
        spread = Spread(room, squares)
    elif three:
        spread = Spread(room, apart=True)
    else:
        return Beside(room), None
    return (Slabs(spread, thickness_of(room, whole)) if three else spread), spread


@dataclass(frozen=True)
class _Run:
    """The run of one member.

    Parameters
    ----------
    member : Member
    target : Target
    in_memory : int
        Bytes of the joint scores that are kept in memory.
    count : tuple of int
        Steps before it, and in all.
    named : bool
        Whether its words say which one it is.
    """

    member: Member
    target: Target
    in_memory: int
    count: tuple[int, int]
    named: bool

    def steps(self) -> Steps[Found]:
        """Run it; where the memory does not suffice, anew in a lighter way."""
        job = self.member.job
        while True:
            try:
                plan, replaced = yield from self._fill(job)
                return Found(self.member, job, plan, replaced)
            except MemoryFull as error:
                job = lighter(job, error)
                self.target.again()
                yield Step(*self.count, job.warnings[-1])

    def _fill(self, job: Job) -> Steps[tuple[dict[str, object], Replaced]]:
        replaced, number, planned = Replaced(), 0, self.member.job.total
        kept = job.budget + self.in_memory if job.keeps else 0
        with engine_for(job, kept=kept) as engine:
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
                words = f"{self.member.words}: {piece.words}" if self.named else piece.words
                yield Step(done, self.count[1], words, partial=part)
            last = self.target.flush()
            if last is not None:
                yield Step(self.count[0] + planned, self.count[1], self.member.words, last)
            return job.resolved(engine.name, engine.threads), replaced

    def _take(self, part: Part) -> Part | None:
        take, put = self.member.channels
        where = (slice(put[0], put[-1] + 1), *part.where[1:])  # places are next to each other
        return self.target.take(where, part.scores[take])


def _plan(found: list[Found], model: Model) -> dict[str, object]:
    """Return the plan of the first member, and those of all with their names."""
    each = [
        {
            "model": one.member.model,
            **({"across": one.member.across} if one.member.across else {}),
            **one.plan,
        }
        for one in found
    ]
    plan = {**found[0].plan, "passes": sum(one.job.total for one in found)}
    if isinstance(model, SeveralModels):
        return {**plan, "combine": model.combine, "models": each}
    return {**plan, "directions": each}


def _warnings(found: list[Found]) -> tuple[str, ...]:
    """Return what each model warns of: once where all say the same, else with its name."""
    every: list[tuple[str, list[str]]] = []
    for one in found:
        if one.member.first:
            every.append((one.member.model, []))
        every[-1][1].extend(one.job.warnings)
    if len(every) == 1:
        return tuple(dict.fromkeys(every[0][1]))
    common = set.intersection(*(set(said) for _, said in every))
    shared = tuple(w for w in every[0][1] if w in common)
    own = tuple(f"{name}: {w}" for name, said in every for w in said if w not in common)
    return tuple(dict.fromkeys((*shared, *own)))
