"""TorchScript: the program of a ``torch.jit`` file, run by torch itself."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_defectseg.models.runtime import Loaded
from napari_defectseg.models.runtimes.results import as_function


def load(file: Path, options: Mapping[str, Any], threads: int) -> Loaded:
    """Return the program; loading it already runs what its author wrote."""
    import torch

    torch.set_num_threads(threads)
    device = str(options.get("device", "cpu"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch wants others to write another format
        module: Any = torch.jit.load(str(file), map_location=device)  # type: ignore[no-untyped-call]
    return as_function(module.eval(), options)
