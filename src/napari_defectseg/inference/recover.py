"""What happens when the device has no memory left: smaller tiles, said aloud."""

from __future__ import annotations

from dataclasses import replace

from napari_defectseg.core.errors import DeviceError
from napari_defectseg.inference.job import Job


class MemoryFull(DeviceError):
    """The device has no memory left for a tile of this size."""


def with_smaller_tiles(job: Job, error: MemoryFull) -> Job:
    """Return the same work in smaller tiles, with a sentence about it among its warnings.

    The work begins anew, so that the result belongs to one plan and can be made again.

    Raises
    ------
    DeviceError
        If the tiles cannot be smaller, or the network cannot be tiled.
    """
    card = job.model.card
    whole = card.halo is None or card.batch_norm == "image"
    plan = None if whole else job.plan.smaller()
    if plan is None:
        raise DeviceError(
            f"{error.sentence} Smaller tiles are not possible with this network.",
            hint="Close other programs, crop the image, or use the processor.",
        ) from error
    sentence = f"{error.sentence} Smaller tiles were used: {_edges(plan.largest)} pixels."
    return replace(job, plan=plan, warnings=(*job.warnings, sentence))


def _edges(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape)
