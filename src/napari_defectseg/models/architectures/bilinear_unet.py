"""The bilinear U-Net that MFF-Metal is compared with, in our own words.

Four halvings, bilinear doubling with aligned corners, a head of two 1 × 1 convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.fitting import at_least, double_conv, doubled, fitted
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.neu_seg import neu_seg

TITLE = "a bilinear U-Net"


@dataclass(frozen=True)
class BilinearUNetSettings:
    """What this network is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Features of the finest level.
    """

    in_channels: int = 3
    out_channels: int = 4
    width: int = 32

    dims = 2
    grid = 8
    halo = None
    """With aligned corners every pixel depends on the size of the whole image."""

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.width)


class Double(nn.Module):
    """Two convolutions, under the name that the files have."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.double_conv = double_conv(inputs, outputs, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = self.double_conv(x)
        return result


class Down(nn.Module):
    """Half the size, then two convolutions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = Double(inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of half the size."""
        result: torch.Tensor = self.conv(functional.max_pool2d(x, 2))
        return result


class Up(nn.Module):
    """Twice the size, joined behind the finer level, then two convolutions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = Double(inputs, outputs)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return features of the size of `skip`."""
        result: torch.Tensor = self.conv(torch.cat([skip, fitted(doubled(x), skip)], dim=1))
        return result


class Out(nn.Module):
    """The head."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(inputs, inputs, 1, bias=False)
        self.fc2 = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits."""
        result: torch.Tensor = self.fc2(torch.relu(self.fc1(x)))
        return result


class BilinearUNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: BilinearUNetSettings) -> None:
        super().__init__()
        c = settings.width
        self.inc = Double(settings.in_channels, c)
        self.down1, self.down2 = Down(c, 2 * c), Down(2 * c, 4 * c)
        self.down3, self.down4 = Down(4 * c, 8 * c), Down(8 * c, 8 * c)
        self.up1, self.up2 = Up(16 * c, 4 * c), Up(8 * c, 2 * c)
        self.up3, self.up4 = Up(4 * c, c), Up(2 * c, c)
        self.outc = Out(c, settings.out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, y, x)
            Of any size.

        Returns
        -------
        Tensor, shape (n, out_channels, y, x)
        """
        height, width = x.shape[-2:]
        x1 = self.inc(at_least(x))
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        u = self.up2(self.up1(self.down4(x4), x4), x3)
        result: torch.Tensor = self.outc(self.up4(self.up3(u, x2), x1))
        return result[..., :height, :width]


def _read(shapes: Shapes) -> BilinearUNetSettings | None:
    first, head = shapes.get("inc.double_conv.0.weight"), shapes.get("outc.fc2.weight")
    if first is None or head is None:
        return None
    return BilinearUNetSettings(first[1], head[0], first[0])


def _about(settings: BilinearUNetSettings) -> Published:
    return neu_seg(
        "The U-Net that MFF-Metal is compared with.",
        settings.in_channels,
        settings.out_channels,
        (
            "It interpolates with aligned corners, so it is never cut into tiles.",
            "The authors' own forward pass returns probabilities; here it ends at the logits.",
        ),
    )


KIND = NetworkKind(TITLE, BilinearUNetSettings, BilinearUNet, _read, _about)
