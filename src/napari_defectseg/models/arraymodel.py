"""`ArrayModel`: a model that runs elsewhere, in a process of its own; arrays go in and out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import DeviceError
from napari_defectseg.models.card import ModelCard

if TYPE_CHECKING:
    from napari_defectseg.models.model import TorchModel

Block: TypeAlias = NDArray[np.float32]


class OutOfMemory(DeviceError):
    """A model's process had no memory left for a block."""


class Runner(Protocol):
    """A started model."""

    @property
    def confinement(self) -> str:
        """What keeps it from the rest of the machine, as a sentence."""

    def run(self, block: Block) -> Block:
        """Return what the file gives for one tile, before the card's activation.

        Parameters
        ----------
        block : ndarray of float32, shape (in_channels, *spatial)

        Returns
        -------
        ndarray of float32, shape (out_channels, *spatial)

        Raises
        ------
        Cancelled
            If `interrupt` was called.
        OutOfMemory
            If its process had no memory left.
        ModelError
            If the model fails on the block, or its process ends.
        """

    def interrupt(self) -> None:
        """End the pass that runs in another thread, within half a second."""

    def close(self) -> None:
        """End its process; `run` starts it anew."""


@dataclass(frozen=True)
class Program:
    """What a worker process loads.

    Parameters
    ----------
    runtime : str
        Name in the table of runtimes.
    file : Path
        What it loads; of a program that was trusted, the private copy.
    files : mapping of str to str
        Relative name to SHA-256 of every byte that is read or can run.
    options : mapping
        Plain JSON values for the runtime: ``{"input": "x", "layout": "NCHW"}``.
    name : str
        What messages call it; empty: the name of the file.
    """

    runtime: str
    file: Path
    files: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    @property
    def title(self) -> str:
        """What messages call it."""
        return self.name or self.file.name

    @property
    def folder(self) -> Path:
        """What the worker may read: the file itself, or its folder where it has others."""
        return self.file if len(self.files) < 2 else self.file.parent


class Started:
    """The process of a model, shared by all its copies under other cards."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.runner: Runner | None = None
        self.threads = 0
        self.device = "cpu"

    def close(self) -> None:
        """End the process, if there is one; the lock is held by the caller."""
        if self.runner is not None:
            self.runner.close()
            self.runner = None


class ArrayModel:
    """A model whose network only its own runtime knows.

    Parameters
    ----------
    card : ModelCard
    program : Program
    path : str
        Where it was opened from.
    format : str
        Name of the format it was opened by.
    sha256 : str
        Hash of what it consists of.
    files : tuple of str
        The files it consists of.
    trust : str
        ``"data"``, or ``"program"`` where a person trusted it.
    started : Started, optional
        The process of another copy of the same model.
    """

    def __init__(
        self,
        card: ModelCard,
        program: Program,
        *,
        path: str = "",
        format: str = "",  # noqa: A002 - the word of the command line
        sha256: str = "",
        files: tuple[str, ...] = (),
        trust: str = "data",
        started: Started | None = None,
    ) -> None:
        self.card = card
        self.program = program
        self.path = path
        self.format = format
        self.sha256 = sha256
        self.files = files
        self.trust = trust
        self._started = started or Started()

    def with_card(self, card: ModelCard) -> ArrayModel:
        """Return the same program under another card; they share one process."""
        return ArrayModel(
            card,
            self.program,
            path=self.path,
            format=self.format,
            sha256=self.sha256,
            files=self.files,
            trust=self.trust,
            started=self._started,
        )

    def by(self, runtime: str, dtype: str) -> ArrayModel:
        """Return the same file under another runtime that reads it, in a process of its own.

        Parameters
        ----------
        runtime : str
            Name in the table of runtimes.
        dtype : str
            What it computes in: ``"float32"`` or ``"bfloat16"``.
        """
        options = {**self.program.options, "dtype_inside": dtype}
        program = replace(self.program, runtime=runtime, options=options)
        return ArrayModel(self.card, program, path=self.path, format=self.format,
                          sha256=self.sha256, files=self.files, trust=self.trust)  # fmt: skip

    def start(self, threads: int, device: str = "cpu") -> Runner:
        """Return the model in its process, which is kept until `close`.

        Parameters
        ----------
        threads : int
            Threads of the processor that it may use.
        device : str
            ``"cpu"``, ``"cuda:N"`` or ``"mps"``.

        Raises
        ------
        ModelError
            If the process or the runtime cannot be started, or the file cannot be loaded.
        """
        started = self._started
        with started.lock:
            if started.runner is None or (started.threads, started.device) != (threads, device):
                started.close()
                from napari_defectseg.models.worker.start import start_worker

                started.runner = start_worker(self.program, threads, device=device)
                started.threads, started.device = threads, device
            return started.runner

    def close(self) -> None:
        """End its process; it is started again when asked for."""
        with self._started.lock:
            self._started.close()


OpenedModel: TypeAlias = "TorchModel | ArrayModel"
"""One model that an engine runs, in our process or in its own."""
