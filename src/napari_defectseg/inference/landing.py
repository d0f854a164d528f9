"""Scores become classes as they land: blocks on disk, each finished once, whole runs resumed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import not_saved
from napari_defectseg.core.errors import DefectSegError, RecipeError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.engine import Engine, engine_for
from napari_defectseg.inference.finite import Replaced
from napari_defectseg.inference.job import Job, prepare
from napari_defectseg.inference.ledger import FILE, Entry, Ledger
from napari_defectseg.inference.memory import default_budget
from napari_defectseg.inference.pieces import Part, Piece, pieces
from napari_defectseg.inference.recover import MemoryFull, lighter
from napari_defectseg.inference.region import Region
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.stores import Stores
from napari_defectseg.inference.worked import Worked
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.models.model import Model

VERSION = 1
BESIDE = 64 << 20
"""Bytes that are needed beside a pass, whatever its size."""
PLANNED = ("device", "threads", "memory")
"""What of a plan a run that goes on takes over where nothing else was asked for."""
WORDS = {
    "image": "another image",
    "model": "another model",
    "card": "another model card",
    "decode": "other thresholds or another smallest object",
    "predict": "other settings of the prediction",
    "scores": "another choice about keeping the scores",
    "pixel_size": "another pixel size",
}


@dataclass(frozen=True)
class LandSettings:
    """What becomes of the scores of a long run.

    Parameters
    ----------
    decode : DecodeSettings
        Thresholds that make classes of them.
    scores : bool
        Whether they are kept themselves.
    resume : bool
        Go on with a run that was stopped.
    image_sha256 : str
        Of the image, so that another one is noticed.
    """

    decode: DecodeSettings = field(default_factory=DecodeSettings)
    scores: bool = False
    resume: bool = False
    image_sha256: str = ""


@dataclass(frozen=True)
class Landed:
    """What a long run left on the disk.

    Parameters
    ----------
    job : Job
    stores : Stores
        Class values, scores of the chosen class, or all scores.
    plan : mapping
        What was resolved, see `Prediction.plan`.
    replaced : Replaced
        Pixels without a finite value.
    kept : int
        Tiles that were there from a run before.
    again : int
        Tiles that were there but did not agree with their checksum, and were computed again.
    seconds : float
    image_sha256 : str
    """

    job: Job
    stores: Stores
    plan: Mapping[str, Any]
    replaced: Replaced = field(default_factory=Replaced)
    kept: int = 0
    again: int = 0
    seconds: float = 0.0
    image_sha256: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that a person should read beside the result."""
        said = list(self.job.warnings)
        if self.replaced:
            said.append(self.replaced.sentence)
        return tuple(said)


def land_steps(
    model: Model, image: CalibratedImage, settings: PredictSettings, folder: Path,
    landing: LandSettings,
) -> Steps[Landed]:  # fmt: skip
    """Predict into a folder, class by class and block by block; one step a tile.

    What is in memory at a time is one tile. A run that is stopped, also by force, leaves its
    finished blocks; with ``landing.resume`` they are compared with their checksums, what does
    not agree and what is missing is computed, and the result is that of a run without a stop.

    Parameters
    ----------
    model : Model
        One that can be run alone (no several models).
    image : CalibratedImage
    settings : PredictSettings
    folder : Path
        Of this run alone; what an earlier run left there is replaced unless it is resumed.
    landing : LandSettings

    Raises
    ------
    RecipeError
        If the run to go on with was begun with another image, model or other settings.
    ImageError, ModelError, DeviceError
        As `predict` does; finished blocks stay.
    NotSaved
        If the disk is full; finished blocks stay.
    """
    started = time.perf_counter()
    yield Step(0, 0, "getting the model ready")
    known = Ledger.read(folder) if landing.resume else None
    if known is not None:
        settings = as_begun(settings, known.head)
    whole = settings.memory or default_budget()
    job = prepare(model, image, replace(settings, memory=for_a_pass(whole)))
    job = replace(job, settings=replace(settings, memory=whole))
    head = {**_head(job, landing), "memory": whole}
    if known is not None:
        _compare(known.head, head, folder)
        job = _replayed(job, known.head)
    while True:
        try:
            run = _Run(job, folder, landing, head, known)
            found = yield from run.steps()
            return replace(found, seconds=time.perf_counter() - started)
        except MemoryFull as error:
            job, known = lighter(job, error), None
            yield Step(0, job.total, job.warnings[-1])


def for_a_pass(memory: int) -> int:
    """Return what one pass may need of the memory of a run that goes block by block.

    The rest is for the block itself on its way in and out, for the sample of grey values and
    for what stores keep while they pack and unpack.
    """
    return max(memory // 3, (memory - BESIDE) // 2)


def as_begun(settings: PredictSettings, head: Mapping[str, Any]) -> PredictSettings:
    """Return settings with what was resolved before, where they leave it open."""
    usual, plan = asdict(PredictSettings()), dict(head.get("planned", {}))
    taken = {
        name: plan[name]
        for name in PLANNED
        if plan.get(name) is not None and getattr(settings, name) == usual[name]
    }
    return replace(settings, **taken)


class _Run:
    """One way through the tiles that are missing, with one plan."""

    def __init__(
        self,
        job: Job,
        folder: Path,
        landing: LandSettings,
        head: Mapping[str, Any],
        known: Ledger | None,
    ) -> None:
        self._job, self._folder, self._landing = job, folder, landing
        self._head, self._known = head, known
        self._replaced = Replaced()

    def steps(self) -> Steps[Landed]:
        """Compute what is missing; see `land_steps`."""
        job = self._job
        with engine_for(job, kept=job.budget if job.keeps else 0) as engine:
            plan = {**job.resolved(engine.name, engine.threads), "memory": self._head["memory"]}
            head = {**self._head, "plan": plan, "lighter": list(job.lighter)}
            head["planned"] = {name: plan.get(name) for name in PLANNED}
            with _writing(self._folder):
                if self._known is None:
                    ledger, stores = self._begin(head)
                else:
                    ledger, stores = self._known, Stores.open(self._folder)
                    _same_plan(ledger.head["plan"], plan, self._folder)
                with closing(ledger):
                    return (yield from self._fill(engine, ledger, stores, plan))

    def _begin(self, head: Mapping[str, Any]) -> tuple[Ledger, Stores]:
        # The ledger goes first and comes last: blocks that nobody vouches for do no harm.
        (self._folder / FILE).unlink(missing_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        all_scores = self._landing.scores or self._landing.decode.fill_holes
        stores = Stores.create(self._folder, self._job, scores=all_scores)
        return Ledger.create(self._folder, head), stores

    def _fill(
        self, engine: Engine, ledger: Ledger, stores: Stores, plan: Mapping[str, Any]
    ) -> Steps[Landed]:
        job = self._job
        good, wrong = set[int](), 0
        before = ledger.blocks
        if before:
            yield Step(0, job.total, "comparing finished blocks with their checksums")
            good = stores.agreeing(before)
            wrong = sum(entry.tiles for n, entry in before.items() if n not in good)
            for first in good:
                self._replaced += before[first].replaced
        kept = done = sum(before[first].tiles for first in good)
        worked = Worked(job)
        yield Step(done, job.total, "measuring grey values", share=worked.share(done))
        for first, stop in _missing(job.total, [before[n] for n in good]):
            number = first
            with closing(pieces(job, engine, first)) as run:
                for piece in run:
                    if piece.part is None:
                        share = worked.share(done + piece.ahead, piece.within)
                        yield Step(done + piece.ahead, job.total, piece.words, share=share)
                        continue
                    part = replace(piece.part, kept_in=self._folder)
                    self._land(part, number, piece, ledger, stores)
                    number, done = number + piece.tiles, done + piece.tiles
                    share = worked.share(done)
                    yield Step(done, job.total, piece.words, partial=part, share=share)
                    if number >= stop:
                        break
        sha256 = self._landing.image_sha256
        return Landed(job, stores, plan, self._replaced, kept, wrong, image_sha256=sha256)

    def _land(self, part: Part, number: int, piece: Piece, ledger: Ledger, stores: Stores) -> None:
        """Write a block and vouch for it."""
        digest = stores.put(part, self._landing.decode)
        ledger.add(Entry(number, piece.tiles, part.where[1:], digest, piece.replaced))
        self._replaced += piece.replaced


def _missing(total: int, blocks: list[Entry]) -> Iterator[tuple[int, int]]:
    """Yield runs of tiles that no block covers, as first and the one behind the last."""
    at = 0
    for entry in sorted(blocks, key=lambda one: one.first):
        if entry.first > at:
            yield at, entry.first
        at = max(at, entry.first + entry.tiles)
    if at < total:
        yield at, total


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except DefectSegError:
        raise
    except OSError as error:
        failed = not_saved(folder, error)
        failed.hint = "Free some space, then go on: finished blocks are kept."
        raise failed from error


def _head(job: Job, landing: LandSettings) -> dict[str, Any]:
    """Return what a run is, as plain JSON values; see `WORDS`."""
    card, image, settings = job.model.card, job.image, job.settings.as_dict()
    for name in (*PLANNED, "scores_path"):
        settings.pop(name)
    return {
        "version": VERSION,
        "image": {
            "name": image.name,
            "sha256": landing.image_sha256,
            "shape": list(image.shape),
            "axes": "".join(image.axes),
            "dtype": str(image.dtype),
        },
        "model": job.model.sha256,
        "card": card.model_dump(mode="json"),
        "decode": asdict(landing.decode),
        "predict": settings,
        "scores": landing.scores,
        "pixel_size": [list(image.calibration.spacing), image.calibration.unit],
    }


def _compare(begun: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    """Refuse to go on with a run of something else."""
    if begun.get("version") != VERSION:
        raise RecipeError(f"{folder} was begun by another version.", hint="Begin anew.")
    other = [words for name, words in WORDS.items() if begun.get(name) != now[name]]
    if other:
        raise RecipeError(
            f"{folder} was begun with {' and '.join(other)}; it was left as it is.",
            hint="Go on with what it was begun with, or begin anew.",
        )


def _same_plan(begun: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    names = [name for name in now if begun.get(name) != now[name]]
    if names:
        told = ", ".join(f"{name}: {begun.get(name)}, now {now[name]}" for name in names)
        raise RecipeError(
            f"{folder} was begun with another plan ({told}), which would give other bits; it was "
            "left as it is.",
            hint="Go on with the same device, threads and memory, or begin anew.",
        )


def _replayed(job: Job, head: Mapping[str, Any]) -> Job:
    """Return the job made lighter as often as it was before."""
    for sentence in head.get("lighter", ()):
        job = lighter(job, MemoryFull(str(sentence)))
    return job


def discard(folder: Path) -> None:
    """Take away what a run left."""
    shutil.rmtree(folder, ignore_errors=True)


def progress_of(folder: Path) -> tuple[int, int] | None:
    """Return how many tiles of a stopped run are finished and how many there are; None: no run.

    Blocks are not compared with their checksums.
    """
    try:
        known = Ledger.read(folder)
    except DefectSegError:
        return None
    return known.tiles, int(known.head.get("plan", {}).get("passes", 0))


def too_large(model: Model, image: CalibratedImage, settings: PredictSettings) -> bool:
    """Return whether the scores of an image are more than the memory that a run may take."""
    shape = image.label_shape
    if settings.region:
        shape = tuple(part.stop - part.start for part in Region.parse(settings.region).box(image))
    size = 4 * model.card.score_channels * int(np.prod(shape, dtype=np.int64))
    return size > (settings.memory or default_budget())
