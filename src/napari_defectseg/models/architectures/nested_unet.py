"""The UNet++ that MFF-Metal is compared with, in our own words.

Zhou et al. 2018, arXiv:1807.10165.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.fitting import at_least, doubled, lengthened
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.neu_seg import neu_seg

TITLE = "a UNet++"
LEVELS = 5


@dataclass(frozen=True)
class NestedUNetSettings:
    """What a UNet++ is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Features of the finest level; each level below has twice as many.
    deep_supervision : bool
        Whether it was trained with four heads; the last of them is used.
    """

    in_channels: int = 3
    out_channels: int = 4
    width: int = 32
    deep_supervision: bool = False

    dims = 2
    grid = 8
    halo = None
    """With aligned corners every pixel depends on the size of the whole image."""

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.width)


class Node(nn.Module):
    """Two convolutions with normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        x = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(x)))


class NestedUNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: NestedUNetSettings) -> None:
        super().__init__()
        widths = [settings.width << level for level in range(LEVELS)]
        for level in range(LEVELS):
            inputs = widths[level - 1] if level else settings.in_channels
            self.add_module(f"conv{level}_0", Node(inputs, widths[level]))
        for column in range(1, LEVELS):
            for level in range(LEVELS - column):
                inputs = column * widths[level] + widths[level + 1]
                self.add_module(f"conv{level}_{column}", Node(inputs, widths[level]))
        heads = ("1", "2", "3", "4") if settings.deep_supervision else ("",)
        self.last = f"final{heads[-1]}"
        for name in heads:
            self.add_module(f"final{name}", nn.Conv2d(widths[0], settings.out_channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, y, x)
            Lengths are multiples of 8.

        Returns
        -------
        Tensor, shape (n, out_channels, y, x)
        """
        height, width = x.shape[-2:]
        x = at_least(x)
        rows: list[list[torch.Tensor]] = []
        for level in range(LEVELS):
            x = self.get_submodule(f"conv{level}_0")(functional.max_pool2d(x, 2) if level else x)
            rows.append([x])
        for column in range(1, LEVELS):
            for level in range(LEVELS - column):
                up = lengthened(doubled(rows[level + 1][column - 1]), rows[level][0])
                node = self.get_submodule(f"conv{level}_{column}")
                rows[level].append(node(torch.cat([*rows[level], up], dim=1)))
        result: torch.Tensor = self.get_submodule(self.last)(rows[0][-1])
        return result[..., :height, :width]


def _read(shapes: Shapes) -> NestedUNetSettings | None:
    first = shapes.get("conv0_0.conv1.weight")
    head = shapes.get("final.weight", shapes.get("final4.weight"))
    if first is None or head is None:
        return None
    return NestedUNetSettings(first[1], head[0], first[0], "final4.weight" in shapes)


def _about(settings: NestedUNetSettings) -> Published:
    return neu_seg(
        "The UNet++ that MFF-Metal is compared with.",
        settings.in_channels,
        settings.out_channels,
        (
            "It interpolates with aligned corners, so it is never cut into tiles.",
            "The published code takes lengths of 8 times an odd number alone; here any are taken.",
        ),
    )


KIND = NetworkKind(TITLE, NestedUNetSettings, NestedUNet, _read, _about)
