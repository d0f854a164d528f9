"""One U-Net for planes and volumes (Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28).

Two 3 × 3 convolutions with normalisation and ReLU a level, maximum pooling down, transposed
convolutions of size 2 and stride 2 up. Every layer is aligned to the pooling grid, so that a
tile whose origin lies on the grid and whose halo covers the field of view gives the very
numbers of the whole image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Shapes, learnt
from napari_defectseg.models.blocks import (
    GROUPS,
    DoubleConv,
    Norm,
    doubling,
    field_radius,
    pointwise,
    pooling,
)
from napari_defectseg.models.kind import check_positive

DEFAULT_WIDTHS = {2: (16, 32, 80, 160), 3: (12, 24, 48, 80)}
"""About 0.7 million parameters each: below 3 MB as float32."""

MOST_LEVELS = 12


@dataclass(frozen=True)
class UNetSettings:
    """What a `UNet` is built from.

    Parameters
    ----------
    dims : int
        2 or 3.
    in_channels, out_channels : int
    widths : tuple of int
        Features a level, finest first; their number is the number of levels.
    norm : str
        ``"batch"``, ``"instance"``, ``"group"`` or ``"none"``. Instance and group
        normalisation look at the whole image, so such a network cannot be tiled.
    """

    dims: int = 2
    in_channels: int = 1
    out_channels: int = 2
    widths: tuple[int, ...] = ()
    norm: Norm = "batch"

    def __post_init__(self) -> None:
        if self.dims not in (2, 3):
            raise ModelError(f"A U-Net has 2 or 3 dimensions, not {self.dims}.")
        widths = tuple(self.widths) or DEFAULT_WIDTHS[self.dims]
        object.__setattr__(self, "widths", widths)
        if len(widths) > MOST_LEVELS:
            raise ModelError(f"A U-Net of {len(widths)} levels is deeper than any image is wide.")
        check_positive("a U-Net", *widths, self.in_channels, self.out_channels)
        if self.norm not in ("batch", "instance", "group", "none"):
            raise ModelError(f"{self.norm!r} is not a normalisation of a U-Net.")
        if self.norm == "group" and any(width % GROUPS for width in widths):
            raise ModelError(f"Widths must be multiples of {GROUPS} with group normalisation.")

    @property
    def grid(self) -> int:
        """Pixels of the finest level in one of the coarsest."""
        return 1 << (len(self.widths) - 1)

    @property
    def halo(self) -> int | None:
        """Field of view around a cell of the grid, rounded up to it; None: the whole image."""
        if self.norm in ("instance", "group"):
            return None
        radius = field_radius(len(self.widths))
        return -(-radius // self.grid) * self.grid


class UNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: UNetSettings) -> None:
        super().__init__()
        self.settings = settings
        dims, norm, widths = settings.dims, settings.norm, settings.widths
        inputs = (settings.in_channels, *widths[:-1])
        self.encoder = nn.ModuleList(
            DoubleConv(dims, i, o, norm) for i, o in zip(inputs, widths, strict=True)
        )
        pairs = list(pairwise(widths))
        self.up = nn.ModuleList(doubling(dims, coarse, fine) for fine, coarse in pairs)
        self.decoder = nn.ModuleList(DoubleConv(dims, 2 * fine, fine, norm) for fine, _ in pairs)
        self.pool = pooling(dims)
        self.head = pointwise(dims, widths[0], settings.out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)
            Spatial lengths are multiples of the grid.

        Returns
        -------
        Tensor, shape (n, out_channels, *spatial)
        """
        skips: list[torch.Tensor] = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else self.pool(x))
            skips.append(x)
        skips.pop()
        for level in reversed(range(len(self.up))):
            # The skip is let go before the convolution: it is the largest tensor alive.
            x = torch.cat([skips.pop(), self.up[level](x)], dim=1)
            x = self.decoder[level](x)
        result: torch.Tensor = self.head(x)
        return result


def build(settings: Mapping[str, Any]) -> UNet:
    """Return a new network.

    Raises
    ------
    ModelError
        If a setting is unknown or makes no sense.
    """
    return UNet(_settings(settings))


def facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return dims, channels, grid, halo, parameters and all settings of the network."""
    known = _settings(settings)
    with torch.device("meta"):
        parameters = sum(p.numel() for p in UNet(known).parameters())
    return {
        "settings": as_plain(known),
        "parameters": parameters,
        "dims": known.dims,
        "in_channels": known.in_channels,
        "out_channels": known.out_channels,
        "grid": known.grid,
        "halo": known.halo,
    }


def recognise(shapes: Shapes) -> dict[str, Any] | None:
    """Return the settings of the U-Net with exactly these tensors, None if it is another."""
    settings = _read_settings(shapes)
    if settings is None or _tensors(settings) != learnt(shapes):
        return None
    return as_plain(settings)


def nearest(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Return the learnt tensors of the U-Net that comes nearest to these."""
    return _tensors(_read_settings(shapes) or UNetSettings())


def _read_settings(shapes: Shapes) -> UNetSettings | None:
    """Return what first, last and widest layers say, None if there are no such layers."""
    first, head = shapes.get("encoder.0.0.conv.weight"), shapes.get("head.weight")
    if first is None or head is None or len(first) not in (4, 5) or len(head) != len(first):
        return None
    widths: list[int] = []
    while shape := shapes.get(f"encoder.{len(widths)}.0.conv.weight"):
        widths.append(shape[0])
    try:
        return UNetSettings(len(first) - 2, first[1], head[0], tuple(widths), _norm(shapes))
    except ModelError:  # no channels, for example
        return None


def _tensors(settings: UNetSettings) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        state = UNet(settings).state_dict()
    return learnt({name: tuple(tensor.shape) for name, tensor in state.items()})


def as_plain(settings: UNetSettings) -> dict[str, Any]:
    """Return the settings as JSON values, for a card."""
    return {**asdict(settings), "widths": list(settings.widths)}


def _norm(shapes: Shapes) -> Norm:
    if "encoder.0.0.norm.running_mean" in shapes:
        return "batch"
    # Instance and group normalisation have the same tensors; ours are instance unless a card
    # says otherwise.
    return "instance" if "encoder.0.0.norm.weight" in shapes else "none"


def _settings(settings: Mapping[str, Any]) -> UNetSettings:
    try:
        return UNetSettings(**{**settings, "widths": tuple(settings.get("widths", ()))})
    except TypeError as error:
        raise ModelError(f"These are not the settings of a U-Net: {error}.") from error
