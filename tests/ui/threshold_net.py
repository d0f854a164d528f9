"""A network whose weights are set by hand: bright places are voids, dark ones are loops."""

import numpy as np
import torch

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.preprocess import Normalise

LIMIT = 2.0
"""Standard deviations from the mean beyond which a pixel belongs to an object."""


def threshold_model(dims=2, **fields):
    """Return it for pictures or volumes; a pixel decides alone, so the truth is known."""
    card = design(
        f"threshold {dims}D",
        settings={"dims": dims, "widths": (2, 2), "in_channels": 1, "norm": "none"},
        **{
            "classes": ClassMap.of(["void", "loop"]),
            "preprocessing": (Normalise(method="zscore"),),
            **fields,
        },
    )
    network = TorchModel.new(card).network()
    middle = (1,) * dims
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.zero_()
        state = network.state_dict()
        state["encoder.0.0.conv.weight"][(0, 0, *middle)] = 1
        state["encoder.0.0.conv.weight"][(1, 0, *middle)] = -1
        for name in ("encoder.0.1", "decoder.0.0", "decoder.0.1"):
            for channel in (0, 1):
                state[f"{name}.conv.weight"][(channel, channel, *middle)] = 1
        first = int(card.has_background)
        for channel in (0, 1):
            state["head.weight"][channel + first, channel] = 4
            state["head.bias"][channel + first] = -4 * LIMIT
    return TorchModel.from_network(card, network)


def picture(shape, axes, *, bright=6, dark=3, name="steel", seed=0):
    """Return noise with blocks of 6 px: so many bright and dark ones in each frame."""
    rng = np.random.default_rng(seed)
    data = rng.normal(100, 1, shape).astype(np.float32)
    frames = data if "t" in axes else data[None]
    deep = "z" in axes
    for frame in frames:
        for number in range(bright + dark):
            y, x = 4 + 14 * (number // 5), 4 + 14 * (number % 5)
            value = 140.0 if number < bright else 60.0
            plane = (slice(4, 10),) if deep else ()
            frame[(*plane, slice(y, y + 6), slice(x, x + 6))] = value
        if not deep:
            frame[60:62, 60:62] = 140.0  # one of 4 px
    ndim = 3 if deep else 2
    known = Calibration.of((0.5,) * ndim, "nm", "typed by you")
    return CalibratedImage.from_array(data, axes=axes, calibration=known, name=name)
