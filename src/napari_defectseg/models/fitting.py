"""Feature maps of different sizes made to fit, as published networks do it."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import nn

LEAST = 16
"""Pixels along each axis that networks with four halvings need."""


def doubled(x: torch.Tensor) -> torch.Tensor:
    """Return x at twice the size, bilinear, corners aligned."""
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)


def fitted(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return x with zeros around it, or cut, to the size of `like`; the odd one at the end."""
    dy, dx = like.shape[-2] - x.shape[-2], like.shape[-1] - x.shape[-1]
    return functional.pad(x, (dx // 2, dx - dx // 2, dy // 2, dy - dy // 2))


def lengthened(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return x with zeros below and to the right, up to the size of `like`."""
    return functional.pad(x, (0, like.shape[-1] - x.shape[-1], 0, like.shape[-2] - x.shape[-2]))


def at_least(x: torch.Tensor, least: int = LEAST) -> torch.Tensor:
    """Return x with zeros below and to the right where it is shorter than `least`."""
    return functional.pad(x, (0, max(0, least - x.shape[-1]), 0, max(0, least - x.shape[-2])))


def double_conv(
    inputs: int, outputs: int, *, bias: bool, middle: int | None = None
) -> nn.Sequential:
    """Return two convolutions, each with normalisation and ReLU; `middle`: features between."""
    between = outputs if middle is None else middle
    return nn.Sequential(
        nn.Conv2d(inputs, between, 3, padding=1, bias=bias),
        nn.BatchNorm2d(between),
        nn.ReLU(inplace=True),
        nn.Conv2d(between, outputs, 3, padding=1, bias=bias),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
