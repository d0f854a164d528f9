"""Networks of a few thousand parameters with statistics as trained ones have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.preprocess import Normalise


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


def kernel_model(kernel: np.ndarray[Any, Any], **fields: Any) -> TorchModel:
    """Return a 2D network whose score of the one class is sigmoid(kernel * image), set by hand.

    Parameters
    ----------
    kernel : ndarray, shape (3, 3) or (channels, 3, 3)
        What the first layer sees of each channel; all that follows passes it on. Both signs
        come through: one unit carries what is positive, one what is negative.
    """
    kernels = np.asarray(kernel, np.float32).reshape(-1, 3, 3)
    values = {
        "task": "binary",
        "activation": "sigmoid",
        "classes": ClassMap.of(["edge"]),
        "preprocessing": (Normalise(method="divide", scope="constant"),),
        **fields,
    }
    settings = {"dims": 2, "widths": (2, 2), "in_channels": len(kernels), "norm": "none"}
    card = design("kernel", settings=settings, **values)
    network = TorchModel.new(card).network()
    with torch.no_grad():
        state = network.state_dict()
        for tensor in state.values():
            tensor.zero_()
        for unit, sign in enumerate((1, -1)):
            state["encoder.0.0.conv.weight"][unit] = sign * torch.from_numpy(kernels)
            for name in ("encoder.0.1", "decoder.0.0", "decoder.0.1"):
                state[f"{name}.conv.weight"][unit, unit, 1, 1] = 1
            state["head.weight"][0, unit] = sign * 4.0
    return TorchModel.from_network(card, network)
