"""`Worked`: how much of a job is done, by the pixels that the network sees."""

from __future__ import annotations

import math
from itertools import accumulate

from napari_defectseg.inference.job import Job
from napari_defectseg.inference.tiling import TilePlan


class Worked:
    """Shares of the work of a job; tiles at the border are smaller, so counting them is not enough.

    Parameters
    ----------
    job : Job
    """

    def __init__(self, job: Job) -> None:
        plan = job.plan
        sizes = (
            [math.prod(t.shape) for t in plan] if isinstance(plan, TilePlan) else [1] * len(plan)
        )
        whole = sum(sizes)
        self._planes = job.layout.count
        self._until = [0.0, *(part / whole for part in accumulate(sizes))]

    def share(self, done: int, within: float = 0.0) -> float:
        """Return the share that is done, 0 to 1.

        Parameters
        ----------
        done : int
            Tiles that are computed.
        within : float
            Share of the next one that is done.
        """
        planes, tile = divmod(done, len(self._until) - 1)
        part = self._until[tile]
        if within:
            part += within * (self._until[tile + 1] - part)
        return (planes + part) / self._planes
