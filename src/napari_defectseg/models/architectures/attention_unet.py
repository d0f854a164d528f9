"""The attention U-Net that MFF-Metal is compared with, in our own words.

Oktay et al. 2018, arXiv:1804.03999. Without its gates it is the plain U-Net of the same file.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.fitting import at_least, double_conv, lengthened
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.neu_seg import neu_seg

TITLE = "an attention U-Net"
LEVELS = 5


@dataclass(frozen=True)
class AttentionUNetSettings:
    """What this network is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Features of the finest level, an even number; each level below has twice as many.
    gates : bool
        Whether the finer levels pass through attention gates.
    """

    in_channels: int = 3
    out_channels: int = 4
    width: int = 32
    gates: bool = True

    dims = 2
    grid = 8
    halo = None
    """Images of 8 times an odd number of pixels get a row of zeros inside the network."""

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.width)
        if self.width % 2:
            raise ModelError("The width of an attention U-Net is an even number.")


class Block(nn.Module):
    """Two convolutions, under the name that the files have."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = double_conv(inputs, outputs, bias=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = self.conv(x)
        return result


class Up(nn.Module):
    """Twice the size by repetition, then one convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of twice the size."""
        result: torch.Tensor = self.up(x)
        return result


class Gate(nn.Module):
    """One weight a pixel of the finer level, from it and the coarser one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.W_g = nn.Sequential(nn.Conv2d(channels, inner, 1), nn.BatchNorm2d(inner))
        self.W_x = nn.Sequential(nn.Conv2d(channels, inner, 1), nn.BatchNorm2d(inner))
        self.psi = nn.Sequential(nn.Conv2d(inner, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, up: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return `skip`, weighted."""
        result: torch.Tensor = skip * self.psi(torch.relu(self.W_g(up) + self.W_x(skip)))
        return result


class AttentionUNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: AttentionUNetSettings) -> None:
        super().__init__()
        widths = [settings.width << level for level in range(LEVELS)]
        self.gates = settings.gates
        for level, width in enumerate(widths):
            inputs = widths[level - 1] if level else settings.in_channels
            self.add_module(f"Conv{level + 1}", Block(inputs, width))
        for level in range(LEVELS, 1, -1):
            coarse, fine = widths[level - 1], widths[level - 2]
            self.add_module(f"Up{level}", Up(coarse, fine))
            if self.gates:
                self.add_module(f"Att{level}", Gate(fine))
            self.add_module(f"Up_conv{level}", Block(coarse, fine))
        self.Conv_1x1 = nn.Conv2d(widths[0], settings.out_channels, 1)

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
        skips: list[torch.Tensor] = []
        for level in range(1, LEVELS + 1):
            x = self.get_submodule(f"Conv{level}")(functional.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        skips.pop()
        for level in range(LEVELS, 1, -1):
            skip = skips.pop()
            up = lengthened(self.get_submodule(f"Up{level}")(x), skip)
            if self.gates:
                skip = self.get_submodule(f"Att{level}")(up, skip)
            x = self.get_submodule(f"Up_conv{level}")(torch.cat([skip, up], dim=1))
        result: torch.Tensor = self.Conv_1x1(x)
        return result[..., :height, :width]


def _read(shapes: Shapes) -> AttentionUNetSettings | None:
    first, head = shapes.get("Conv1.conv.0.weight"), shapes.get("Conv_1x1.weight")
    if first is None or head is None:
        return None
    return AttentionUNetSettings(first[1], head[0], first[0], "Att5.psi.0.weight" in shapes)


def _about(settings: AttentionUNetSettings) -> Published:
    return neu_seg(
        f"The {'attention ' * settings.gates}U-Net that MFF-Metal is compared with.",
        settings.in_channels,
        settings.out_channels,
        (
            "The published code takes lengths of 8 times an odd number alone; here any are taken.",
            "It is never cut into tiles: zeros inside it depend on the size of the image.",
        ),
    )


KIND = NetworkKind(TITLE, AttentionUNetSettings, AttentionUNet, _read, _about)
