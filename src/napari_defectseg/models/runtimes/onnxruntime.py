"""Models of ONNX by onnxruntime; loaded in the worker process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.models.ports import Ports

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
ERRORS = 4
"""Severity from which onnxruntime writes to the terminal; errors are raised as well."""


def load(file: Path, options: Mapping[str, Any], threads: int) -> Session:
    """Return the model in a file, on the processor or the device that the options name.

    Parameters
    ----------
    file : Path
    options : mapping
        As `Ports.of` takes them; ``device``: ``"cuda:N"``.
    threads : int
        For one operation; operations run one after another.

    Raises
    ------
    Exception
        Whatever onnxruntime raises for a file that it does not take.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(ERRORS)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = ERRORS
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    # A thread that waits by spinning would take the window's share of the processor.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    device = str(options.get("device", "cpu"))
    session = onnxruntime.InferenceSession(
        str(file), settings, providers=_providers(onnxruntime, device)
    )
    if device != "cpu" and CUDA not in session.get_providers():  # it goes on without a word
        raise RuntimeError(f"onnxruntime cannot use {device} here, though it was built for it")
    return Session(session, Ports.of(options), onnxruntime.RunOptions)


def _providers(onnxruntime: Any, device: str) -> list[Any]:
    """Return what computes, in order; float32 stays float32."""
    if device == "cpu":
        return [CPU]
    if CUDA not in onnxruntime.get_available_providers():
        raise RuntimeError(
            "this onnxruntime knows no graphics card: pip install onnxruntime-gpu in its place"
        )
    number = int(device.partition(":")[2] or 0)
    return [(CUDA, {"device_id": number, "use_tf32": 0}), CPU]


class Session:
    """A model in memory.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    ports : Ports
    run_options : type
        Makes the options of one pass.
    """

    def __init__(self, session: Any, ports: Ports, run_options: Any) -> None:
        self._session = session
        self._ports = ports
        self._run_options = run_options
        self._running: Any = None

    def __call__(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of a block.

        Parameters
        ----------
        block : ndarray of float32, shape (1, C, *spatial)

        Returns
        -------
        ndarray of float32, shape (1, K, *spatial)
        """
        self._running = self._run_options()
        try:
            (found,) = self._session.run(
                [self._ports.output], {self._ports.input: self._ports.given(block)}, self._running
            )
        finally:
            self._running = None
        return self._ports.taken(found)

    def interrupt(self) -> None:
        """Make the pass that runs in another thread end at its next operation."""
        running = self._running
        if running is not None:
            running.terminate = True
