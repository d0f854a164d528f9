"""What a worker of a cluster does: whole images, or tiles of one; runs in its process alone."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from distributed import Worker, WorkerPlugin, get_worker

from napari_defectseg.batch.analyse import AnalyseSettings, open_recipe_model
from napari_defectseg.batch.folder import Outcome, outcome_steps
from napari_defectseg.core.errors import DeviceError
from napari_defectseg.core.progress import drive
from napari_defectseg.inference.shared import own_threads
from napari_defectseg.models.several import members_of
from napari_defectseg.results.recipe import Recipe

if TYPE_CHECKING:
    from napari_defectseg.inference.engine import Engine
    from napari_defectseg.inference.job import Job
    from napari_defectseg.models.arraymodel import OpenedModel
    from napari_defectseg.models.model import Model

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class About:
    """What a worker says of itself.

    Parameters
    ----------
    version : str
        Of this program.
    device : str
        What it computes on.
    engine : str
        What runs the network; empty where none was made ready.
    threads : int
        Of the processor that it uses.
    """

    version: str
    device: str
    engine: str = ""
    threads: int = 1


class Bench(WorkerPlugin):  # type: ignore[misc]
    """The model of a run, opened once by each worker; a worker that starts anew has it, too.

    Parameters
    ----------
    recipe : Recipe
    name : str
        Of this run.
    """

    def __init__(self, recipe: Recipe, name: str) -> None:
        self.name = name
        self._recipe = recipe.as_dict()

    def setup(self, worker: Worker) -> None:
        """Get ready for tasks; the model is opened with the first."""
        self._lock = threading.Lock()
        self._model: Model | None = None
        self._threads = int(worker.state.nthreads)

    def teardown(self, worker: Worker) -> None:
        """Let go of the model."""
        if self._model is not None:
            self._model.close()
            self._model = None

    @property
    def recipe(self) -> Recipe:
        """How the run analyses."""
        return Recipe.from_dict(self._recipe, "the recipe of this run")

    @contextmanager
    def working(self, threads: int | None) -> Iterator[Model]:
        """Give the model to one task after the other, with the threads of this worker."""
        with self._lock, own_threads(threads or self._threads):
            if self._model is None:
                self._model = open_recipe_model(self.recipe)
            yield self._model


class TileBench(Bench):
    """The engine of a run over one image, made ready once by each worker.

    Parameters
    ----------
    recipe : Recipe
    name : str
    job : Job
        What the engine has to know; without image and model.
    member : int
        Which of the recipe's models it is, see `members_of`.
    kept : int
        Bytes that the process may keep between tiles.
    """

    def __init__(self, recipe: Recipe, name: str, job: Job, member: int, kept: int) -> None:
        super().__init__(recipe, name)
        self._job = replace(job, model=None, image=None, layout=None)  # type: ignore[arg-type]
        self._card, self._member, self._kept = job.model.card, member, kept

    def setup(self, worker: Worker) -> None:
        """Get ready for tasks; the engine is made with the first."""
        super().setup(worker)
        self._engine: Engine | None = None
        self._stack = ExitStack()

    def teardown(self, worker: Worker) -> None:
        """Let go of the engine."""
        with self._lock:
            self._engine = None
            self._stack.close()
        super().teardown(worker)

    @property
    def device(self) -> str:
        """The device that is asked for."""
        return self._job.settings.device

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Give the engine to one task after the other."""
        with self.working(self._job.settings.threads) as model:
            if self._engine is None:
                self._engine = self._made(model)
            yield self._engine

    def _made(self, model: Model) -> Engine:
        from napari_defectseg.inference.devices import choose
        from napari_defectseg.inference.engine import engine_for

        one = cast("OpenedModel", members_of(model)[self._member].with_card(self._card))
        device = choose(self.device)
        job = replace(self._job, model=one, device=device, others=())
        return self._stack.enter_context(engine_for(job, kept=self._kept))


def analyse_there(
    bench: str, image: str, out: str, settings: AnalyseSettings, goes_on: bool
) -> Outcome:
    """Analyse an image into the result folder, in a worker.

    Parameters
    ----------
    bench : str
        Name of the run's `Bench`.
    image, out : str
        Absolute paths.
    settings : AnalyseSettings
    goes_on : bool
        Whether an image larger than the memory goes on where a worker that died has left it. A
        whole result that such a one has left, without a word of it, is made again.
    """
    own = get_worker().plugins[bench]
    recipe, stem = own.recipe, settings.stem
    whole = (Path(out) / stem / "summary.json").is_file()
    settings = replace(settings, resume=settings.resume or (goes_on and not whole))
    threads = recipe.predict.get("threads")
    with own.working(threads if isinstance(threads, int) else None) as model:
        steps = outcome_steps(image, recipe, Path(out), settings, model=model, title=stem)
        return drive(steps)


def tile_there(bench: str, block: Array) -> Array:
    """Compute the scores of a tile, in a worker."""
    with get_worker().plugins[bench].engine() as engine:
        scores: Array = engine.run(block)
    return scores


def about(device: str) -> About:
    """Say what this worker is.

    Raises
    ------
    DeviceError
        If it has not the device that is asked for.
    """
    from napari_defectseg import __version__
    from napari_defectseg.inference.devices import choose

    return About(__version__, choose(device).name)


def about_engine(bench: str, dask_worker: Worker) -> About:
    """Make the engine ready, and say what it is."""
    if bench not in dask_worker.plugins:
        raise DeviceError(f"The worker {os.getpid()} has not been told what to do.")
    own = dask_worker.plugins[bench]
    with own.engine() as engine:
        return replace(about(own.device), engine=engine.name, threads=engine.threads)
