"""Programs of ``torch.export`` (.pt2), run by torch itself."""

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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.load(str(file))
        if "device" in options:
            from torch.export.passes import move_to_device_pass

            program = move_to_device_pass(program, str(options["device"]))
        module = program.module()
    return as_function(module, options)
