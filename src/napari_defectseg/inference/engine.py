"""`Engine`: what computes a tile; which one a model needs."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeAlias

import numpy as np

from napari_defectseg.inference.crew import crew_for
from napari_defectseg.inference.flips import TurnedEngine
from napari_defectseg.inference.job import Job
from napari_defectseg.inference.layers import Layers
from napari_defectseg.inference.shared import SharedModel
from napari_defectseg.inference.ways import EXACT
from napari_defectseg.models.arraymodel import ArrayModel
from napari_defectseg.models.model import Model, TorchModel
from napari_defectseg.models.several import members_of

Array = np.ndarray[Any, Any]
Pass: TypeAlias = Generator[float | None, None, Array]
"""One pass: it yields the share that is done (None: not known) now and then while it waits, and
returns the scores; closing it ends it."""


class Engine(Protocol):
    """A network ready to run."""

    name: str

    @property
    def threads(self) -> int:
        """Threads of the processor that it uses."""

    @property
    def layers(self) -> Layers:
        """When the layers of a pass begin; not known where it runs in another process."""

    def run(self, block: Array) -> Array:
        """Return the scores ``(score_channels, *spatial)`` of ``(in_channels, *spatial)``."""

    def run_batch(self, blocks: Array) -> Array:
        """Return the scores of several tiles that go through together."""

    @property
    def members(self) -> int:
        """Networks of an ensemble that can be asked one by one, 1 for a single one."""

    def logits(self, blocks: Array, member: int | None = None) -> Array:
        """Return several tiles before the activation, of one network or the mean of all."""

    def activated(self, logits: Array) -> Array:
        """Return the scores ``(score_channels, *spatial)`` of logits."""

    def begin(self, block: Array) -> Pass:
        """Compute one tile as `run` does, in a way that can be ended before it is done."""


@contextmanager
def engine_for(job: Job, *, kept: int = 0) -> Iterator[Engine]:
    """Give the engine for a job: its network, in every turn and on every device.

    Parameters
    ----------
    job : Job
    kept : int
        Bytes that the process may keep between layers and tiles, 0: none.
    """
    if isinstance(job.model, SharedModel):
        with job.model.team(job, kept) as crew:
            yield crew
        return
    if job.others:
        with crew_for(job, lambda one: engine_for(one, kept=kept)) as crew:
            yield crew
        return
    with _plain_engine(job, kept) as engine:
        yield TurnedEngine(engine, job.turns) if len(job.turns) > 1 else engine


def _plain_engine(job: Job, kept: int) -> AbstractContextManager[Engine]:
    threads, way = job.settings.threads, job.way
    if isinstance(job.model, ArrayModel):
        from napari_defectseg.inference.engines.array import array_engine

        return array_engine(job.model, threads, job.device.name, way)
    if way.runtime == "openvino":
        from napari_defectseg.inference.engines.openvino import openvino_engine

        return openvino_engine(job.model, threads, way)
    if way != EXACT:
        from napari_defectseg.inference.engines.fast import fast_engine

        return fast_engine(job.model, job.device.name, threads, kept=kept, way=way)
    from napari_defectseg.inference.engines.exact import exact_engine

    return exact_engine(job.model, job.device.name, threads, kept=kept)


def check_loads(model: Model, threads: int | None = None) -> None:
    """Load every network once, so that one that cannot run fails before the first image.

    Parameters
    ----------
    model : Model
    threads : int, optional
        Threads of the processor, for models that run in a process of their own.

    Raises
    ------
    ModelError
        If weights do not fit the network that a card names, or a program does not load.
    """
    for one in members_of(model):
        if isinstance(one, TorchModel):
            one.network()
        elif isinstance(one, ArrayModel):
            from napari_defectseg.inference.engines.array import array_engine

            with array_engine(one, threads) as engine:
                engine.load()
