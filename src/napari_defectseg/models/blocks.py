"""Layers that networks share, the same for planes and volumes."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

Norm = Literal["batch", "instance", "group", "none"]
GROUPS = 4
"""Groups of a group normalisation; widths must be multiples of it."""


def convolution(dims: int, inputs: int, outputs: int, *, bias: bool) -> nn.Module:
    """Return a 3 × 3 (× 3) convolution that keeps the size (zeros outside)."""
    kind = nn.Conv2d if dims == 2 else nn.Conv3d
    return kind(inputs, outputs, kernel_size=3, padding=1, bias=bias)


def normalisation(dims: int, channels: int, norm: Norm) -> nn.Module:
    """Return the normalisation layer of that name."""
    if norm == "batch":
        return (nn.BatchNorm2d if dims == 2 else nn.BatchNorm3d)(channels)
    if norm == "instance":
        return (nn.InstanceNorm2d if dims == 2 else nn.InstanceNorm3d)(channels, affine=True)
    if norm == "group":
        return nn.GroupNorm(GROUPS, channels)
    return nn.Identity()


class ConvNormAct(nn.Module):
    """Convolution, normalisation, ReLU."""

    def __init__(self, dims: int, inputs: int, outputs: int, norm: Norm) -> None:
        super().__init__()
        self.conv = convolution(dims, inputs, outputs, bias=norm == "none")
        self.norm = normalisation(dims, outputs, norm)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same spatial size."""
        result: torch.Tensor = self.act(self.norm(self.conv(x)))
        return result


class DoubleConv(nn.Sequential):
    """Two `ConvNormAct` one after the other."""

    def __init__(self, dims: int, inputs: int, outputs: int, norm: Norm) -> None:
        super().__init__(
            ConvNormAct(dims, inputs, outputs, norm), ConvNormAct(dims, outputs, outputs, norm)
        )


def pooling(dims: int) -> nn.Module:
    """Return the maximum over blocks of 2 × 2 (× 2)."""
    return nn.MaxPool2d(2) if dims == 2 else nn.MaxPool3d(2)


def doubling(dims: int, inputs: int, outputs: int) -> nn.Module:
    """Return a transposed convolution that doubles the size, each block from one pixel."""
    kind = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d
    return kind(inputs, outputs, kernel_size=2, stride=2)


def pointwise(dims: int, inputs: int, outputs: int) -> nn.Module:
    """Return a 1 × 1 (× 1) convolution."""
    kind = nn.Conv2d if dims == 2 else nn.Conv3d
    return kind(inputs, outputs, kernel_size=1)


def field_radius(levels: int) -> int:
    """Return how far beyond a cell of the grid its output looks, at most, along one axis.

    The interval of input pixels that the cell depends on is carried backwards through the
    layers. A tile made of whole cells needs this much around it.
    """
    cell = 1 << (levels - 1)
    low, high = 0, cell - 1
    wanted: list[tuple[int, int]] = []
    for _ in range(levels - 1):  # decoder, finest first: two convolutions, then half the size
        low, high = low - 2, high + 2
        wanted.append((low, high))
        low, high = low // 2, high // 2
    low, high = low - 2, high + 2
    for skip_low, skip_high in reversed(wanted):  # encoder, coarsest first
        low, high = min(2 * low, skip_low) - 2, max(2 * high + 1, skip_high) + 2
    return max(-low, high - (cell - 1))
