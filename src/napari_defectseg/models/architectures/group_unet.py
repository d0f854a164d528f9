"""The U-Net of pytorch-3dunet (Wolny et al. 2020), for volumes and planes, in our own words.

Group normalisation before each convolution, nearest neighbours doubled and joined. It looks at
the whole image, as group normalisation does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.kind import NetworkKind, check_positive

TITLE = "a U-Net like that of pytorch-3dunet"
GROUPS = (8, 4, 2, 1)
"""Numbers of groups in use, the usual one first."""


@dataclass(frozen=True)
class GroupUNetSettings:
    """What this network is built from.

    Parameters
    ----------
    dims : int
        2 or 3.
    in_channels, out_channels : int
    widths : tuple of int
        Features a level, finest first.
    groups : int
        Of the normalisation; layers with fewer channels have one. No weight file tells it.
    """

    dims: int = 3
    in_channels: int = 1
    out_channels: int = 2
    widths: tuple[int, ...] = (64, 128, 256, 512)
    groups: int = 8

    halo = None

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.groups, *self.widths)
        if self.dims not in (2, 3) or not self.widths:
            raise ModelError(f"{TITLE.capitalize()} has 2 or 3 dimensions and a level at least.")
        if any(n >= self.groups and n % self.groups for n in normalised(self)):
            raise ModelError(f"{self.groups} groups do not divide the channels of this network.")

    @property
    def grid(self) -> int:
        """Pixels of the finest level in one of the coarsest."""
        return 1 << (len(self.widths) - 1)


def normalised(settings: GroupUNetSettings) -> list[int]:
    """Return the channels of every normalisation of the network."""
    found = []
    for inputs, width in zip(
        (settings.in_channels, *settings.widths), settings.widths, strict=False
    ):
        found += [inputs, max(width // 2, inputs)]
    for fine, coarse in pairwise(settings.widths):
        found += [fine + coarse, fine]
    return found


class Single(nn.Module):
    """Normalisation, convolution, ReLU."""

    def __init__(self, dims: int, inputs: int, outputs: int, groups: int) -> None:
        super().__init__()
        kind = nn.Conv2d if dims == 2 else nn.Conv3d
        self.groupnorm = nn.GroupNorm(groups if inputs >= groups else 1, inputs)
        self.conv = kind(inputs, outputs, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        return torch.relu(self.conv(self.groupnorm(x)))


class Level(nn.Module):
    """Two of them, under the name that the files have."""

    def __init__(self, dims: int, widths: Sequence[int], groups: int) -> None:
        super().__init__()
        self.basic_module = nn.Sequential()
        for number, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            single = Single(dims, inputs, outputs, groups)
            self.basic_module.add_module(f"SingleConv{number}", single)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = self.basic_module(x)
        return result


class GroupUNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: GroupUNetSettings) -> None:
        super().__init__()
        dims, groups, widths = settings.dims, settings.groups, settings.widths
        before = (settings.in_channels, *widths[:-1])
        self.encoders = nn.ModuleList(
            Level(dims, (i, max(o // 2, i), o), groups) for i, o in zip(before, widths, strict=True)
        )
        self.decoders = nn.ModuleList(
            Level(dims, (fine + coarse, fine, fine), groups)
            for fine, coarse in reversed(list(pairwise(widths)))
        )
        head = nn.Conv2d if dims == 2 else nn.Conv3d
        self.final_conv = head(widths[0], settings.out_channels, 1)
        self.pool = nn.MaxPool2d(2) if dims == 2 else nn.MaxPool3d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)
            Lengths are multiples of the grid.

        Returns
        -------
        Tensor, shape (n, out_channels, *spatial)
        """
        skips: list[torch.Tensor] = []
        for block in self.encoders:
            x = block(self.pool(x) if skips else x)
            skips.append(x)
        skips.pop()
        for block in self.decoders:
            skip = skips.pop()
            up = functional.interpolate(x, size=skip.shape[2:], mode="nearest")
            x = block(torch.cat([skip, up], dim=1))
        result: torch.Tensor = self.final_conv(x)
        return result


def _read(shapes: Shapes) -> GroupUNetSettings | None:
    first = shapes.get("encoders.0.basic_module.SingleConv1.conv.weight")
    head = shapes.get("final_conv.weight")
    if first is None or head is None or len(first) not in (4, 5):
        return None
    widths: list[int] = []
    while shape := shapes.get(f"encoders.{len(widths)}.basic_module.SingleConv2.conv.weight"):
        widths.append(shape[0])
    for groups in GROUPS:
        try:
            return GroupUNetSettings(len(first) - 2, first[1], head[0], tuple(widths), groups)
        except ModelError:  # these groups do not divide the channels
            continue
    return None


def _about(settings: GroupUNetSettings) -> Published:
    groups = (
        f"The groups of its normalisation are not in the weights; {settings.groups} are taken, "
        "the most usual number that divides its channels."
    )
    whole = "It normalises over the whole image, so it is never cut into tiles."
    return Published({"quirks": (whole, groups)})


KIND = NetworkKind(TITLE, GroupUNetSettings, GroupUNet, _read, _about)
