"""Several models on one image: each as if it were alone, into one set of scores."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import cast

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.begun import Begun
from napari_defectseg.inference.engine import engine_for
from napari_defectseg.inference.job import Job, prepare
from napari_defectseg.inference.predict import Part, pieces
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.recover import MemoryFull, with_smaller_tiles
from napari_defectseg.inference.scores import Room, room_for_scores
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.joined import JoinedModel
from napari_defectseg.models.model import TorchModel

Channels = tuple[slice, slice]
Found = tuple[Job, dict[str, object], int]
"""A job as it was run, its resolved plan, and how many pixels were replaced."""


def predict_joined(
    model: JoinedModel, image: CalibratedImage, settings: PredictSettings, held: int = 0
) -> Steps[Prediction]:
    """Predict with one model after the other; one step a tile.

    What each of them gives is what it gives alone, bit for bit; the background of exclusive
    classes is left out.

    Parameters
    ----------
    model : JoinedModel
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
    jobs = [prepare(part, image, replace(settings, scores_path=None)) for part in model.models]
    total, done, found = sum(job.total for job in jobs), 0, list[Found]()
    whole = replace(jobs[0], model=cast("TorchModel", model), settings=settings)
    with room_for_scores(whole, held) as room:
        for job, channels in zip(jobs, model.channels(), strict=True):
            found.append((yield from _one(job, channels, room, (done, total))))
            done += job.total
    plan = _plan(found)
    run = Begun(
        replace(whole, warnings=_warnings(found)),
        room,
        plan,
        done=whole.total,
        replaced=max(replaced for _, _, replaced in found),
        seconds=time.perf_counter() - started,
    )
    return run.prediction()


def _one(job: Job, channels: Channels, room: Room, count: tuple[int, int]) -> Steps[Found]:
    """Run one of the models; where the memory does not suffice, anew in smaller tiles."""
    planned = job.total
    while True:
        try:
            plan, replaced = yield from _fill(job, channels, room, count, planned)
            return job, plan, replaced
        except MemoryFull as error:
            job = with_smaller_tiles(job, error)
            yield Step(*count, job.warnings[-1])


def _fill(
    job: Job, channels: Channels, room: Room, count: tuple[int, int], planned: int
) -> Steps[tuple[dict[str, object], int]]:
    replaced, name = 0, job.model.card.name
    take, put = channels
    kept = job.budget + room.in_memory if job.keeps else 0
    with engine_for(job, kept=kept) as engine:
        number = 0
        for piece in pieces(job, engine, 0):
            if piece.part is None:
                ahead = number + piece.ahead
                yield Step(count[0] + planned * ahead // job.total, count[1], piece.words)
                continue
            number += piece.tiles
            part = Part((put, *piece.part.where[1:]), piece.part.scores[take])
            room.target[part.where] = part.scores
            replaced += piece.replaced
            # Smaller tiles than planned are more of them; the count stays within its share.
            done = count[0] + planned * number // job.total
            yield Step(done, count[1], f"{name}: {piece.words}", partial=part)
        return job.resolved(engine.name, engine.threads), replaced


def _plan(found: list[Found]) -> dict[str, object]:
    """Return the plan of the first model, and those of all with their names."""
    each = [{"model": job.model.card.name, **plan} for job, plan, _ in found]
    passes = sum(job.total for job, _, _ in found)
    return {**found[0][1], "passes": passes, "models": each}


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
