"""Which engine computes a prediction: exact, or the fastest that agrees with it on this image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.inference.agreement import Agreement, compared, percent, pieces_of
from napari_defectseg.inference.engine import engine_for
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.trials import Trial, remember, remembered, timed
from napari_defectseg.inference.ways import Way, compiled_too, exact_way, way_called, ways_for

Array = np.ndarray[Any, Any]
COMPILED_GAIN = 0.1
"""Part of the time that compiling may save; measured were 0.05 to 0.1 on processors."""
COMPILING = 100.0
"""Seconds that compiling took at most, where it was measured."""


def is_fast(job: Job) -> bool:
    """Whether an engine other than the exact one may be chosen for a job."""
    settings = job.settings
    if settings.mode == "auto":
        return settings.engine == "auto" and job.model.card.fast_agreement is not None
    return settings.mode == "fast" and settings.engine == "auto"


def choose_way(job: Job) -> Steps[Job]:
    """Return the job with the engine that computes it, and what was found about it.

    An engine that was asked for by name is taken; else, where the mode is fast (or the card
    allows it), the fastest one whose results agree with the exact ones as far as the card
    demands. Where none does, the exact one, with a sentence.

    Parameters
    ----------
    job : Job
        As `prepare` gives it, for the exact engine.

    Raises
    ------
    DeviceError
        If the engine that was asked for does not run this model here.
    ImageError
        As the prediction would.
    """
    if job.settings.engine != "auto":
        way = _called(job)
        return job if way == exact_way(job.model) else (yield from _as_asked(job, way))
    if not is_fast(job):
        return job
    trial, wrong = yield from _trial(job)
    if wrong:
        job = replace(job, warnings=(*job.warnings, wrong))
    exact = exact_way(job.model)
    ways = trial.sorted(all_ways(job), job)
    faster = ways[: ways.index(exact)]
    if not faster:
        return _stays(job, "No engine here is faster with this model.")
    return (yield from _first_sound(job, faster))


def hoped_way(job: Job) -> tuple[Job, float | None]:
    """Return the job with the engine that will probably compute it, nothing being measured.

    Parameters
    ----------
    job : Job

    Returns
    -------
    Job
    float or None
        Seconds a pixel in the trial, None where there was none.

    Raises
    ------
    DeviceError
        If the engine that was asked for does not run this model here.
    """
    if job.settings.engine != "auto":
        return job.by(_called(job)), None
    if not is_fast(job):
        return job, None
    trial, _ = remembered(job)
    if not all(way in trial for way in usual_ways(job)):
        return job, None
    best = trial.sorted(all_ways(job), job)[0]
    return job.by(best), trial.paces[best.name].seconds * max(1, len(job.turns))


def usual_ways(job: Job) -> tuple[Way, ...]:
    """Return the ways to compute a job on all of its devices, the exact one first."""
    first, *others = (ways_for(job.model, one) for one in (job.device, *job.others))
    return tuple(way for way in first if all(way in ways for ways in others))


def all_ways(job: Job) -> tuple[Way, ...]:
    """Return every way to compute a job here, those of torch's compiler last."""
    return compiled_too(usual_ways(job), job.model)


def _called(job: Job) -> Way:
    """Return the way that was asked for by name, which every device has to have."""
    name = job.settings.engine
    first, *_ = [way_called(name, job.model, one) for one in (job.device, *job.others)]
    return first


def _trial(job: Job) -> Steps[tuple[Trial, str]]:
    """Return how fast each way is here; those of which nothing is remembered are timed."""
    known, wrong = remembered(job)
    usual = usual_ways(job)
    new = [way for way in usual if way not in known]
    for number, way in enumerate(new, start=1):
        yield Step(0, job.total, f"trying engines: {number} of {len(new)}")
        known = known.with_pace(way, timed(job, way))
    best = min(known.total(way, job) for way in usual)
    for way in all_ways(job)[len(usual) :]:
        # It takes a minute to compile, so it is tried where less than its gain could pay for it.
        if way not in known and best * COMPILED_GAIN > COMPILING:
            yield Step(0, job.total, f"compiling the network for {way.dtype}")
            known, new = known.with_pace(way, timed(job, way)), [*new, way]
    if new:
        remember(job, known)
    return known, wrong


def _first_sound(job: Job, faster: list[Way]) -> Steps[Job]:
    """Return the job by the first way that agrees with the exact one."""
    pieces = pieces_of(job)
    exact = yield from _scores(job, pieces, f"measuring how exact {faster[0].title} is")
    turned_down = []
    for way in faster:
        try:
            found = yield from _scores(job.by(way), pieces, f"measuring how exact {way.title} is")
        except (ModelError, DeviceError) as error:
            turned_down.append(f"{way.title} was not used: {error.sentence}")
            continue
        agreement = compared(exact, found, job.model.card)
        if agreement.sound:
            return _by(job, way, agreement, turned_down)
        turned_down.append(
            f"{way.title} was not used: {agreement.words}; this model asks for "
            f"{percent(agreement.bound)}."
        )
    return _stays(job, " ".join(turned_down))


def _as_asked(job: Job, way: Way) -> Steps[Job]:
    """Return the job by a way that was asked for, whatever it gives, with what was measured."""
    pieces = pieces_of(job)
    text = f"measuring how exact {way.title} is"
    exact = yield from _scores(job, pieces, text)
    found = yield from _scores(job.by(way), pieces, text)
    return _by(job, way, compared(exact, found, job.model.card), [])


def _scores(job: Job, pieces: list[Array], text: str) -> Steps[list[Array]]:
    found = []
    with engine_for(replace(job, others=())) as engine:
        for piece in pieces:
            found.append(engine.run(piece))
            yield Step(0, job.total, text)
    return found


def _by(job: Job, way: Way, agreement: Agreement, before: list[str]) -> Job:
    short = "" if agreement.sound else f"; this model asks for {percent(agreement.bound)}"
    sentence = f"Computed by {way.title}: {agreement.words}{short}."
    warnings = (*job.warnings, *before, sentence)
    return replace(job.by(way), agreement=agreement, warnings=warnings)


def _stays(job: Job, reason: str) -> Job:
    """Return the job as it is, with the reason where speed was asked for."""
    if job.settings.mode != "fast":
        return job
    sentence = f"Computed exactly, in float32. {reason}"
    return replace(job, warnings=(*job.warnings, sentence))
