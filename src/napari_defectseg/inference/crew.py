"""`Crew`: several devices that share the tiles of one run, one thread a device."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from napari_defectseg.core.errors import Cancelled
from napari_defectseg.inference.job import Job

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from napari_defectseg.inference.engine import Engine, Pass
    from napari_defectseg.inference.layers import Layers

T = TypeVar("T")
Array = np.ndarray[Any, Any]
LOOKS = 0.1
"""Seconds between two looks whether a tile is done: so long does stopping wait at most."""
Taken: TypeAlias = "tuple[Array, Future[Array]] | None"


class Crew:
    """Several engines for the same network; whichever is free takes the next tile.

    What a tile gives does not depend on who computes it, as far as the devices compute alike:
    two processors of one kind give the same bits.

    Parameters
    ----------
    engines : sequence of Engine
    queue : SimpleQueue
        What waits to be taken.
    """

    def __init__(self, engines: Sequence[Engine], queue: SimpleQueue[Taken]) -> None:
        self.name = engines[0].name
        self._engines, self._queue = tuple(engines), queue

    @property
    def lanes(self) -> int:
        """How many tiles are computed at once."""
        return len(self._engines)

    @property
    def threads(self) -> int:
        """Threads of the processor that each of them uses."""
        return self._engines[0].threads

    @property
    def layers(self) -> Layers:
        """When the layers of a pass begin."""
        return self._engines[0].layers

    @property
    def members(self) -> int:
        """Networks of an ensemble that can be asked one by one."""
        return self._engines[0].members

    def submit(self, block: Array) -> Future[Array]:
        """Let somebody compute the scores of a tile, and return where they will be."""
        future: Future[Array] = Future()
        self._queue.put((block, future))
        return future

    def run(self, block: Array) -> Array:
        """Return the scores of one tile, see `ExactEngine.run`."""
        return self.submit(block).result()

    def begin(self, block: Array) -> Pass:
        """Compute one tile; closing it leaves the tile to its device."""
        future = self.submit(block)
        while not wait([future], LOOKS).done:
            yield None
        return future.result()

    def run_batch(self, blocks: Array) -> Array:
        """Return the scores of several tiles that go through one device together."""
        return self._engines[0].run_batch(blocks)

    def logits(self, blocks: Array, member: int | None = None) -> Array:
        """Return several tiles before the activation, from one device."""
        return self._engines[0].logits(blocks, member)

    def activated(self, logits: Array) -> Array:
        """Return the scores of logits."""
        return self._engines[0].activated(logits)


def abreast(crew: Crew, blocks: Iterator[tuple[T, Array]]) -> Iterator[tuple[T, Array | None, int]]:
    """Compute blocks side by side; what they are called comes back with their scores, in order.

    Parameters
    ----------
    crew : Crew
    blocks : iterator of (T, ndarray)
        Read as they are needed: one more than there are devices.

    Yields
    ------
    T
    ndarray or None
        Scores; None now and then while this block is waited for.
    int
        How many of the blocks behind it are done.

    Raises
    ------
    Exception
        What any of the blocks under way raised, at once; the others are not waited for.
    """
    waiting: deque[tuple[T, Future[Array]]] = deque()
    ended = False
    while waiting or not ended:
        while not ended and len(waiting) <= crew.lanes:  # one more waits, so that nobody is idle
            following = next(blocks, None)
            ended = following is None
            if following is not None:
                waiting.append((following[0], crew.submit(following[1])))
        if waiting:
            yield from _first_of(waiting)


def _first_of(
    waiting: deque[tuple[T, Future[Array]]],
) -> Iterator[tuple[T, Array | None, int]]:
    word, future = waiting.popleft()
    while not wait([future], LOOKS).done:
        done = [one for _, one in waiting if one.done()]
        for one in done:
            one.result()
        yield word, None, len(done)
    yield word, future.result(), 0


@contextmanager
def crew_for(job: Job, one: Callable[[Job], AbstractContextManager[Engine]]) -> Iterator[Crew]:
    """Give an engine that lets all devices of a job compute side by side.

    Parameters
    ----------
    job : Job
    one : callable
        Gives the engine of a job with a single device.
    """
    stopped, queue = threading.Event(), SimpleQueue[Taken]()
    with ExitStack() as stack:
        # All are made and left by this thread, in turn: some of their settings are the process's.
        engines = [
            stack.enter_context(one(replace(job, device=device, others=())))
            for device in (job.device, *job.others)
        ]
        threads = [
            threading.Thread(
                target=_work,
                args=(engine, queue, stopped, job.settings.threads),
                name=f"tiles-{number}",
            )
            for number, engine in enumerate(engines)
        ]
        stack.callback(_end, threads, queue, stopped)
        for thread in threads:
            thread.start()
        yield Crew(engines, queue)


def _end(
    threads: list[threading.Thread], queue: SimpleQueue[Taken], stopped: threading.Event
) -> None:
    stopped.set()
    for _ in threads:
        queue.put(None)
    for thread in threads:
        if thread.ident is not None:
            thread.join()


def _work(
    engine: Engine, queue: SimpleQueue[Taken], stopped: threading.Event, count: int | None
) -> None:
    """Compute what is in the queue, until there comes nothing more; runs in a thread of its own."""
    if count is not None:
        import torch

        torch.set_num_threads(count)  # each thread has its own
    while (taken := queue.get()) is not None:
        block, future = taken
        try:
            future.set_result(_computed(engine, block, stopped))
        except BaseException as error:  # whoever waits for it is told
            future.set_exception(error)


def _computed(engine: Engine, block: Array, stopped: threading.Event) -> Array:
    passing = engine.begin(block)
    try:
        while True:
            if stopped.is_set():
                raise Cancelled("Nobody waits for this tile any more.")
            try:
                next(passing)
            except StopIteration as end:
                scores: Array = end.value
                return scores
    finally:
        passing.close()
