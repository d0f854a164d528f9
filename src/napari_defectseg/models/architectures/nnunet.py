"""The networks of nnU-Net v2 (Isensee et al. 2021, 2024), in our own words.

A U-Net whose kernels and strides differ by level and axis, with strided convolutions: plain
(PlainConvUNet), or with residual blocks on the way down (ResidualEncoderUNet). The networks of
several folds are one network here whose logits are the mean of theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.layers import (
    activation,
    averaging,
    convolution,
    enlarging,
    mean_of,
    normalisation,
)

TITLE = "a U-Net of nnU-Net"
Steps: TypeAlias = tuple[int, ...]
FOLD = "folds."
CITATION = (
    "Isensee, F., Jaeger, P. F., Kohl, S. A. A., Petersen, J. & Maier-Hein, K. H. nnU-Net: a "
    "self-configuring method for deep learning-based biomedical image segmentation. Nature "
    "Methods 18, 203-211 (2021)."
)


@dataclass(frozen=True)
class NNUNetSettings:
    """What these networks are built from.

    Parameters
    ----------
    in_channels, out_channels : int
    residual : bool
        Whether the encoder is made of residual blocks.
    widths : tuple of int
        Features a level, finest first.
    kernels, strides : tuple of tuple of int
        Of each level, along each axis; a stride is that into the level.
    blocks : tuple of int
        Convolutions (or residual blocks) of each level of the encoder.
    convolutions : tuple of int
        Of each level of the decoder, coarsest first.
    bias : bool
        Whether convolutions have one.
    norm : str
        ``"instance"``, ``"batch"`` or ``"none"``.
    nonlinearity : str
    slope, eps : float
        Of the leaky ReLU; of the normalisation.
    folds : int
        Networks whose logits are averaged.
    """

    in_channels: int = 1
    out_channels: int = 2
    residual: bool = False
    widths: Steps = (32, 64, 128, 256, 512, 512)
    kernels: tuple[Steps, ...] = ((3, 3),) * 6
    strides: tuple[Steps, ...] = ((1, 1), *((2, 2),) * 5)
    blocks: Steps = (2,) * 6
    convolutions: Steps = (2,) * 5
    bias: bool = True
    norm: str = "instance"
    nonlinearity: str = "leaky_relu"
    slope: float = 0.01
    eps: float = 1e-5
    folds: int = 1

    def __post_init__(self) -> None:
        check_positive(
            TITLE, self.in_channels, self.out_channels, self.folds, *self.widths, *self.blocks
        )
        check_positive(TITLE, *(n for step in (*self.kernels, *self.strides) for n in step))
        levels = len(self.widths)
        lengths = {len(self.kernels), len(self.strides), len(self.blocks), levels}
        axes = {len(step) for step in (*self.kernels, *self.strides)}
        if levels < 2 or len(lengths) > 1 or len(self.convolutions) != levels - 1:
            raise ModelError(f"{TITLE.capitalize()} needs kernel, stride and blocks of each level.")
        if len(axes) != 1 or not axes <= {2, 3}:
            raise ModelError(f"{TITLE.capitalize()} has 2 or 3 axes in every kernel and stride.")

    @property
    def dims(self) -> int:
        """Axes of a kernel."""
        return len(self.kernels[0])

    @property
    def grid(self) -> int:
        """Pixels of the finest level in one of the coarsest, along the axis with most."""
        along = [math.prod(step[axis] for step in self.strides) for axis in range(self.dims)]
        return math.lcm(*along)

    @property
    def halo(self) -> int | None:
        """Instance normalisation looks at all it sees; the field of view else, on the grid."""
        if self.norm == "instance":
            return None
        reach, scale = 0, 1
        for level, (kernel, stride) in enumerate(zip(self.kernels, self.strides, strict=True)):
            scale *= max(stride)
            each = (2 if self.residual else 1) * self.blocks[level] + self.residual
            decoder = self.convolutions[-1 - level] if level < len(self.convolutions) else 0
            reach += (max(kernel) // 2) * scale * (each + decoder) + scale
        return -(-reach // self.grid) * self.grid


class Block(nn.Module):
    """Convolution, normalisation, nonlinearity."""

    def __init__(
        self,
        settings: NNUNetSettings,
        inputs: int,
        outputs: int,
        kernel: Steps,
        stride: Steps | None = None,
        *,
        bias: bool | None = None,
        active: bool = True,
    ) -> None:
        super().__init__()
        s = settings
        self.conv = convolution(
            inputs, outputs, kernel, stride, bias=s.bias if bias is None else bias
        )
        self.norm = normalisation(s.norm, s.dims, outputs, eps=s.eps)
        self.nonlin = activation(s.nonlinearity, s.slope) if active else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.nonlin(self.norm(self.conv(x)))
        return result


class Stack(nn.Module):
    """Several of them; the first has the stride."""

    def __init__(
        self,
        settings: NNUNetSettings,
        count: int,
        widths: tuple[int, int],
        kernel: Steps,
        stride: Steps | None = None,
    ) -> None:
        super().__init__()
        first = Block(settings, *widths, kernel, stride)
        rest = (Block(settings, widths[1], widths[1], kernel) for _ in range(count - 1))
        self.convs = nn.Sequential(first, *rest)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.convs(x)
        return result


class Residual(nn.Module):
    """Two convolutions beside a short way of mean and 1 × 1 convolution."""

    def __init__(
        self, settings: NNUNetSettings, widths: tuple[int, int], kernel: Steps, stride: Steps
    ) -> None:
        super().__init__()
        inputs, outputs = widths
        self.conv1 = Block(settings, inputs, outputs, kernel, stride)
        self.conv2 = Block(settings, outputs, outputs, kernel, active=False)
        self.nonlin2 = activation(settings.nonlinearity, settings.slope)
        way = [averaging(stride)] if any(n != 1 for n in stride) else []
        if inputs != outputs:
            ones = (1,) * settings.dims
            way.append(Block(settings, inputs, outputs, ones, bias=False, active=False))
        self.skip = nn.Sequential(*way)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.nonlin2(self.conv2(self.conv1(x)) + self.skip(x))
        return result


class ResidualStack(nn.Module):
    """Several residual blocks; the first has the stride."""

    def __init__(
        self,
        settings: NNUNetSettings,
        count: int,
        widths: tuple[int, int],
        kernel: Steps,
        stride: Steps,
    ) -> None:
        super().__init__()
        ones, inner = (1,) * settings.dims, (widths[1], widths[1])
        rest = (Residual(settings, inner, kernel, ones) for _ in range(count - 1))
        self.blocks = nn.Sequential(Residual(settings, widths, kernel, stride), *rest)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.blocks(x)
        return result


class Encoder(nn.Module):
    """The way down."""

    def __init__(self, settings: NNUNetSettings) -> None:
        super().__init__()
        s, before = settings, settings.in_channels
        if s.residual:
            self.stem = Stack(s, 1, (before, s.widths[0]), s.kernels[0])
            before = s.widths[0]
        self.stages = nn.Sequential()
        for level, width in enumerate(s.widths):
            widths, kernel, stride = (before, width), s.kernels[level], s.strides[level]
            stack: nn.Module
            if s.residual:
                stack = ResidualStack(s, s.blocks[level], widths, kernel, stride)
            else:
                stack = nn.Sequential(Stack(s, s.blocks[level], widths, kernel, stride))
            self.stages.append(stack)
            before = width

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of each level, finest first."""
        if hasattr(self, "stem"):
            x = self.stem(x)
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


class Decoder(nn.Module):
    """The way up; of the heads, which training uses at each level, the last one counts."""

    def __init__(self, settings: NNUNetSettings) -> None:
        super().__init__()
        s, ones = settings, (1,) * settings.dims
        self.stages, self.transpconvs = nn.ModuleList(), nn.ModuleList()
        self.seg_layers = nn.ModuleList()
        levels = range(len(s.widths) - 1, 0, -1)
        for level, count in zip(levels, s.convolutions, strict=True):
            coarse, fine = s.widths[level], s.widths[level - 1]
            self.transpconvs.append(enlarging(coarse, fine, s.strides[level], bias=s.bias))
            self.stages.append(Stack(s, count, (2 * fine, fine), s.kernels[level - 1]))
            self.seg_layers.append(convolution(fine, s.out_channels, ones))

    def forward(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Return logits from the features of each level."""
        x, *skips = reversed(levels)
        for up, stage, skip in zip(self.transpconvs, self.stages, skips, strict=True):
            x = stage(torch.cat((up(x), skip), 1))
        result: torch.Tensor = self.seg_layers[-1](x)
        return result


class NNUNet(nn.Module):
    """The network of one fold; ends at its logits."""

    def __init__(self, settings: NNUNetSettings) -> None:
        super().__init__()
        self.encoder = Encoder(settings)
        self.decoder = Decoder(settings)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)
            Lengths are multiples of the strides' product along each axis.

        Returns
        -------
        Tensor, shape (n, out_channels, *spatial)
        """
        result: torch.Tensor = self.decoder(self.encoder(x))
        return result


class Folds(nn.Module):
    """The networks of several folds; ends at the mean of their logits."""

    def __init__(self, settings: NNUNetSettings) -> None:
        super().__init__()
        self.folds = nn.ModuleList(NNUNet(settings) for _ in range(settings.folds))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the mean of the logits."""
        return mean_of(self.folds, x)


def _network(settings: NNUNetSettings) -> nn.Module:
    return Folds(settings) if settings.folds > 1 else NNUNet(settings)


def _read(shapes: Shapes) -> NNUNetSettings | None:
    folds = 1 + max((int(n.split(".")[1]) for n in shapes if n.startswith(FOLD)), default=0)
    if folds > 1:
        first = f"{FOLD}0."
        shapes = {n.removeprefix(first): v for n, v in shapes.items() if n.startswith(first)}
    residual = "encoder.stem.convs.0.conv.weight" in shapes
    start = "encoder.stages.0.blocks.0.conv1" if residual else "encoder.stages.0.0.convs.0"
    if f"{start}.conv.weight" not in shapes or "decoder.seg_layers.0.weight" not in shapes:
        return None
    stages = _count(shapes, "encoder.stages.{}." + start.split(".", 3)[3] + ".conv.weight")
    inner = "encoder.stages.{}.blocks.{}.conv1" if residual else "encoder.stages.{}.0.convs.{}"
    firsts = [shapes[inner.format(n, 0) + ".conv.weight"] for n in range(stages)]
    ups = [shapes[f"decoder.transpconvs.{n}.weight"][2:] for n in range(stages - 1)]
    stem = shapes["encoder.stem.convs.0.conv.weight"] if residual else firsts[0]
    norm = "batch" if f"{start}.norm.running_mean" in shapes else "instance"
    return NNUNetSettings(
        in_channels=stem[1],
        out_channels=shapes["decoder.seg_layers.0.weight"][0],
        residual=residual,
        widths=tuple(shape[0] for shape in firsts),
        kernels=tuple(shape[2:] for shape in firsts),
        strides=((1,) * (len(stem) - 2), *reversed(ups)),
        blocks=tuple(_count(shapes, inner.format(n, "{}") + ".conv.weight") for n in range(stages)),
        convolutions=tuple(
            _count(shapes, f"decoder.stages.{n}.convs.{{}}.conv.weight") for n in range(stages - 1)
        ),
        bias=f"{start}.conv.bias" in shapes,
        norm=norm if f"{start}.norm.weight" in shapes else "none",
        folds=folds,
    )


def _count(shapes: Shapes, pattern: str) -> int:
    number = 0
    while pattern.format(number) in shapes:
        number += 1
    return number


def _about(settings: NNUNetSettings) -> Published:
    unseen = (
        "Not in the weights, so taken as nnU-Net has them: "
        f"{settings.norm} normalisation, leaky ReLU; grey values, patches and classes are in its "
        "plans.json and dataset.json."
    )
    return Published({"citation": CITATION, "quirks": (unseen,)})


KIND = NetworkKind(TITLE, NNUNetSettings, _network, _read, _about)
