"""Layers with the rules of Keras: uneven padding, cropping of transposed convolutions, PReLU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - the usual name

Attrs = Mapping[str, Any]


class Conv2d(nn.Conv2d):
    """A convolution that pads as ``same`` of Keras does, more at the end."""

    same = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the convolution."""
        return super().forward(padded(x, self) if self.same else x)


class Conv3d(nn.Conv3d):
    """The same in a volume."""

    same = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the convolution."""
        return super().forward(padded(x, self) if self.same else x)


def padded(x: torch.Tensor, layer: Any) -> torch.Tensor:
    """Return the image with the zeros that ``same`` adds before this layer."""
    extents = [(k - 1) * d + 1 for k, d in zip(layer.kernel_size, layer.dilation, strict=True)]
    return pad_same(x, extents, layer.stride)


def pad_same(
    x: torch.Tensor, extents: Sequence[int], strides: Sequence[int], value: float = 0.0
) -> torch.Tensor:
    """Return the image padded so that each length becomes its stride's share, rounded up."""
    amounts: list[int] = []
    for length, extent, stride in zip(x.shape[2:], extents, strides, strict=True):
        total = max((-(-length // stride) - 1) * stride + extent - length, 0)
        amounts[:0] = [total // 2, total - total // 2]
    return F.pad(x, amounts, value=value) if any(amounts) else x


def convolution(dims: int, inputs: int, attrs: Attrs, *, groups: int, outputs: int) -> nn.Module:
    """Return a convolution; what can be padded evenly is padded by the layer itself."""
    kernel, strides = tuple(attrs["kernel"]), tuple(attrs["strides"])
    dilation = tuple(attrs.get("dilation", (1,) * dims))
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    same = attrs["padding"] == "same"
    even = same and all(s == 1 for s in strides) and all(e % 2 for e in extents)
    kind: Any = Conv2d if dims == 2 else Conv3d
    layer: Any = kind(
        inputs,
        outputs,
        kernel,
        stride=strides,
        padding=tuple(e // 2 for e in extents) if even else 0,
        dilation=dilation,
        groups=groups,
        bias=attrs.get("bias", True),
    )
    layer.same = same and not even
    module: nn.Module = layer
    return module


class Separable(nn.Module):
    """Depthwise, then pointwise."""

    def __init__(self, dims: int, inputs: int, attrs: Attrs) -> None:
        super().__init__()
        middle = inputs * attrs["multiplier"]
        ones = [1] * dims
        first = {**attrs, "bias": False}
        second = {
            "kernel": ones,
            "strides": ones,
            "padding": "valid",
            "bias": attrs.get("bias", True),
        }
        self.depthwise = convolution(dims, inputs, first, groups=inputs, outputs=middle)
        self.pointwise = convolution(dims, middle, second, groups=1, outputs=attrs["filters"])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the convolution."""
        result: torch.Tensor = self.pointwise(self.depthwise(x))
        return result


class Transposed(nn.Module):
    """A transposed convolution with the size and place that Keras gives it."""

    def __init__(self, dims: int, inputs: int, attrs: Attrs) -> None:
        super().__init__()
        kind: Any = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d
        kernel, strides = tuple(attrs["kernel"]), tuple(attrs["strides"])
        # Keras fills up where the kernel is shorter than the stride; torch's word for it:
        rest = tuple(max(s - k, 0) for s, k in zip(strides, kernel, strict=True))
        self.layer = kind(
            inputs,
            attrs["filters"],
            kernel,
            stride=strides,
            output_padding=rest,
            bias=attrs.get("bias", True),
        )
        self.same = attrs["padding"] == "same"

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the enlarged image."""
        result: torch.Tensor = self.layer(x)
        if not self.same:
            return result
        for axis, stride in enumerate(self.layer.stride, start=2):
            wanted = x.shape[axis] * stride
            result = result.narrow(axis, (result.shape[axis] - wanted) // 2, wanted)
        return result


class Slopes(nn.Module):
    """PReLU with one slope a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the input, negative values times their slope."""
        return F.prelu(x, self.weight)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel."""

    def __init__(self, channels: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the normalised image."""
        last = F.layer_norm(
            x.movedim(1, -1), (x.shape[1],), weight=self.weight, bias=self.bias, eps=self.eps
        )
        return last.movedim(-1, 1)


def batch_norm(dims: int, channels: int, attrs: Attrs) -> nn.Module:
    """Return a batch normalisation; momentum is the share of the new batch, as torch counts."""
    kind = nn.BatchNorm2d if dims == 2 else nn.BatchNorm3d
    return kind(channels, eps=float(attrs["eps"]), momentum=1 - float(attrs.get("momentum", 0.99)))


def module_of(op: str, dims: int, inputs: int, outputs: int, attrs: Attrs) -> nn.Module:
    """Return the module of a layer with weights."""
    if op == "conv":
        return convolution(dims, inputs, attrs, groups=attrs.get("groups", 1), outputs=outputs)
    if op == "depthwise":
        return convolution(dims, inputs, attrs, groups=inputs, outputs=outputs)
    if op == "dense":
        ones = [1] * dims
        plain = {
            "kernel": ones,
            "strides": ones,
            "padding": "valid",
            "bias": attrs.get("bias", True),
        }
        return convolution(dims, inputs, plain, groups=1, outputs=outputs)
    if op == "separable":
        return Separable(dims, inputs, attrs)
    if op == "transposed":
        return Transposed(dims, inputs, attrs)
    if op == "batch_norm":
        return batch_norm(dims, inputs, attrs)
    if op == "group_norm":
        return nn.GroupNorm(attrs["groups"], inputs, eps=float(attrs["eps"]))
    if op == "layer_norm":
        return ChannelNorm(inputs, float(attrs["eps"]))
    return Slopes(inputs)
