"""A folder that an instrument writes into: each frame is predicted and measured as it arrives."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_defectseg.batch.analyse import (
    AnalyseSettings,
    analyse_steps,
    open_recipe_model,
    settled,
)
from napari_defectseg.batch.arrivals import Arrivals, Arrived
from napari_defectseg.batch.folder import refuse_mixture
from napari_defectseg.batch.frames import Frame, FrameTable
from napari_defectseg.core.atomic import not_saved
from napari_defectseg.core.errors import (
    AlreadyExists,
    Cancelled,
    DefectSegError,
    FileMissing,
    ImageError,
    NotSaved,
)
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.images.parts import PartNeeded
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.folder import EDITS
from napari_defectseg.results.naming import stem_of
from napari_defectseg.results.recipe import Recipe

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model

LOCK = ".watch.lock"


@dataclass(frozen=True)
class WatchSettings:
    """How a folder is watched.

    Parameters
    ----------
    pattern : str
        Of the frames' names, for example ``"scan_*.tif"``; empty: every image.
    settle : float
        Seconds without a change until a file is taken to be whole.
    patience : float
        Seconds for which a frame that is missing in between, or cannot be read, is waited for
        before those behind it go on.
    poll : float
        Seconds between two looks into the folder.
    until_idle : float or None
        Seconds without anything new after which watching ends; None: it goes on.
    frames : int or None
        Number of frames in the table at which watching ends; None: it goes on.
    """

    pattern: str = ""
    settle: float = 0.5
    patience: float = 5.0
    poll: float = 0.2
    until_idle: float | None = None
    frames: int | None = None


def watch(
    folder: str | Path,
    recipe: Recipe,
    out: str | Path,
    settings: WatchSettings | None = None,
    analyse: AnalyseSettings | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Frame, ...]:
    """Deal with the frames of a folder as they arrive; see `watch_steps`."""
    return drive(watch_steps(folder, recipe, out, settings, analyse), on_step, cancelled)


def watch_steps(
    folder: str | Path,
    recipe: Recipe,
    out: str | Path,
    settings: WatchSettings | None = None,
    analyse: AnalyseSettings | None = None,
    *,
    model: Model | None = None,
) -> Steps[tuple[Frame, ...]]:
    """Predict, measure and write each frame that is written into a folder, in order, none lost.

    Each frame gets a folder in `out` as `analyse` leaves it, and a row in ``frames.csv``, which
    grows while the work goes on. A frame that fails is named there, and the others go on; it is
    tried again when it is written anew, or with the next start. A start into the same folder goes
    on where the last one stopped. The step that ends a frame carries its `Frame` as `partial`;
    closing the generator keeps what is finished.

    Parameters
    ----------
    folder : path
        Where the frames arrive; folders in it are not looked into.
    recipe : Recipe
        Its report is not written: nobody knows when the last frame has come.
    out : path
        The result folder.
    settings : WatchSettings, optional
    analyse : AnalyseSettings, optional
        Its `stem` is not used; frames larger than the memory always go on where they stopped.
    model : Model, optional
        The recipe's model where it is open already.

    Returns
    -------
    tuple of Frame
        All frames of the table, in the order of their names.

    Raises
    ------
    FileMissing
        If the folder is not there (any more).
    ModelError, RecipeError
        If the model cannot be opened, or is not the recipe's.
    AlreadyExists
        If `out` holds results of another recipe.
    NotSaved
        If the disk is full or read-only; what is finished is kept.
    """
    settings, analyse = settings or WatchSettings(), analyse or AnalyseSettings()
    folder, out = Path(folder), Path(out)
    if not folder.is_dir():
        raise FileMissing(f"{folder} is no folder to watch.", hint="Check the name.")
    yield Step(0, 0, "opening the model")
    model = model or open_recipe_model(recipe)
    recipe = settled(recipe, model)
    refuse_mixture(out, recipe, analyse.overwrite)
    with _alone(out):
        table = FrameTable(out, model.card.classes.names)
        arrivals = Arrivals(
            folder, settings.pattern, settle=settings.settle, patience=settings.patience
        )
        arrivals.know(table.done)
        work = _Work(recipe, out, analyse, model, table)
        try:
            yield from _loop(arrivals, work, settings)
        finally:
            table.tidy()
    return table.frames


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep a second program from watching into the same results."""
    from filelock import FileLock, Timeout

    lock = FileLock(out / LOCK)
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AlreadyExists(
            f"Another program watches a folder and writes into {out}.",
            hint="Stop it, or choose another folder for the results.",
        ) from error
    except OSError as error:
        raise not_saved(out, error) from error
    try:
        yield
    finally:
        lock.release()


def _loop(arrivals: Arrivals, work: _Work, settings: WatchSettings) -> Generator[Step, None, None]:
    """Look and work in turn until it is enough."""
    busy = time.monotonic()
    while settings.frames is None or len(work.table) < settings.frames:
        changed = arrivals.look()
        arrived = arrivals.next()
        if arrived is not None:
            yield from _one(arrivals, arrived, work)
        elif not changed:
            yield Step(len(work.table), 0, _waiting_words(arrivals))
            time.sleep(settings.poll)
        now = time.monotonic()
        if changed or arrived is not None or arrivals.waiting:
            busy = now
        if settings.until_idle is not None and now - busy >= settings.until_idle:
            return


def _waiting_words(arrivals: Arrivals) -> str:
    count = arrivals.waiting
    if not count:
        return "waiting for frames"
    return f"waiting until {count} file{'s' * (count != 1)} can be read in order"


def _one(arrivals: Arrivals, arrived: Arrived, work: _Work) -> Generator[Step, None, None]:
    """Deal with one file; it stays among those that wait if it cannot be read yet."""
    try:
        image = _read(arrived.path)
    except FileMissing:
        arrivals.look()  # it was taken away or renamed, and comes under its new name
        return
    except (ImageError, MemoryError) as error:
        unfinished = isinstance(error, ImageError) and not isinstance(error, PartNeeded)
        if unfinished and arrivals.not_yet(arrived):
            return
        frame = work.failed(arrived, error)
    else:
        frame = yield from work.steps(arrived, image, arrivals.waiting)
    late = arrivals.is_late(arrived)
    arrivals.done(arrived, failed=bool(frame.problem))
    lag = time.monotonic() - arrived.since
    frame = replace(frame, lag=lag, late=late, waiting=arrivals.waiting)
    work.table.append(replace(frame, analysis=None))
    done, total = len(work.table), len(work.table) + arrivals.waiting
    yield Step(done, total, f"{frame.image}, {_lag_words(frame)}", partial=frame)


def _lag_words(frame: Frame) -> str:
    waits = f", {frame.waiting} wait" if frame.waiting else ""
    return f"{frame.lag:.1f} s after it was written{waits}"


def _read(path: Path) -> CalibratedImage:
    """Open a file and look at its end, so that one that is not whole is found out now."""
    image = open_image(path)
    np.asarray(image.data[tuple(-1 for _ in image.shape)])
    return image


@dataclass
class _Work:
    """What is done with every frame."""

    recipe: Recipe
    out: Path
    analyse: AnalyseSettings
    model: Model
    table: FrameTable

    def steps(self, arrived: Arrived, image: CalibratedImage, waiting: int) -> Steps[Frame]:
        """Analyse a frame; what keeps it from that is in its `problem`."""
        began = time.monotonic()
        folder = self._folder(arrived)
        again = self.analyse.overwrite or _is_ours(self.out / folder, arrived.path)
        settings = replace(self.analyse, stem=folder, overwrite=again, resume=True)
        steps = analyse_steps(image, self.recipe, self.out, settings, model=self.model)
        try:
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    analysis: Analysis = end.value
                    break
                text = f"{arrived.path.name}: {step.text}"
                yield Step(len(self.table), len(self.table) + waiting, text)
        except (Cancelled, NotSaved):
            raise
        except (DefectSegError, MemoryError) as error:
            return self.failed(arrived, error, time.monotonic() - began)
        finally:
            steps.close()
        numbers = analysis.summary.classes
        found = {name: one["fraction"].value for name, one in numbers.items()}
        return Frame(
            arrived.path.name,
            folder,
            arrived.signature,
            {name: int(one["objects"].value or 0) for name, one in numbers.items()},
            {name: share for name, share in found.items() if share is not None},
            seconds=time.monotonic() - began,
            analysis=analysis,
        )

    def failed(self, arrived: Arrived, error: Exception, seconds: float = 0.0) -> Frame:
        """Return a frame that could not be dealt with."""
        name = arrived.path.name
        problem = str(error) if isinstance(error, DefectSegError) else ""
        problem = problem or f"There is not enough memory for {name}."
        folder = self._folder(arrived)
        return Frame(name, folder, arrived.signature, seconds=seconds, problem=problem)

    def _folder(self, arrived: Arrived) -> str:
        return self.table.folder_of(arrived.path.name, stem_of(arrived.path))


def _is_ours(place: Path, image: Path) -> bool:
    """Return whether a result is one of this very file.

    That is one that was written anew since, or was done just when the program was killed.
    """
    try:
        known = json.loads((place / "summary.json").read_text(encoding="utf-8"))
        path = known["image"]["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return Path(path) == image.resolve() and not (place / EDITS).exists()
