"""Networks of a few thousand parameters with statistics as trained ones have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.models.model import TorchModel, design


def make(dims: int, widths: tuple[int, ...] = (4, 6, 8), **fields: Any) -> TorchModel:
    """Return an untrained model whose scores differ from place to place."""
    values = {"classes": ClassMap.of(["void", "loop"]), **fields}
    settings = {"dims": dims, "widths": widths, "in_channels": values.pop("in_channels", 1)}
    if "norm" in values:
        settings["norm"] = values.pop("norm")
    card = design("small", settings=settings, **values)
    network = TorchModel.new(card).network()
    torch.manual_seed(1)
    for name, tensor in network.state_dict().items():
        if "running_mean" in name:  # about as large as what comes: else every unit is dead
            tensor.copy_(0.2 * torch.rand_like(tensor) - 0.1)
        elif "running_var" in name:
            tensor.copy_(0.3 * torch.rand_like(tensor) + 0.1)
        elif "head" in name:
            tensor.mul_(4)
    return TorchModel.from_network(card, network)


def image_of(shape: tuple[int, ...], axes: str, seed: int = 0) -> CalibratedImage:
    """Return noise of 8 bits."""
    data = np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
    return CalibratedImage.from_array(data, axes=axes)
