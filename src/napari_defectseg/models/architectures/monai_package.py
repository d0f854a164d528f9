"""Networks of MONAI that are not built in, where MONAI is installed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.installed import Arguments, InstalledKind, Sizes

ONE_SIZE = 16
"""Pixels of a patch of UNETR along each axis."""


def _like(
    grid: Callable[[Arguments], int], *, dims: int = 3, outputs: int = 2
) -> Callable[[Arguments], Sizes]:
    """Return how sizes are read where arguments have their usual names.

    Parameters
    ----------
    grid : callable
    dims, outputs : int
        What MONAI takes where they are not stated.
    """

    def sizes(a: Arguments) -> Sizes:
        return Sizes(
            a.get("spatial_dims", dims), a.get("in_channels", 1), a.get("out_channels", outputs),
            grid(a),
        )  # fmt: skip

    return sizes


def _fixed(_: Arguments) -> int:
    return 16


def _halved(_: Arguments) -> int:
    return 32


def _strides(a: Arguments) -> int:
    return math.prod(max(n) if isinstance(n, list | tuple) else n for n in a["strides"])


def _levels(a: Arguments) -> int:
    return 1 << (len(a.get("blocks_down", (1, 2, 2, 4))) - 1)


def _unetr(a: Arguments) -> Sizes:
    dims, size = a.get("spatial_dims", 3), a["img_size"]
    tile = tuple(size) if isinstance(size, list | tuple) else (size,) * dims
    return Sizes(dims, a["in_channels"], a["out_channels"], ONE_SIZE, tile)


SIZES: dict[str, Callable[[Arguments], Sizes]] = {
    "AttentionUnet": _like(_strides),
    "BasicUNet": _like(_fixed),
    "BasicUNetPlusPlus": _like(_fixed),
    "FlexibleUNet": _like(_halved, dims=2),
    "HighResNet": _like(lambda a: 1, outputs=1),
    "MedNeXt": _like(_fixed),
    "SegResNet": _like(_levels),
    "SegResNetDS": _like(_levels),
    "SwinUNETR": _like(_halved),
    "UNETR": _unetr,
    "UNet": _like(_strides),
    "VNet": _like(_fixed, outputs=1),
}
"""Networks that give a map as large as the image, and what follows from their arguments."""


def _make(monai: Any, name: str, arguments: Arguments) -> torch.nn.Module:
    given: dict[str, Any] = dict(arguments)
    if "pretrained" in given:
        given["pretrained"] = False  # weights come from the file, never from the network
    network = getattr(monai.networks.nets, name)(**given)
    if not isinstance(network, torch.nn.Module):
        raise ModelError(f"MONAI has no network {name}.")
    return network


KIND = InstalledKind("MONAI", ("monai", "einops"), "monai", SIZES, _make)
