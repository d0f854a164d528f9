"""The widespread U-Net of milesial/Pytorch-UNet, in our own words.

Any number of levels; transposed convolutions, or bilinear doubling with aligned corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from napari_defectseg.models.architecture import Shapes
from napari_defectseg.models.blocks import field_radius
from napari_defectseg.models.fitting import double_conv, doubled, fitted
from napari_defectseg.models.kind import NetworkKind, check_positive

TITLE = "a U-Net like that of milesial/Pytorch-UNet"


@dataclass(frozen=True)
class MilesialUNetSettings:
    """What this network is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Features of the finest level; each level below has twice as many.
    poolings : int
        Times that the size is halved.
    bilinear : bool
        Whether sizes are doubled by interpolation.
    bias : bool
        Whether the convolutions before a normalisation have a bias, as in older versions.
    """

    in_channels: int = 3
    out_channels: int = 2
    width: int = 64
    poolings: int = 4
    bilinear: bool = False
    bias: bool = False

    dims = 2

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.width, self.poolings)

    @property
    def grid(self) -> int:
        """Pixels of the finest level in one of the coarsest."""
        return 1 << self.poolings

    @property
    def halo(self) -> int | None:
        """Field of view; with aligned corners it is the whole image."""
        if self.bilinear:
            return None
        return -(-field_radius(self.poolings + 1) // self.grid) * self.grid


class Double(nn.Module):
    """Two convolutions, each with normalisation and ReLU."""

    def __init__(self, inputs: int, middle: int, outputs: int, bias: bool) -> None:
        super().__init__()
        self.double_conv = double_conv(inputs, outputs, bias=bias, middle=middle)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = self.double_conv(x)
        return result


class Down(nn.Module):
    """Half the size, then two convolutions."""

    def __init__(self, inputs: int, outputs: int, bias: bool) -> None:
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), Double(inputs, outputs, outputs, bias))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of half the size."""
        result: torch.Tensor = self.maxpool_conv(x)
        return result


class Up(nn.Module):
    """Twice the size, joined behind the finer level, then two convolutions."""

    def __init__(self, inputs: int, outputs: int, settings: MilesialUNetSettings) -> None:
        super().__init__()
        self.bilinear = settings.bilinear
        if not self.bilinear:
            self.up = nn.ConvTranspose2d(inputs, inputs // 2, 2, 2)
        middle = inputs // 2 if self.bilinear else outputs
        self.conv = Double(inputs, middle, outputs, settings.bias)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return features of the size of `skip`."""
        up = doubled(x) if self.bilinear else self.up(x)
        result: torch.Tensor = self.conv(torch.cat([skip, fitted(up, skip)], dim=1))
        return result


class Out(nn.Module):
    """The head."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        result: torch.Tensor = self.conv(x)
        return result


class MilesialUNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: MilesialUNetSettings) -> None:
        super().__init__()
        self.poolings, bias = settings.poolings, settings.bias
        half = 2 if settings.bilinear else 1  # interpolation keeps channels, so they are fewer
        widths = [settings.width << level for level in range(self.poolings + 1)]
        self.inc = Double(settings.in_channels, widths[0], widths[0], bias)
        for level in range(1, self.poolings + 1):
            outputs = widths[level] // (half if level == self.poolings else 1)
            self.add_module(f"down{level}", Down(widths[level - 1], outputs, bias))
        for number in range(1, self.poolings + 1):
            fine = widths[self.poolings - number]
            outputs = fine // (half if number < self.poolings else 1)
            self.add_module(f"up{number}", Up(2 * fine, outputs, settings))
        self.outc = Out(widths[0], settings.out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, y, x)
            Of any size that is at least the grid.

        Returns
        -------
        Tensor, shape (n, out_channels, y, x)
        """
        skips = [self.inc(x)]
        for level in range(1, self.poolings + 1):
            skips.append(self.get_submodule(f"down{level}")(skips[-1]))
        x = skips.pop()
        for number in range(1, self.poolings + 1):
            x = self.get_submodule(f"up{number}")(x, skips.pop())
        result: torch.Tensor = self.outc(x)
        return result


def _read(shapes: Shapes) -> MilesialUNetSettings | None:
    first, head = shapes.get("inc.double_conv.0.weight"), shapes.get("outc.conv.weight")
    if first is None or head is None:
        return None
    poolings = 0
    while f"down{poolings + 1}.maxpool_conv.1.double_conv.0.weight" in shapes:
        poolings += 1
    return MilesialUNetSettings(
        in_channels=first[1],
        out_channels=head[0],
        width=first[0],
        poolings=poolings,
        bilinear="up1.up.weight" not in shapes,
        bias="inc.double_conv.0.bias" in shapes,
    )


KIND = NetworkKind(TITLE, MilesialUNetSettings, MilesialUNet, _read)
