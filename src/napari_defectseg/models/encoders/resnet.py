"""ResNet and ResNeXt (He et al. 2016; Xie et al. 2017), without their classifier."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from napari_defectseg.models.architecture import Shapes

LAYERS = 4


@dataclass(frozen=True)
class ResNetSettings:
    """What this encoder is built from.

    Parameters
    ----------
    in_channels : int
    blocks : tuple of int
        Of the four layers: (2, 2, 2, 2) is ResNet-18, (3, 4, 6, 3) ResNet-34 and ResNet-50.
    stem : int
        Features of the first convolution; layer n puts out ``stem * 2**n``, four times as many
        with bottlenecks.
    bottleneck : bool
        Three convolutions a block.
    inner : int
        Features inside the blocks of the first layer.
    groups : int
        Of the convolution in the middle of a bottleneck.
    """

    in_channels: int = 3
    blocks: tuple[int, ...] = (3, 4, 6, 3)
    stem: int = 64
    bottleneck: bool = False
    inner: int = 64
    groups: int = 1

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the input and of the five levels, finest first."""
        times = 4 if self.bottleneck else 1
        return (self.in_channels, self.stem, *(self.stem * times << n for n in range(LAYERS)))

    @property
    def reach(self) -> tuple[int, ...]:
        """How far each level looks along an axis, in px of the input."""
        found, reach, scale = [0, 3], 3 + 2, 4
        for number, count in enumerate(self.blocks):
            scale <<= number > 0
            reach += scale * count * (1 if self.bottleneck else 2)
            found.append(reach)
        return tuple(found)


def read_resnet(shapes: Shapes, prefix: str) -> ResNetSettings | None:
    """Return the settings of the encoder whose tensors begin with `prefix`, None if none does."""
    first = shapes.get(f"{prefix}conv1.weight")
    inner = shapes.get(f"{prefix}layer1.0.conv1.weight")
    middle = shapes.get(f"{prefix}layer4.0.conv2.weight")
    if first is None or inner is None or middle is None:
        return None
    blocks = []
    for layer in range(1, LAYERS + 1):
        count = 0
        while f"{prefix}layer{layer}.{count}.conv1.weight" in shapes:
            count += 1
        blocks.append(count)
    bottleneck = f"{prefix}layer1.0.conv3.weight" in shapes
    return ResNetSettings(
        in_channels=first[1],
        blocks=tuple(blocks),
        stem=first[0],
        bottleneck=bottleneck,
        inner=inner[0],
        groups=middle[0] // middle[1] if bottleneck else 1,
    )


def _convolution(
    inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1
) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, groups=groups, bias=False)


class Block(nn.Module):
    """Two or three convolutions beside a short way."""

    def __init__(
        self, settings: ResNetSettings, inputs: int, inner: int, outputs: int, stride: int
    ) -> None:
        super().__init__()
        s = settings
        if s.bottleneck:
            self.conv1 = _convolution(inputs, inner, 1)
            self.conv2 = _convolution(inner, inner, 3, stride, s.groups)
            self.conv3 = _convolution(inner, outputs, 1)
            self.bn3 = nn.BatchNorm2d(outputs)
        else:
            self.conv1 = _convolution(inputs, inner, 3, stride)
            self.conv2 = _convolution(inner, outputs, 3)
        self.bn1 = nn.BatchNorm2d(inner)
        self.bn2 = nn.BatchNorm2d(inner if s.bottleneck else outputs)
        if stride != 1 or inputs != outputs:
            short = _convolution(inputs, outputs, 1, stride)
            self.downsample = nn.Sequential(short, nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        found = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, "conv3"):
            found = self.bn3(self.conv3(torch.relu(found)))
        short = self.downsample(x) if hasattr(self, "downsample") else x
        return torch.relu(found + short)


class ResNet(nn.Module):
    """The encoder; gives the input and the features of up to five levels."""

    def __init__(self, settings: ResNetSettings, depth: int = 5) -> None:
        super().__init__()
        s, self.depth = settings, depth
        self.conv1 = _convolution(s.in_channels, s.stem, 7, 2)
        self.bn1 = nn.BatchNorm2d(s.stem)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        before = s.stem
        for number, (count, outputs) in enumerate(zip(s.blocks, s.widths[2:], strict=True)):
            inner = s.inner << number
            layer = nn.Sequential()
            for position in range(count):
                stride = 2 if position == 0 and number else 1
                layer.append(Block(s, before, inner, outputs, stride))
                before = outputs
            self.add_module(f"layer{number + 1}", layer)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return features, finest first, the input before them."""
        found = [x, torch.relu(self.bn1(self.conv1(x)))]
        for level in range(2, self.depth + 1):
            below = self.maxpool(found[-1]) if level == 2 else found[-1]
            found.append(self.get_submodule(f"layer{level - 1}")(below))
        return found[: self.depth + 1]
