"""`Previewer`: a part of an image at once, as the whole image would show it there.

Tiles begin on the grid of the whole image and carry a halo of its true pixels, grey values are
measured on the whole image: what is seen is what a run will give. Networks that look at all of an
image are asked for all of it where it is small; else they see the part alone, which is said.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import numpy as np

from napari_defectseg.core.boxes import common, remainder
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.provenance import Provenance, now
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.part import part_of
from napari_defectseg.inference.engine import engine_for
from napari_defectseg.inference.job import Job, on_region, prepare
from napari_defectseg.inference.pieces import Part, pieces
from napari_defectseg.inference.prediction import Prediction
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.source import Source
from napari_defectseg.inference.tiling import Box
from napari_defectseg.models.ensemble import EnsembleModel
from napari_defectseg.models.model import Model
from napari_defectseg.models.several import SeveralModels

Array = np.ndarray[Any, Any]
FIRST = {2: 224, 3: 32}
"""Edge in px of what is computed first, in the middle of what is asked for, by the axes that the
network sees: something is seen within half a second."""
MOST = {2: 1024, 3: 96}
"""Edge in px of the largest part whose preview is a matter of seconds."""
WAITS = 0.05
"""Seconds between two looks whether the last preview has ended."""
ALONE = "This network looks at the whole image; the preview shows what it finds in this part alone."
SIMPLER = "Mirror images and other directions are left out of the preview."


class Previewer:
    """Predicts parts of one image with one model; the last part is kept, so moving costs little.

    Parameters
    ----------
    model : Model
    image : CalibratedImage
    settings : PredictSettings, optional
        Its region and its place for scores are not used.
    """

    def __init__(
        self, model: Model, image: CalibratedImage, settings: PredictSettings | None = None
    ) -> None:
        self._model, self._image = model, image
        usual = settings or PredictSettings()
        # Mirror images and other directions take many times as long as a glance may.
        self._simpler = usual.flips != "off" or usual.volume != "slices"
        self._settings = replace(
            usual, region=None, scores_path=None, flips="off", volume="slices", devices=()
        )
        self._members: list[_Member] = []
        self._lock = Lock()
        self._box: Box = ()
        self._scores: Array = np.zeros(0, np.float32)
        self._done: list[Box] = []

    @property
    def dims(self) -> int:
        """Axes that the network sees."""
        return self._model.card.dims

    def steps(self, box: Box) -> Steps[Prediction]:
        """Predict a part; a later request may begin before this one has ended.

        ``Step.partial`` is the `Prediction` as far as it is computed, zero elsewhere; its scores
        are written on until the last step.

        Parameters
        ----------
        box : tuple of slice
            Along the label axes of the image; one plane, or one block, of what the network sees.

        Raises
        ------
        ImageError, ModelError, DeviceError
            As `predict` does.
        """
        while not self._lock.acquire(timeout=WAITS):
            yield Step(0, 0, "waiting for the last preview to end")
        try:
            return (yield from self._steps(box))
        finally:
            self._lock.release()

    def _steps(self, box: Box) -> Steps[Prediction]:
        started = time.perf_counter()
        yield Step(0, 0, "getting the model ready")
        if not self._members:
            self._members = _members(self._model, self._image, self._settings)
        scores = self._moved_to(box)
        wanted = _cuts(box, self._done, self.dims, self._model.card.grid)
        for number, member in enumerate(self._members, start=1):
            last = number == len(self._members)
            for part in wanted:
                for found in member.steps(part, box):
                    if found is None:
                        yield Step(0, 0, "predicting what is seen")
                        continue
                    self._put(member, found, number)
                    yield Step(0, 0, "predicting what is seen", self._made(scores, started))
                if last:
                    self._done.append(part)
        return self._made(scores, started)

    def _moved_to(self, box: Box) -> Array:
        """Return room for the scores of a part, with what is known of it."""
        channels = self._model.card.score_channels
        scores = np.zeros((channels, *_lengths(box)), np.float32)
        kept = []
        for done in self._done:
            both = common(done, box)
            if both is not None:
                there, here = _inside(both, self._box), _inside(both, box)
                scores[(slice(None), *here)] = self._scores[(slice(None), *there)]
                kept.append(both)
        self._box, self._scores, self._done = box, scores, kept
        return scores

    def _put(self, member: _Member, found: Part, number: int) -> None:
        """Write scores of a model: beside those of the others, or into the mean of all."""
        take, put = member.channels
        where = (slice(put[0], put[-1] + 1), *found.where[1:])
        if isinstance(self._model, EnsembleModel):
            mean = self._scores[where]
            mean += (found.scores[take] - mean) / np.float32(number)
        else:
            self._scores[where] = found.scores[take]

    def _made(self, scores: Array, started: float) -> Prediction:
        card, image = self._model.card, self._image
        alone = any(member.alone for member in self._members)
        return Prediction(
            scores=scores,
            classes=card.classes,
            task=card.task,
            axes=image.label_axes,
            calibration=image.calibration,
            image_name=image.name,
            thresholds=card.thresholds,
            min_size=card.min_size,
            provenance=Provenance(made_by="preview", model=card.name, when=now()),
            seconds=time.perf_counter() - started,
            warnings=(ALONE,) * alone + (SIMPLER,) * self._simpler,
            offset=tuple(part.start for part in self._box),
        )


@dataclass
class _Member:
    """One of the models, with what was measured on the image once.

    Parameters
    ----------
    job : Job
        Of the whole image.
    channels : tuple of list of int
        Of its scores, and of those of all.
    alone : bool
        Whether it sees the part alone, not the image.
    source : Source or None
        None until it was asked first.
    """

    job: Job
    channels: tuple[list[int], list[int]]
    alone: bool
    source: Source | None = None

    def steps(self, part: Box, whole: Box) -> Iterator[Part | None]:
        """Yield the scores of a part by their places in `whole`; None while it computes."""
        job, source = self._on(part)
        with engine_for(job, kept=job.budget if job.keeps else 0) as engine:
            for piece in pieces(job, engine, 0, source):
                if piece.part is None:
                    yield None
                    continue
                place = _shifted(piece.part.where[1:], part, whole)
                yield Part((slice(None), *place), piece.part.scores)

    def _on(self, part: Box) -> tuple[Job, Source]:
        if self.alone:
            job = prepare(self.job.model, part_of(self.job.image, part), self.job.settings)
            return job, Source(job)
        job = on_region(self.job, part)
        self.source = Source(job) if self.source is None else self.source.on(job)
        return job, self.source


def _members(model: Model, image: CalibratedImage, settings: PredictSettings) -> list[_Member]:
    models = model.models if isinstance(model, SeveralModels) else (model,)
    every = list(range(model.card.score_channels))
    channels = model.channels() if isinstance(model, SeveralModels) else ((every, every),)
    found = []
    for one, own in zip(models, channels, strict=True):
        job = prepare(one, image, settings)
        found.append(_Member(job, own, _sees_alone(job)))
    return found


def _sees_alone(job: Job) -> bool:
    """Return whether all that the network looks at is too much for a preview."""
    card = job.model.card
    local = card.halo is not None and card.windows is None
    measures = "image" in (card.batch_norm, card.rescale)
    return (not local or measures) and math.prod(job.layout.shape) > MOST[card.dims] ** card.dims


def _cuts(box: Box, done: list[Box], dims: int, grid: int) -> list[Box]:
    """Return what is still to be computed, what is seen first in front."""
    if done:
        return remainder(box, done)
    edge = max(1, FIRST[dims] // grid) * grid
    first = list(box)
    for axis in range(len(box) - dims, len(box)):
        start, stop = box[axis].start, box[axis].stop
        if stop - start > 2 * edge:
            begin = (start + stop - edge) // 2 // grid * grid
            first[axis] = slice(begin, begin + edge)
    middle = tuple(first)
    return [middle, *remainder(box, [middle])]


def _lengths(box: Box) -> tuple[int, ...]:
    return tuple(part.stop - part.start for part in box)


def _inside(box: Box, whole: Box) -> Box:
    """Return a box as counted from the corner of another."""
    return tuple(
        slice(b.start - w.start, b.stop - w.start) for b, w in zip(box, whole, strict=True)
    )


def _shifted(box: Box, corner: Box, whole: Box) -> Box:
    """Return a box that is counted from one corner as counted from another."""
    starts = (c.start - w.start for c, w in zip(corner, whole, strict=True))
    return tuple(slice(b.start + s, b.stop + s) for b, s in zip(box, starts, strict=True))
