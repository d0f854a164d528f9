"""Models of OpenVINO; loaded in the worker process."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.models.ports import Ports


def load(file: Path, options: Mapping[str, Any], threads: int) -> Request:
    """Return the model in a file, on the processor.

    Parameters
    ----------
    file : Path
        The ``.xml``, whose numbers lie in the ``.bin`` of the same name, or a model of ONNX.
    options : mapping
        As `Ports.of` takes them; ``dtype_inside``: ``"bfloat16"``, or ``"float32"``, which it is
        where nothing is said.
    threads : int

    Raises
    ------
    Exception
        Whatever OpenVINO raises for a file that it does not take.
    """
    # Importing OpenVINO starts its statistics, which write into the home folder and report to
    # their makers; without that package it uses a stand-in of its own.
    sys.modules.setdefault("openvino_telemetry", cast("ModuleType", None))
    import openvino

    half = options.get("dtype_inside") == "bfloat16"
    # Without these it computes in bfloat16 where the processor can, and looks for other cores.
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
        "INFERENCE_NUM_THREADS": str(threads),
        "PERFORMANCE_HINT": "LATENCY",
        "ENABLE_CPU_PINNING": "NO",
    }
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(str(file)), "CPU", settings)
    return Request(compiled.create_infer_request(), compiled, Ports.of(options))


class Request:
    """A model in memory.

    Parameters
    ----------
    request : openvino.InferRequest
    compiled : openvino.CompiledModel
        Kept as long as the request is.
    ports : Ports
        Their names are those of the ports' layers.
    """

    def __init__(self, request: Any, compiled: Any, ports: Ports) -> None:
        self._request = request
        self._compiled = compiled
        self._ports = ports
        self._place = _place(compiled.outputs, ports.output)

    def __call__(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of a block.

        Parameters
        ----------
        block : ndarray of float32, shape (1, C, *spatial)

        Returns
        -------
        ndarray of float32, shape (1, K, *spatial)
        """
        self._request.start_async([self._ports.given(block)], share_inputs=False)
        self._request.wait()
        found = self._request.get_output_tensor(self._place).data
        return self._ports.taken(np.array(found))

    def interrupt(self) -> None:
        """Make the pass that runs in another thread end at its next operation."""
        self._request.cancel()


def _place(outputs: Any, name: str) -> int:
    """Return which output comes from the layer of this name."""
    for place, output in enumerate(outputs):
        if name in (output.node.get_friendly_name(), *output.names):
            return place
    return 0
