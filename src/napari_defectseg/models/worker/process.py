"""One worker process as the user's process sees it: started, spoken to, ended."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, BinaryIO, TypeAlias

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.worker import pipe
from napari_defectseg.models.worker.roots import LIBRARIES
from napari_defectseg.models.worker.shared import SharedBlock, can_share

Reply: TypeAlias = "tuple[pipe.Message, bytes] | None"
"""A message and its raw bytes; None: the process has ended, or sent what is no message."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
WINDOWS_FAULTS = (0xC0000005, 0xC00000FD, 0xC0000374)
SYSTEM = ("SYSTEMROOT", *LIBRARIES)
CARDS = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_HOME", "CUDA_PATH")
_START = """
import json, sys
own, *others = json.loads(sys.argv[1])
at = next((i for i, p in enumerate(sys.path) if p.endswith("-packages")), len(sys.path))
sys.path[at:at] = [own]
sys.path += [p for p in others if p not in sys.path]
from napari_defectseg.models.worker.child import main
main()
"""
"""This very copy of the program comes before one that is installed, after what Python brings."""


class WorkerProcess:
    """A started process.

    Parameters
    ----------
    places : list of str
        Folders that it imports from.
    threads : int
        Of the processor.
    setup : mapping
        The first message, see `child.main`.
    most : int
        Bytes of an answer that are taken.
    graphics : bool
        Whether it may know which graphics cards this process may use.

    Raises
    ------
    ModelError
        If no process can be started here.
    """

    def __init__(
        self,
        places: list[str],
        threads: int,
        setup: Mapping[str, Any],
        most: int,
        *,
        graphics: bool = False,
    ) -> None:
        self._replies: queue.Queue[Reply] = queue.Queue()
        self._block: SharedBlock | None = None
        self._wanted = 0
        self._channel: socket.socket | None = None
        theirs: socket.socket | None = None
        if can_share():
            self._channel, theirs = socket.socketpair()
        try:
            self._process = _started(places, threads, theirs, graphics=graphics)
            shared = None if theirs is None else theirs.fileno()
        finally:
            if theirs is not None:
                theirs.close()
        self._end = weakref.finalize(self, _kill, self._process)
        threading.Thread(
            target=_listen,
            args=(self._process.stdout, self._replies, most),
            daemon=True,
            name="answers of a model",
        ).start()
        self.send({**setup, "shared": shared})

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def send(self, message: Mapping[str, Any], raw: bytes | memoryview = b"") -> None:
        """Send a message; where the process has ended, `receive` tells."""
        stream = self._process.stdin
        if stream is not None:
            with suppress(OSError, ValueError):
                pipe.write(stream, message, raw)

    def send_array(self, shape: tuple[int, ...], raw: memoryview) -> None:
        """Ask for a pass over an array: through shared memory where there is any."""
        asked = {"do": "run", "shape": list(shape), "memory": 0}
        if self._channel is None:
            # In a thread of its own: a process that does not listen must not hold up this one.
            threading.Thread(target=self.send, args=(asked, raw), daemon=True).start()
            return
        if self._block is None or self._block.size < len(raw):
            self._take(len(raw))
            asked["memory"] = self._block.size if self._block else 0
        assert self._block is not None
        self._block.memory[: len(raw)] = raw
        self.send(asked)

    def array(self, count: int) -> bytes | None:
        """Return a copy of what the process left in shared memory, None if that is too short."""
        if self._block is None or count > self._block.size:
            return None
        return self._block.memory[:count]

    def make_room(self, count: int) -> None:
        """Take that much shared memory with the next block."""
        self._wanted = count

    def receive(self, seconds: float) -> Reply:
        """Return its next answer.

        Raises
        ------
        queue.Empty
            If there is none in that time.
        """
        return self._replies.get(timeout=seconds)

    def wake(self) -> None:
        """Make a `receive` that waits return None."""
        self._replies.put(None)

    def how_it_ended(self) -> str:
        """Return how it ended, as half a sentence."""
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return "sent what makes no sense"
        if code in WINDOWS_FAULTS:
            return "crashed (it touched memory that is not its own)"
        if code >= 0:
            return f"ended by itself (status {code})"
        known = {signal.SIGSEGV: "crashed (it touched memory that is not its own)"}
        if sys.platform != "win32":
            known[signal.SIGKILL] = "was ended by the system"
        name = signal.Signals(-code).name if -code in {*signal.Signals} else str(-code)
        return known.get(signal.Signals(-code), f"crashed ({name})")

    def killed_by_system(self) -> bool:
        """Return whether the system ended it, as it does where memory is short."""
        return sys.platform != "win32" and self._process.poll() == -signal.SIGKILL

    def close(self) -> None:
        """End it, and let go of the memory."""
        self._end()
        if self._channel is not None:
            self._channel.close()
        if self._block is not None:
            self._block.close()
            self._block = None
        self._channel = None

    def _take(self, count: int) -> None:
        """Make a new block of memory and hand it over."""
        if self._block is not None:
            self._block.close()
        self._block = SharedBlock(max(count, self._wanted))
        assert self._channel is not None
        with suppress(OSError):
            socket.send_fds(self._channel, [b"m"], [self._block.descriptor])


def _started(
    places: list[str], threads: int, channel: socket.socket | None, *, graphics: bool
) -> subprocess.Popen[bytes]:
    wanted = (*SYSTEM, *CARDS) if graphics else SYSTEM
    kept = {name: os.environ[name] for name in wanted if name in os.environ}
    windows = sys.platform == "win32"  # where 0x08000000 means: no black window
    environment = {
        **kept,
        **dict.fromkeys(THREADS, str(threads)),
        "OMP_WAIT_POLICY": "PASSIVE",
        "TORCHINDUCTOR_CACHE_DIR": sys.prefix,  # it is there: torch need not, and may not, make it
    }
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-B", "-X", "utf8", "-c", _START, json.dumps(places)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=sys.prefix,
            pass_fds=() if channel is None else (channel.fileno(),),
            start_new_session=not windows,
            creationflags=0x08000000 if windows else 0,
        )
    except (OSError, ValueError) as error:
        raise ModelError(f"No process can be started for the model: {error}.") from error


def _listen(stream: BinaryIO, replies: queue.Queue[Reply], most: int) -> None:
    with stream:
        while True:
            try:
                reply = pipe.read(stream, most)
            except (pipe.BadMessage, OSError, ValueError, MemoryError):
                reply = None
            replies.put(reply)
            if reply is None:
                return


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started."""
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
