"""`WorkerRunner`: a model in its own process, started anew when that process ends."""

from __future__ import annotations

import math
import queue
import threading
import time
from typing import NoReturn

import numpy as np

from napari_defectseg.core.errors import Cancelled, DefectSegError, ModelError
from napari_defectseg.models.arraymodel import Block, OutOfMemory, Program
from napari_defectseg.models.runtime import RUNTIMES
from napari_defectseg.models.worker import pipe
from napari_defectseg.models.worker.confine import sentence
from napari_defectseg.models.worker.limits import Limits
from napari_defectseg.models.worker.process import WorkerProcess
from napari_defectseg.models.worker.roots import import_places, readable_places

PATIENCE = 0.25
"""Seconds that a runtime has to end a pass by itself before its process is ended."""

ALONE = "It ran in a process of its own; nothing else was touched."
OUTSIDE = "It reached for something outside its process, which is not allowed."


def start_worker(
    program: Program, threads: int, limits: Limits | None = None, *, device: str = "cpu"
) -> WorkerRunner:
    """Return the model in a process of its own; the process starts with the first pass.

    Parameters
    ----------
    program : Program
    threads : int
        Of the processor.
    limits : Limits, optional
    device : str
        ``"cpu"``, ``"cuda:N"`` or ``"mps"``.
    """
    return WorkerRunner(program, threads, limits or Limits(), device=device)


class WorkerRunner:
    """A model that runs in a process of its own, see `Runner`.

    Parameters
    ----------
    program : Program
    threads : int
    limits : Limits
    device : str
    """

    def __init__(
        self, program: Program, threads: int, limits: Limits, *, device: str = "cpu"
    ) -> None:
        self._program = program
        self._threads = threads
        self._limits = limits
        self._device = device
        self._process: WorkerProcess | None = None
        self._confinement = ""
        self._stops = False
        self._turn = threading.Lock()
        self._state = threading.Condition()
        self._busy = False
        self._stopped = False

    @property
    def confinement(self) -> str:
        """What keeps the process from the rest of the machine; starts it if need be."""
        with self._turn:
            self._ready()
        return self._confinement

    @property
    def pid(self) -> int:
        """Number of the process, 0 while there is none."""
        return self._process.pid if self._process is not None and self._process.alive else 0

    def run(self, block: Block) -> Block:
        """Return what the model gives for one tile, see `Runner.run`."""
        with self._turn:
            self._begin()
            try:
                return self._pass(np.ascontiguousarray(block, np.float32))
            finally:
                self._done()

    def interrupt(self) -> None:
        """End the pass that runs in another thread, within half a second."""
        with self._state:
            if not self._busy or self._stopped:
                return
            self._stopped = True
            process = self._process
            if process is not None and self._stops:
                process.send({"do": "stop"})
                self._state.wait_for(lambda: not self._busy, PATIENCE)
            if self._busy and process is not None:
                process.wake()
                process.close()

    def close(self) -> None:
        """End the process; the next pass starts it anew."""
        self.interrupt()
        with self._turn:
            self._let_go()

    def _begin(self) -> None:
        with self._state:
            self._busy, self._stopped = True, False

    def _done(self) -> None:
        with self._state:
            self._busy = False
            self._state.notify_all()

    def _let_go(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def _ready(self) -> WorkerProcess:
        """Return the process with its model loaded."""
        if self._process is not None and self._process.alive:
            return self._process
        self._let_go()
        target = RUNTIMES.target(self._program.runtime)
        self._stops = False
        with self._state:
            if self._stopped:
                raise Cancelled("Stopped before the model was loaded.")
            self._process = WorkerProcess(
                import_places(target),
                self._threads,
                self._setup(target),
                self._limits.reply,
                graphics=self._device != "cpu",
            )
        try:
            message, _ = self._answer(self._process, self._limits.load_seconds, "be loaded")
        except DefectSegError:
            self._let_go()
            raise
        self._confinement = sentence(int(message["landlock"]), bool(message["calls"]))
        self._stops = bool(message["stops"])
        return self._process

    def _setup(self, target: str) -> dict[str, object]:
        return {
            "runtime": target,
            "file": str(self._program.file),
            "options": {**self._program.options, **self._where()},
            "threads": self._threads,
            "readable": readable_places(target, self._program.folder),
            "memory": self._limits.memory,
            "graphics": self._device != "cpu",
        }

    def _where(self) -> dict[str, str]:
        return {} if self._device == "cpu" else {"device": self._device}

    def _pass(self, block: Block) -> Block:
        process = self._ready()
        process.send_array(block.shape, block.data.cast("B"))
        message, raw = self._answer(process, self._limits.pass_seconds, "compute a tile")
        shape = self._shape(message, block.shape)
        count = 4 * math.prod(shape)
        given = process.array(count) if message.get("shared") else raw
        if given is None or len(given) != count:
            self._strange()
        process.make_room(count)
        return np.frombuffer(bytearray(given), np.float32).reshape(shape)

    def _shape(self, message: pipe.Message, asked: tuple[int, ...]) -> tuple[int, ...]:
        shape = message.get("shape")
        plain = isinstance(shape, list) and all(type(n) is int and n > 0 for n in shape)
        if not plain or not isinstance(shape, list) or len(shape) != len(asked):
            self._failed(f"gives {shape} for {list(asked)}")
        if 4 * math.prod(shape) > self._limits.reply:
            raise OutOfMemory(f"{self._program.title} gives too much at once for a tile.")
        if math.prod(shape[1:]) > math.prod(asked[1:]):
            self._failed(f"gives {shape} for {list(asked)}")
        return tuple(shape)

    def _answer(
        self, process: WorkerProcess, seconds: float, doing: str
    ) -> tuple[pipe.Message, bytes]:
        """Return the answer to what was asked; all that can go wrong becomes a sentence."""
        until = time.monotonic() + seconds
        try:
            reply = process.receive(max(0.0, until - time.monotonic()))
        except queue.Empty:
            self._let_go()
            self._failed(f"took longer than {seconds:g} s to {doing} and was ended")
        if self._stopped:
            if reply is None:
                self._let_go()
            raise Cancelled(f"Stopped while {self._program.title} was to {doing}.")
        if reply is None:
            self._ended(process, doing)
        error = reply[0].get("error")
        if isinstance(error, str):
            if reply[0].get("memory"):
                self._let_go()
                raise OutOfMemory(f"{self._program.title} has no memory left to {doing}.")
            self._failed(f"failed to {doing}: {error.rstrip('.')}", _hint(error))
        return reply

    def _ended(self, process: WorkerProcess, doing: str) -> NoReturn:
        how, short = process.how_it_ended(), process.killed_by_system()
        self._let_go()
        if short:
            raise OutOfMemory(
                f"The system ended {self._program.title} when it was to {doing}, as it does "
                "where memory is short."
            )
        self._failed(f"{how} when it was to {doing}")

    def _failed(self, how: str, hint: str = ALONE) -> NoReturn:
        raise ModelError(f"{self._program.title} {how}.", hint=hint)

    def _strange(self) -> NoReturn:
        self._let_go()
        self._failed("sent what makes no sense")


def _hint(error: str) -> str:
    denied = any(words in error for words in ("Permission denied", "not permitted"))
    return OUTSIDE if denied else ALONE
