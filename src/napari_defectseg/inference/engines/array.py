"""The engine of models that run in a process of their own."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from typing import Any

import numpy as np

from napari_defectseg.core.errors import ModelError
from napari_defectseg.inference.layers import Layers
from napari_defectseg.inference.recover import MemoryFull
from napari_defectseg.inference.reduce import probabilities
from napari_defectseg.inference.ways import Way, exact_way
from napari_defectseg.models.arraymodel import ArrayModel, OutOfMemory, Runner
from napari_defectseg.models.card import ModelCard

Array = np.ndarray[Any, Any]
LOOKS = 0.1
"""Seconds between two looks whether a pass is done: so long does stopping wait at most."""


class ArrayEngine:
    """A worker process that is ready to run.

    Parameters
    ----------
    runner : Runner
    card : ModelCard
    way : Way
        What computes it.
    threads : int
    """

    def __init__(self, runner: Runner, card: ModelCard, way: Way, threads: int) -> None:
        self.name = way.title
        self._runner = runner
        self._card = card
        self._threads = threads
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="model-in-its-process")
        self.layers = Layers()

    @property
    def threads(self) -> int:
        """Threads of the processor that it uses."""
        return self._threads

    def load(self) -> None:
        """Load the model now; what keeps it from loading is told here."""
        _ = self._runner.confinement

    def run(self, block: Array) -> Array:
        """Return the probabilities of one tile, see `ExactEngine.run`."""
        return self._scores(block)

    def run_batch(self, blocks: Array) -> Array:
        """Return the probabilities of several tiles, one after the other."""
        return np.stack([self._scores(block) for block in blocks])

    @property
    def members(self) -> int:
        """A file is one network, also where it holds several and averages them."""
        return 1

    def logits(self, blocks: Array, member: int | None = None) -> Array:
        """Return what the file gives for several tiles, see `ExactEngine.logits`."""
        return np.stack([self._found(block) for block in blocks])

    def activated(self, logits: Array) -> Array:
        """Return the probabilities of what the file gives, see `ExactEngine.activated`."""
        import torch

        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(logits, np.float32))[None]
            scores: Array = probabilities(x, self._card)[0].numpy()
        return scores

    def begin(self, block: Array) -> Generator[None, None, Array]:
        """Compute one tile; closing it ends the pass within half a second."""
        future: Future[Array] = self._pool.submit(self._scores, block)
        try:
            while True:
                try:
                    return future.result(LOOKS)
                except NotYet:
                    if future.done():  # the pass itself ended so
                        raise
                yield
        finally:
            # One that has not begun is only taken back; one that just begins is not busy yet, so
            # it is asked again.
            future.cancel()
            while not future.done():
                self._runner.interrupt()
                wait([future], LOOKS)

    def close(self) -> None:
        """Let go of the thread that waits for the process; the process stays with the model."""
        self._pool.shutdown(wait=True)

    def _scores(self, block: Array) -> Array:
        return self.activated(self._found(block))

    def _found(self, block: Array) -> Array:
        try:
            found = self._runner.run(np.ascontiguousarray(block, np.float32))
        except OutOfMemory as error:
            raise MemoryFull(error.sentence) from error
        wanted = (self._card.out_channels, *block.shape[1:])
        if found.shape != wanted:
            raise ModelError(
                f"{self._card.name} gave {found.shape} where its card promises {wanted}.",
                hint="The number of classes in the card may be wrong.",
            )
        return found


@contextmanager
def array_engine(
    model: ArrayModel, threads: int | None, device: str = "cpu", way: Way | None = None
) -> Iterator[ArrayEngine]:
    """Give the engine; the process stays started for the next run.

    Parameters
    ----------
    model : ArrayModel
    threads : int or None
        Threads of the processor; None: as torch would take.
    device : str
        As `devices.choose` names it.
    way : Way, optional
        Another runtime for the same file, or other numbers; its process ends with the block.

    Raises
    ------
    ModelError
        If the process cannot be started.
    """
    import torch

    threads = threads or torch.get_num_threads()
    own = way is None or way == exact_way(model)
    used = model if own or way is None else model.by(way.runtime, way.dtype)
    runner = used.start(threads, device)
    engine = ArrayEngine(runner, model.card, way or exact_way(model), threads)
    try:
        yield engine
    finally:
        engine.close()
        if used is not model:
            used.close()
