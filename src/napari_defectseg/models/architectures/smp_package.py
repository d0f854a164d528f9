"""Networks of segmentation_models_pytorch that are not built in, where it is installed."""

from __future__ import annotations

from typing import Any

import torch

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.installed import Arguments, InstalledKind, Sizes

GRID = 32
"""Pixels of the image in one of the coarsest level of its encoders."""


def _sizes(a: Arguments) -> Sizes:
    return Sizes(2, a.get("in_channels", 3), a.get("classes", 1), GRID)


def _large(a: Arguments) -> Sizes:
    return Sizes(2, a.get("in_channels", 3), a.get("classes", 1), 4 * GRID)


NAMES = ("Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "DeepLabV3",
         "DeepLabV3Plus", "UPerNet", "Segformer")  # fmt: skip


def _make(smp: Any, name: str, arguments: Arguments) -> torch.nn.Module:
    # Weights come from the file, never from the network; what comes after the map is ours.
    own: dict[str, Any] = {"encoder_weights": None, "aux_params": None, "activation": None}
    network = getattr(smp, name)(**{**arguments, **own})
    if not isinstance(network, torch.nn.Module):
        raise ModelError(f"segmentation_models_pytorch has no network {name}.")
    return network


KIND = InstalledKind(
    "segmentation_models_pytorch",
    ("segmentation_models_pytorch",),
    "smp",
    {**dict.fromkeys(NAMES, _sizes), "PAN": _large},
    _make,
)
