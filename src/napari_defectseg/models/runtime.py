"""What a runtime must offer: it is imported in the worker process, never in the user's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.registry import Registry


class Loaded(Protocol):
    """A model in memory.

    It may have a method ``interrupt()``: called from another thread, it makes the pass that
    runs end soon, by any exception, and the next one run as usual. Without it the process is
    ended instead.
    """

    def __call__(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``(1, K, *spatial)`` of float32 for ``(1, C, *spatial)``."""


class Runtime(Protocol):
    """One kind of program; a module of `models.runtimes` is one.

    Its imports at the top are the standard library and numpy's types alone: the framework is
    imported by `load`, when the process is already confined.
    """

    def load(self, file: Path, options: Mapping[str, Any], threads: int) -> Loaded:
        """Return the model; what it raises is told to the user as one sentence.

        ``options["device"]`` is there where it shall not be the processor: ``"cuda:0"``. A runtime
        that knows no graphics card is not asked for one, see `GRAPHICS`.
        """


RUNTIMES: Registry[Runtime] = Registry(
    "runtime",
    {
        "torchscript": "napari_defectseg.models.runtimes.torchscript",
        "torch_export": "napari_defectseg.models.runtimes.torch_export",
        "onnxruntime": "napari_defectseg.models.runtimes.onnxruntime",
        "openvino": "napari_defectseg.models.runtimes.openvino",
    },
    group="napari_defectseg.runtimes",
)
GRAPHICS = {
    "torchscript": ("cuda", "mps"),
    "torch_export": ("cuda", "mps"),
    "onnxruntime": ("cuda",),
}
"""Runtimes that can compute on a graphics card, and on which kinds."""
