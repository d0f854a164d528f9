"""`Passing`: one pass after the other in a thread of its own, which can be ended at any layer.

torch itself cannot be stopped in a pass, and a large image may be one single pass. So the layers
are hooked: before each of them the pass looks whether anybody still wants it.

In the main thread of a program a pass stays where it is: there the C library keeps the memory of
large layers (in any other thread it maps it anew each time), and Ctrl-C ends it at the next layer
by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as NotYet
from typing import Any

import numpy as np
import torch

from napari_defectseg.inference.layers import Layers, hooked
from napari_defectseg.inference.waiting import LOOKS, WaitingLine

Array = np.ndarray[Any, Any]
AWAY = 0.5
"""Seconds without being asked for after which a pass rests at its next layer: it is paused."""


class _Ended(Exception):
    """Nobody wants the pass any more."""


class Passing:
    """Runs passes of one network.

    Parameters
    ----------
    network : torch.nn.Module or callable
    line : WaitingLine
        In front of the device.
    threads : int
        Threads of the processor that a pass uses.

    Attributes
    ----------
    layers : Layers
        As they were measured last.
    """

    def __init__(self, network: Callable[..., Any], line: WaitingLine, threads: int) -> None:
        self._network, self._line = network, line
        self.layers = Layers()
        # The number of threads belongs to the thread that asks torch.
        self._pool = ThreadPoolExecutor(
            1, "prediction", initializer=torch.set_num_threads, initargs=(threads,)
        )

    def begin(self, compute: Callable[[], Array]) -> Generator[float, None, Array]:
        """Compute a pass as `run` does; one that is asked for by the main thread, at once in it."""
        if threading.current_thread() is not threading.main_thread():
            return (yield from self.run(compute))
        return _Pass(self._line, self.layers, rests=False).run(self._network, compute)

    def run(self, compute: Callable[[], Array]) -> Generator[float, None, Array]:
        """Compute a pass; yields the share of it that is done, again and again.

        It goes on only while it is asked for: paused for longer than `AWAY` it rests at a layer
        and gives its turn to others. Closing it ends it at the next layer.

        Parameters
        ----------
        compute : callable
            Runs the network once and returns what came of it.
        """
        one = _Pass(self._line, self.layers)
        future: Future[Array] = self._pool.submit(one.run, self._network, compute)
        try:
            while True:
                one.ask()
                try:
                    return future.result(LOOKS)
                except NotYet:
                    if future.done():  # the pass itself ended so
                        raise
                yield one.share
        finally:
            one.end()
            future.cancel()
            wait([future])

    def close(self) -> None:
        """Let go of the thread."""
        self._pool.shutdown(wait=True)


class _Pass:
    """One pass: `run` in the pass's thread, the rest in that of whoever wants it."""

    def __init__(self, line: WaitingLine, layers: Layers, *, rests: bool = True) -> None:
        self._line, self._layers, self._rests = line, layers, rests
        self._ended = threading.Event()
        self._asked = threading.Event()
        self._last = time.monotonic()
        self._starts: list[float] = []
        self._rested = 0.0

    @property
    def share(self) -> float:
        """Share of the pass that is done."""
        return self._layers.share(len(self._starts))

    def ask(self) -> None:
        """Say that the pass is still wanted."""
        self._last = time.monotonic()
        self._asked.set()

    def end(self) -> None:
        """Let it end at its next layer."""
        self._ended.set()
        self._asked.set()

    def run(self, network: Callable[..., Any], compute: Callable[[], Array]) -> Array:
        """Compute it when its turn has come."""
        if not self._line.take(self._ended.is_set):
            raise _Ended
        self._holds = True
        self._thread = threading.get_ident()
        try:
            began = time.perf_counter()
            with hooked(network, self._begins):
                found = compute()
            self._layers.learn(self._starts, began, time.perf_counter() - self._rested)
            return found
        finally:
            if self._holds:
                self._line.give()

    def _begins(self) -> None:
        """Do what is to be done before a layer."""
        if threading.get_ident() != self._thread:
            return  # another pass of the same network, while this one rests
        if self._rests and not self._ended.is_set() and time.monotonic() - self._last > AWAY:
            self._rest()
        if self._ended.is_set():
            raise _Ended
        self._starts.append(time.perf_counter() - self._rested)

    def _rest(self) -> None:
        """Wait until it is asked for again; somebody else may use the device meanwhile."""
        began = time.perf_counter()
        self._asked.clear()
        self._line.give()
        self._holds = False
        if not self._ended.is_set():  # looked at after the flag was cleared: `end` sets it last
            self._asked.wait()
        self._holds = self._line.take(self._ended.is_set)
        self._rested += time.perf_counter() - began
