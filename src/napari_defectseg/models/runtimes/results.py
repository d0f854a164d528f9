"""What programs of torch return, as one array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.models.runtime import Loaded


def as_function(module: Any, options: Mapping[str, Any]) -> Loaded:
    """Return a module of torch as a function of arrays.

    Parameters
    ----------
    module : callable
        Takes and gives tensors ``(n, c, *spatial)``.
    options : mapping
        ``output``: number or name of the output, where there are several; ``device``: where the
        module is.
    """
    device = str(options.get("device", "cpu"))

    def run(block: NDArray[np.float32]) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            found = one_of(module(torch.from_numpy(block).to(device)), options.get("output"))
        if not isinstance(found, torch.Tensor):
            raise TypeError(f"it returns {type(found).__name__}, not an array")
        result: NDArray[np.float32] = found.detach().float().cpu().numpy()
        return result

    return run


def one_of(found: Any, wanted: Any) -> Any:
    """Return one of several outputs: the one that was asked for, ``out``, or the first."""
    if isinstance(found, Mapping) and found:
        names = [name for name in (wanted, "out") if name in found]
        return found[names[0] if names else next(iter(found))]
    if isinstance(found, list | tuple) and found:
        return found[wanted if isinstance(wanted, int) and wanted < len(found) else 0]
    return found
