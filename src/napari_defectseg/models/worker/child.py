"""What runs in the worker process: it confines itself, loads the model, and answers.

Until it is confined it imports nothing but the standard library.
"""

from __future__ import annotations

import os
import queue
import sys
import tempfile
import threading
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from napari_defectseg.models.worker import pipe
from napari_defectseg.models.worker.confine import confine

LONGEST = 1 << 40
_OUT_OF_MEMORY = ("can't allocate memory", "bad_alloc", "bad allocation", "out of memory",
                  "failed to allocate", "cannot allocate")  # fmt: skip


def main() -> None:
    """Answer until the parent ends."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _turn_away()
    first = pipe.read(incoming, 0)
    if first is None:
        return
    setup, _ = first
    try:
        landlock, calls = confine(setup["readable"], setup["memory"], graphics=setup["graphics"])
        if landlock:  # else Python looks for a place where it may write, and finds none
            tempfile.tempdir = sys.prefix
        model = _load(setup)
    # Whatever a file makes its framework raise is told, and the process ends.
    except BaseException as error:
        pipe.write(outgoing, {"error": _words(error), "memory": _is_memory(error)})
        os._exit(1)
    stops = callable(getattr(model, "interrupt", None))
    pipe.write(outgoing, {"ready": True, "landlock": landlock, "calls": calls, "stops": stops})
    _Answering(model, incoming, outgoing, setup["shared"]).serve()


def _turn_away() -> None:
    """Let what the model prints or reads go nowhere: the pipe is ours."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)


def _load(setup: dict[str, Any]) -> Any:
    module, _, attribute = setup["runtime"].partition(":")
    runtime: Any = import_module(module)
    runtime = getattr(runtime, attribute) if attribute else runtime
    return runtime.load(Path(setup["file"]), setup["options"], setup["threads"])


class _Answering:
    """One model and its pipe.

    Parameters
    ----------
    model : Loaded
    incoming, outgoing : BinaryIO
    shared : int or None
        Descriptor over which shared memory comes.
    """

    def __init__(
        self, model: Any, incoming: BinaryIO, outgoing: BinaryIO, shared: int | None
    ) -> None:
        self._model = model
        self._incoming = incoming
        self._outgoing = outgoing
        self._shared = shared
        self._asked: queue.Queue[tuple[pipe.Message, bytes]] = queue.Queue()
        self._memory: Any = None

    def serve(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            self._answer(*self._asked.get())

    def _listen(self) -> None:
        """Take messages while the model runs: only so can it be interrupted."""
        while True:
            message = pipe.read(self._incoming, LONGEST)
            if message is None:  # the parent is gone
                os._exit(0)
            if message[0].get("do") == "stop":
                self._model.interrupt()
            else:
                self._asked.put(message)

    def _answer(self, message: pipe.Message, raw: bytes) -> None:
        import numpy as np

        try:
            if message["memory"]:
                self._take_memory(message["memory"])
            shape, raws = message["shape"], raw if raw else self._memory
            count = int(np.prod(shape))
            block = np.frombuffer(raws, np.float32, count).reshape(shape).copy()
            found = np.asarray(self._model(block[None]))
            result = np.ascontiguousarray(found[0], np.float32)
        # As above: the frameworks raise whatever they like.
        except BaseException as error:
            pipe.write(self._outgoing, {"error": _words(error), "memory": _is_memory(error)})
            return
        room = 0 if self._memory is None else len(self._memory)
        shared = result.nbytes <= room
        if shared:
            target = np.frombuffer(self._memory, np.float32, result.size)
            target[:] = result.reshape(-1)
        bytes_ = b"" if shared else result.data.cast("B")
        pipe.write(self._outgoing, {"shape": list(result.shape), "shared": shared}, bytes_)

    def _take_memory(self, size: int) -> None:
        """Receive a new block of shared memory."""
        import mmap
        import socket

        # All is stated, so no system call asks what the descriptor is.
        channel = socket.socket(
            socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=os.dup(self._shared or 0)
        )
        with channel:
            _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
        self._memory = mmap.mmap(descriptors[0], size)
        os.close(descriptors[0])


def _words(error: BaseException) -> str:
    """Return what went wrong in a line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    plain = lines[-1] if type(error).__name__ == "Error" and lines else (lines or [""])[0]
    name = type(error).__name__
    return f"{name}: {plain}"[:400] if plain else name


def _is_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(words in text for words in _OUT_OF_MEMORY)


if __name__ == "__main__":
    sys.exit("This is started by the program alone.")
