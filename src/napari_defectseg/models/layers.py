"""Layers by number of axes and by name, as the networks of other libraries choose them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError

NORMS = ("instance", "batch", "group", "none")
ACTIVATIONS = ("relu", "leaky_relu", "prelu", "gelu", "elu", "silu")


def convolution(
    inputs: int,
    outputs: int,
    kernel: Sequence[int],
    stride: Sequence[int] | None = None,
    *,
    bias: bool = True,
) -> nn.Module:
    """Return a convolution over ``len(kernel)`` axes that keeps the size but for the stride."""
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(kernel) - 1]
    padding = tuple((k - 1) // 2 for k in kernel)
    steps = tuple(stride) if stride is not None else (1,) * len(kernel)
    layer: nn.Module = kind(inputs, outputs, tuple(kernel), steps, padding, bias=bias)  # type: ignore[arg-type]
    return layer


def enlarging(inputs: int, outputs: int, stride: Sequence[int], *, bias: bool = True) -> nn.Module:
    """Return a transposed convolution whose kernel is its stride."""
    kind = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[len(stride) - 1]
    layer: nn.Module = kind(inputs, outputs, tuple(stride), tuple(stride), bias=bias)  # type: ignore[arg-type]
    return layer


def averaging(stride: Sequence[int]) -> nn.Module:
    """Return the mean over blocks."""
    kind = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)[len(stride) - 1]
    layer: nn.Module = kind(tuple(stride), tuple(stride))  # type: ignore[arg-type]
    return layer


def normalisation(
    name: str, dims: int, channels: int, *, affine: bool = True, eps: float = 1e-5, groups: int = 8
) -> nn.Module:
    """Return the normalisation of that name; ``"none"`` changes nothing.

    Raises
    ------
    ModelError
        If there is none of that name, or the groups do not divide the channels.
    """
    if name == "instance":
        kind = (nn.InstanceNorm2d, nn.InstanceNorm3d)[dims - 2]
        return kind(channels, eps=eps, affine=affine)
    if name == "batch":
        return (nn.BatchNorm2d, nn.BatchNorm3d)[dims - 2](channels, eps=eps, affine=affine)
    if name == "group":
        if channels % groups:
            raise ModelError(f"{groups} groups do not divide {channels} channels.")
        return nn.GroupNorm(groups, channels, eps=eps, affine=affine)
    if name == "none":
        return nn.Identity()
    raise ModelError(f"There is no normalisation {name!r}.", hint=f"Known: {', '.join(NORMS)}.")


def activation(name: str, slope: float = 0.01) -> nn.Module:
    """Return the activation of that name; `slope` is that of ``"leaky_relu"``.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    if name == "leaky_relu":
        return nn.LeakyReLU(slope)
    kinds: dict[str, type[nn.Module]] = {
        "relu": nn.ReLU,
        "prelu": nn.PReLU,
        "gelu": nn.GELU,
        "elu": nn.ELU,
        "silu": nn.SiLU,
    }
    if name not in kinds:
        raise ModelError(
            f"There is no activation {name!r}.", hint=f"Known: {', '.join(ACTIVATIONS)}."
        )
    return kinds[name]()


def mean_of(networks: nn.ModuleList, x: torch.Tensor) -> torch.Tensor:
    """Return the mean of what several networks give; one at a time is held in memory."""
    total: torch.Tensor = networks[0](x)
    for network in list(networks)[1:]:
        total = total + network(x)
    return total / len(networks)
