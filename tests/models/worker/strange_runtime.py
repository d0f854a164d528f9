"""A runtime that does what it is asked for, well and badly; it runs in the worker process."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from pathlib import Path

import numpy as np


def load(file, options, threads):
    """Return the model that `options` names."""
    if options.get("load") == "hang":
        time.sleep(1000)
    if options.get("load") == "fail":
        raise ValueError("these are no weights")
    return Stoppable() if options.get("do") == "stoppable" else Strange(options)


class Strange:
    def __init__(self, options):
        self.options = options
        self.count = 0

    def __call__(self, block):
        self.count += 1
        act = getattr(self, self.options.get("do", "double"))
        return act(block)

    def told(self, block):
        """Say whether it was told of the second card, and of the one that may be seen."""
        device = self.options.get("device") == "cuda:1"
        return np.float32([device, os.environ.get("CUDA_VISIBLE_DEVICES") == "3"]).reshape(
            1, 2, 1, 1
        ) * np.ones_like(block)

    def double(self, block):
        return np.concatenate([block, 2 * block], axis=1)

    def many(self, block):
        return np.repeat(block, 7, axis=1)

    def segfault(self, block):
        ctypes.string_at(0)

    def exit(self, block):
        os._exit(3)

    def hang(self, block):
        if block.max() > 0:
            time.sleep(1000)
        return block

    def spin(self, block):
        while block.max() > 0:
            pass
        return block

    def bomb(self, block):
        if block.max() > 0:
            kept = [np.ones(1 << 24) for _ in range(64)]
            return kept[0]
        return block

    def lie(self, block):
        return np.zeros((1, 2, 900, 900), np.float32)

    def fail(self, block):
        raise RuntimeError("the layer conv1 wants 3 channels\n\nmore that nobody reads")

    def report(self, block):
        """Return what each attack on the machine ended with: 1 where it was possible."""
        attacks = (self.read_home, self.write, self.connect, self.datagram, self.execute,
                   self.fork, self.other_process, self.change_rights)  # fmt: skip
        found = [self._possible(attack) for attack in attacks]
        return np.broadcast_to(
            np.array(found, np.float32)[None, :, None, None], (1, len(found), *block.shape[2:])
        )

    def environment(self, block):
        strange = [n for n in os.environ if n.startswith(("SECRET", "HOME", "DISPLAY", "XDG"))]
        return np.full(block.shape, len(strange), np.float32)

    def _possible(self, attack):
        try:
            attack()
        except OSError:
            return 0.0
        return 1.0

    def read_home(self):
        list(Path(self.options["home"]).iterdir())
        Path(self.options["secret"]).read_text()

    def write(self):
        Path(self.options["target"]).write_text("written")

    def connect(self):
        socket.create_connection(("127.0.0.1", self.options["port"]), 2).close()

    def datagram(self):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()

    def execute(self):
        os.execv("/bin/true", ["/bin/true"])

    def fork(self):
        if os.fork() == 0:
            os._exit(0)

    def other_process(self):
        os.kill(self.options["pid"], 0)

    def change_rights(self):
        Path(self.options["secret"]).chmod(0o777)


class Stoppable:
    """A model that ends its pass when it is told to."""

    def __init__(self):
        self.stopped = False

    def __call__(self, block):
        self.stopped = False
        until = time.monotonic() + (1000 if block.max() > 0 else 0)
        while time.monotonic() < until:
            if self.stopped:
                raise InterruptedError
            time.sleep(0.01)
        return block + np.float32(os.getpid() % 1000)

    def interrupt(self):
        self.stopped = True


if __name__ == "__main__":
    sys.exit("This is imported by a worker process.")
