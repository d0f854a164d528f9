"""Layers of the networks of LMFFNet's family: MFF-Metal and its comparison (own words)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as functional
from torch import nn

EPS = 1e-3
"""Of every batch normalisation in this family; torch's own default is 1e-5."""


class BNPReLU(nn.Module):
    """Batch normalisation, then a ReLU with one learnt slope a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(channels, eps=EPS)
        self.acti = nn.PReLU(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        result: torch.Tensor = self.acti(self.bn(x))
        return result


class Conv(nn.Module):
    """Convolution without bias, with or without `BNPReLU`.

    Parameters
    ----------
    inputs, outputs : int
    kernel : int
    stride, dilation, groups : int
    padding : int, optional
        None: what keeps the size at stride 1.
    act : bool
        Whether normalisation and activation follow.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: int | None = None,
        dilation: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        super().__init__()
        around = dilation * (kernel - 1) // 2 if padding is None else padding
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, around, dilation, groups, bias=False)
        self.bn_prelu = BNPReLU(outputs) if act else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.bn_prelu(self.conv(x))
        return result


class Downsampling(nn.Module):
    """Half the size: a strided convolution, beside it the maximum of the input if wider.

    Parameters
    ----------
    inputs, outputs : int
    kernel : int
        2 (without padding) or 3 (padded by 1).
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.pools = inputs < outputs
        made = outputs - inputs if self.pools else outputs
        self.conv3x3 = Conv(inputs, made, kernel, stride=2, padding=kernel // 3, act=False)
        self.bn_prelu = BNPReLU(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of half the size."""
        made = self.conv3x3(x)
        if self.pools:
            made = torch.cat([made, functional.max_pool2d(x, 2, 2)], dim=1)
        result: torch.Tensor = self.bn_prelu(made)
        return result


class Resume(nn.Module):
    """The end of a bottleneck: back to all channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv3x3 = Conv(inputs, inputs, 3)
        self.conv1x1_resume = Conv(inputs, outputs, 1, act=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.conv1x1_resume(self.conv3x3(x))
        return result


class Bottleneck(nn.Module):
    """Depthwise convolutions of several dilations on parts of the channels, with a bypass.

    Parameters
    ----------
    channels : int
    dilations : mapping of str to int
        Name of a branch to its dilation, in the order of the parts.
    """

    def __init__(self, channels: int, dilations: Mapping[str, int]) -> None:
        super().__init__()
        half, parts = channels // 2, len(dilations)
        each = channels // (2 * parts)
        self.branches = tuple(f"dconv_{name}" for name in dilations)
        edges = [0, *(round(half * i / parts) for i in range(1, parts)), half]
        self.sizes = [stop - start for start, stop in pairwise(edges)]
        self.conv3x3 = Conv(channels, half, 3)
        for name, dilation in dilations.items():
            branch = Conv(each, each, 3, dilation=dilation, groups=each)
            self.add_module(f"dconv_{name}", branch)
        self.bn_relu_1 = BNPReLU(channels)
        self.conv3x3_resume = Resume(half, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        parts = torch.split(self.conv3x3(x), self.sizes, dim=1)
        seen = [
            self.get_submodule(name)(part) for name, part in zip(self.branches, parts, strict=True)
        ]
        result: torch.Tensor = self.bn_relu_1(self.conv3x3_resume(torch.cat(seen, dim=1)) + x)
        return result


class Stage(nn.Module):
    """Bottlenecks one after the other.

    Parameters
    ----------
    number : int
        Of the stage, part of the names of its blocks.
    blocks : sequence of Bottleneck
    """

    def __init__(self, number: int, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.SEM_B_Block = nn.Sequential()
        for place, block in enumerate(blocks):
            self.SEM_B_Block.add_module(f"SEM_Block_{number}{place}", block)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        result: torch.Tensor = self.SEM_B_Block(x)
        return result


class Squeeze(nn.Module):
    """Weights of channels from one number each."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 8
        self.fc = nn.Sequential(
            nn.Linear(channels, inner, bias=False),
            nn.PReLU(),
            nn.Linear(inner, channels, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return weights of shape (n, channels)."""
        result: torch.Tensor = self.fc(x)
        return result


class ChannelAttention(nn.Module):
    """Channels weighted by what the whole image holds: its mean and those of its quarters."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv2x2 = Conv(channels, channels, 2, padding=0, groups=channels, act=False)
        self.SE_Block = Squeeze(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        quarters = self.conv2x2(functional.adaptive_avg_pool2d(x, 2))
        seen = (quarters + functional.adaptive_avg_pool2d(x, 1)).flatten(1)
        result: torch.Tensor = x * self.SE_Block(seen)[:, :, None, None]
        return result


def averaged(x: torch.Tensor, times: int) -> torch.Tensor:
    """Return x averaged to half its size so many times; zeros around it count."""
    for _ in range(times):
        x = functional.avg_pool2d(x, 3, 2, 1)
    return x


def resized(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Return x interpolated bilinearly to a size, corners not aligned."""
    return functional.interpolate(x, list(size), mode="bilinear", align_corners=False)


class TwoLevelHead(nn.Module):
    """Logits from two neighbouring levels: the deeper one's, weighted by what both see.

    Parameters
    ----------
    mid, deep, classes : int
        Features of both levels, and of the logits.
    taken : tuple of int
        Features that are made of each level before they are joined.
    counted : bool
        Whether it has a layer for how much it counts, in its place among the others.
    """

    def __init__(
        self, mid: int, deep: int, classes: int, taken: tuple[int, int], *, counted: bool = False
    ) -> None:
        super().__init__()
        both = sum(taken)
        self.mid_layer_1x1 = Conv(mid, taken[0], 1, act=False)
        self.deep_layer_1x1 = Conv(deep, taken[1], 1, act=False)
        self.DwConv1 = Conv(both, both, 3, groups=both)
        self.PwConv1 = Conv(both, classes, 1, act=False)
        if counted:
            self.scale_atten = Conv(both, 1, 1, act=False)
        self.DwConv2 = Conv(deep, deep, 3, groups=deep)
        self.PwConv2 = Conv(deep, classes, 1, act=False)

    def forward(self, mid: torch.Tensor, deep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits at twice the size of `deep`, and the joined features they come from."""
        size = (2 * deep.shape[-2], 2 * deep.shape[-1])
        both = torch.cat([self.mid_layer_1x1(mid), resized(self.deep_layer_1x1(deep), size)], dim=1)
        attention = torch.sigmoid(self.PwConv1(self.DwConv1(both)))
        return resized(self.PwConv2(self.DwConv2(deep)), size) * attention, both
