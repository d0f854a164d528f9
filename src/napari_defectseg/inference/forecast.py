"""What a prediction will take, before it is begun; what is not known is said to be unknown."""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.choice import hoped_way
from napari_defectseg.inference.directions import jobs_for
from napari_defectseg.inference.engine import engine_for
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.pace import Pace, Watch, known_pace
from napari_defectseg.inference.pieces import Piece, waited
from napari_defectseg.inference.scores import on_disk, scores_bytes
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.tiling import TilePlan, TilingSettings, plan_tiles
from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.model import Model
from napari_defectseg.models.several import SeveralModels

TRIAL = {2: 256, 3: 64}
"""Edge of the piece that is timed, in px, by the number of axes the network sees."""
TRIALS, ENOUGH = 8, 0.3
"""So many passes are timed at most, and no more than two when they took so many seconds."""


@dataclass(frozen=True)
class Forecast:
    """What a prediction will take.

    Parameters
    ----------
    passes : int
        Number of times that the network runs.
    tile : tuple of int
        Lengths of the largest tile, in px, with what it overlaps.
    pixels : int
        What the network computes in all, overlaps and planes included.
    memory : int
        Bytes: one pass, and the scores where they are kept in memory.
    disk : int
        Bytes that the scores take on the disk at most; 0: they stay in memory.
    seconds : float or None
        None: this network has not run on this device since the program began.
    device : str
        What a person calls the device.
    warnings : tuple of str
        What the prediction will warn about.
    guessed : bool
        Whether the memory is a guess: only the network's own runtime knows its layers.
    longest : float or None
        Seconds of the longest layer, which is as long as stopping takes at most; None: not known.
    """

    passes: int
    tile: tuple[int, ...]
    pixels: int
    memory: int
    disk: int
    seconds: float | None
    device: str
    warnings: tuple[str, ...] = ()
    guessed: bool = False
    longest: float | None = None

    @property
    def stopping(self) -> str:
        """What stopping takes, as a sentence; empty where it is not known."""
        if self.longest is None:
            return ""
        return (
            f"When it is stopped it computes its layer to the end: {_time(self.longest)} at most."
        )

    @property
    def sentence(self) -> str:
        """It in a line: ``"9 tiles of 512 × 512 px, about 40 s, 0.31 GB of memory"``."""
        edges = " × ".join(str(n) for n in self.tile)
        tiles = f"{self.passes} tile{'s' * (self.passes != 1)} of {edges} px"
        seconds = "time not known yet" if self.seconds is None else f"about {_time(self.seconds)}"
        disk = f", {self.disk / 1e9:.2g} GB on disk" if self.disk else ""
        guess = " (a guess)" if self.guessed else ""
        return f"{tiles}, {seconds}, {self.memory / 1e9:.2g} GB of memory{guess}{disk}"


def forecast(
    model: Model,
    image: CalibratedImage,
    settings: PredictSettings | None = None,
    *,
    measure: bool = False,
) -> Forecast:
    """Return what predicting an image will take.

    Parameters
    ----------
    model : Model
    image : CalibratedImage
        Its pixels are not read.
    settings : PredictSettings, optional
    measure : bool
        Time the network on one small piece where it has not run here yet (about a second).

    Raises
    ------
    ImageError, ModelError, DeviceError
        As `predict` would.
    """
    return drive(forecast_steps(model, image, settings, measure=measure))


def forecast_steps(
    model: Model,
    image: CalibratedImage,
    settings: PredictSettings | None = None,
    *,
    measure: bool = True,
) -> Steps[Forecast]:
    """Return what `forecast` returns; closing it ends the trial at the network's next layer."""
    settings = settings or PredictSettings()
    if isinstance(model, SeveralModels):
        each: list[Forecast] = []
        for one in model.models:
            found = yield from forecast_steps(one, image, settings, measure=measure)
            each.append(found)
        return _together(each)
    directions: list[Forecast] = []
    for job in jobs_for(model, image, settings):
        found = yield from _job_steps(*hoped_way(job), settings, measure)
        directions.append(found)
    if len(directions) == 1:
        return directions[0]
    # Three directions add to the same scores.
    most = max(one.memory for one in directions)
    return replace(_together(directions), memory=most, disk=directions[0].disk)


def _job_steps(
    job: Job, tried: float | None, settings: PredictSettings, measure: bool
) -> Steps[Forecast]:
    yield Step(0, 0, "timing the network")
    threads = settings.threads or _threads()
    pace = known_pace(job, threads) or (None if tried is None else Pace(tried))
    if pace is None and measure:
        yield from _trial_steps(job)
        pace = known_pace(job, threads)
    pixels = job.layout.count * job.plan.work
    stored = on_disk(job)
    return Forecast(
        passes=job.total,
        tile=job.plan.largest,
        pixels=pixels,
        memory=job.one_pass + (0 if stored else scores_bytes(job)),
        disk=scores_bytes(job) if stored else 0,
        seconds=None if pace is None else pace.seconds * pixels / len(job.device_names),
        device=job.device.title,
        warnings=job.warnings,
        guessed=isinstance(job.model, ArrayModel),
        longest=None if pace is None else pace.longest(math.prod(job.plan.largest)),
    )


def _together(each: list[Forecast]) -> Forecast:
    """Return what models one after the other will take; memory and disk at most."""
    times = [one.seconds for one in each]
    return Forecast(
        passes=sum(one.passes for one in each),
        tile=max((one.tile for one in each), key=math.prod),
        pixels=sum(one.pixels for one in each),
        memory=sum(one.memory for one in each),
        disk=sum(one.disk for one in each),
        seconds=None if None in times else math.fsum(t for t in times if t is not None),
        device=each[0].device,
        warnings=tuple(dict.fromkeys(w for one in each for w in one.warnings)),
        guessed=any(one.guessed for one in each),
        longest=_most([one.longest for one in each]),
    )


def _most(each: list[float | None]) -> float | None:
    known = [one for one in each if one is not None]
    return max(known) if len(known) == len(each) else None


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _trial_steps(job: Job) -> Steps[None]:
    """Time the network on a small piece without an image."""
    card = job.model.card
    edge = -(-TRIAL[card.dims] // card.grid) * card.grid
    shape = card.tile or tuple(min(edge, n) for n in job.plan.padded)
    block = np.zeros((card.in_channels, *shape), np.float32)
    (tile,) = _one_tile(shape, card.grid if card.tile is None else 1)
    with (
        engine_for(job) as engine,
        Watch(job, engine) as watch,
    ):
        began = time.monotonic()
        for number in range(TRIALS):
            if number > 1 and time.monotonic() - began > ENOUGH:
                break
            with watch.lap(tile) as lap, closing(engine.begin(block)) as passing:
                for _ in waited(passing, Piece(None, ""), lap):
                    yield Step(0, 0, "timing the network")


def _one_tile(shape: tuple[int, ...], grid: int) -> TilePlan:
    return plan_tiles(shape, grid, None, TilingSettings(math.prod(shape), 1.0))


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
