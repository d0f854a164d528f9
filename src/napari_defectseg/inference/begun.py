"""`Begun`: a run as far as it has come: what it found is shown, and it can go on later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.provenance import Provenance, now
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.finite import Replaced
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.scores import Room

LARGEST_HASHED = 1 << 30
"""Bytes; an image without a file that is larger is not hashed, for that would read it all."""


@dataclass(frozen=True)
class Begun:
    """What a run has done so far; the scores are those it writes, not a copy.

    Parameters
    ----------
    job : Job
    room : Room
        With the scores so far; zero where no tile was computed.
    plan : mapping
        What was resolved, see `Prediction.plan`.
    done : int
        Tiles that are computed.
    replaced : Replaced
        Pixels without a finite value that got the mean of the others.
    seconds : float
    """

    job: Job
    room: Room
    plan: Mapping[str, Any]
    done: int = 0
    replaced: Replaced = field(default_factory=Replaced)
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every tile is computed."""
        return self.done == self.job.total

    @property
    def can_go_on(self) -> bool:
        """Whether what was computed is still there: a store that was asked for is not."""
        return self.job.settings.scores_path is None

    def prediction(self) -> Prediction:
        """Return what was found; it says so where the run is not complete.

        Reads the image once, for its hash.
        """
        job, card, image = self.job, self.job.model.card, self.job.image
        settings = {**job.settings.as_dict(), "plan": dict(self.plan)}
        if not self.complete:
            settings["stopped"] = [self.done, job.total]
        provenance = Provenance(
            made_by="predict",
            inputs={image.origin.path or image.name: _hash(image)},
            model=card.name,
            model_sha256=job.model.sha256,
            settings=settings,
            when=now(),
        )
        return Prediction(
            scores=self.room.readable,
            classes=card.classes,
            task=card.task,
            axes=image.label_axes,
            calibration=image.calibration,
            image_name=image.name,
            thresholds=card.thresholds,
            min_size=card.min_size,
            provenance=provenance,
            plan=self.plan,
            seconds=self.seconds,
            warnings=self._warnings(),
            offset=tuple(part.start for part in job.layout.wanted),
        )

    def _warnings(self) -> tuple[str, ...]:
        said = list(self.job.warnings)
        if self.replaced:
            said.append(self.replaced.sentence)
        if not self.complete:
            said.append(
                f"Stopped after {self.done} of {self.job.total} tiles; the rest was not looked at."
            )
        if self.room.temporary:
            said.append("The scores are larger than the memory allowed; they lie on the disk.")
        return tuple(said)


def _hash(image: CalibratedImage) -> str:
    on_disk = bool(image.origin.path) and Path(image.origin.path).is_file()
    size = int(np.prod(image.shape)) * image.dtype.itemsize
    return image.sha256() if on_disk or size <= LARGEST_HASHED else ""
