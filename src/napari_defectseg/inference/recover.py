"""What happens when there is no memory left: smaller tiles, then the processor, said aloud."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from napari_defectseg.core.errors import DefectSegError, DeviceError, ImageError
from napari_defectseg.inference.devices import choose
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.patches import WindowPlan
from napari_defectseg.inference.tiling import TilePlan
from napari_defectseg.inference.ways import exact_way

MOST_WORK = 4.0
"""Tiles on a graphics card become smaller until their overlaps make it compute so many times the
pixels of the image; then the processor is the better choice."""
PHRASES = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "cannot allocate memory",
    "bad allocation",
    "bad_alloc",
    "failed to allocate memory",
    "cudnn_status_alloc_failed",
    "cublas_status_alloc_failed",
)
"""How libraries say in a RuntimeError that there was no memory left."""


class MemoryFull(DeviceError):
    """The device has no memory left for a tile of this size."""


def is_memory(error: BaseException) -> bool:
    """Return whether something failed for want of memory, of the processor or of a device."""
    if isinstance(error, MemoryError | MemoryFull) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, DefectSegError):
        return isinstance(error.__cause__, MemoryError)
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in PHRASES)


@contextmanager
def watching_memory(what: str) -> Iterator[None]:
    """Turn any failure for want of memory inside the block into `MemoryFull`.

    Parameters
    ----------
    what : str
        What there was no memory for: ``"a tile of 200 × 160 pixels"``.
    """
    try:
        yield
    except MemoryFull:
        raise
    except (MemoryError, RuntimeError, ImageError) as error:
        if not is_memory(error):
            raise
        raise MemoryFull(f"There is no memory left for {what}.") from error


def lighter(job: Job, error: MemoryFull) -> Job:
    """Return the same work in a way that needs less memory, with a sentence about it.

    Tiles are halved; where that is not possible, or would make a graphics card compute most
    pixels several times, the processor takes over with the tiles that fit it. The work begins
    anew, so that the result belongs to one plan and can be made again.

    Raises
    ------
    DeviceError
        If nothing is left to try: what needed memory, and what can be done.
    """
    card = job.model.card
    whole = card.halo is None or card.batch_norm == "image"
    plan = None if whole else job.plan.smaller()
    elsewhere = job.device.name != "cpu"
    if plan is not None and not (elsewhere and _work(plan) > MOST_WORK):
        sentence = f"{error.sentence} Smaller tiles were used: {_edges(plan.largest)} pixels."
        return _taken(job, error, sentence, plan=plan, first=job.first or job.plan)
    if elsewhere:
        sentence = f"{error.sentence} The processor was used instead of {job.device.title}."
        changes = {"plan": job.first or job.plan, "device": choose("cpu"), "others": ()}
        return _taken(job, error, sentence, way=exact_way(job.model), agreement=None, **changes)
    raise DeviceError(
        f"{error.sentence} Smaller tiles are not possible with this network.",
        hint="Close other programs, crop the image, or use the processor."
        if elsewhere
        else "Close other programs, or crop the image.",
    ) from error


def _taken(job: Job, error: MemoryFull, sentence: str, **changes: object) -> Job:
    return replace(
        job,
        warnings=(*job.warnings, sentence),
        lighter=(*job.lighter, error.sentence),
        **changes,  # type: ignore[arg-type]
    )


def _work(plan: TilePlan | WindowPlan) -> float:
    """Return how many pixels are computed for one of the image."""
    return plan.work / math.prod(plan.shape)


def _edges(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape)
