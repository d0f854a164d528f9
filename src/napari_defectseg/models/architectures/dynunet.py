"""DynUNet of MONAI (after nnU-Net), in our own words: kernels and strides by level and axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.layers import activation, convolution, enlarging, normalisation

TITLE = "a DynUNet of MONAI"
MOST = 32
Steps: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class DynUNetSettings:
    """What this network is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    widths : tuple of int
        Features a level, finest first.
    kernels, strides : tuple of tuple of int
        Of each level along each axis; the stride is that into the level.
    residual : bool
        Whether the blocks of the way down are residual.
    norm : str
        ``"instance"`` or ``"batch"``.
    act : str
    slope : float
        Of a leaky ReLU.
    up_bias : bool
        Of the transposed convolutions.
    heads : int
        Further heads that only training uses.
    """

    in_channels: int = 1
    out_channels: int = 2
    widths: Steps = (32, 64, 128, 256)
    kernels: tuple[Steps, ...] = ((3, 3, 3),) * 4
    strides: tuple[Steps, ...] = ((1, 1, 1), *((2, 2, 2),) * 3)
    residual: bool = False
    norm: str = "instance"
    act: str = "leaky_relu"
    slope: float = 0.01
    up_bias: bool = False
    heads: int = 0

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, *self.widths)
        check_positive(TITLE, *(n for s in (*self.kernels, *self.strides) for n in s))
        axes = {len(s) for s in (*self.kernels, *self.strides)}
        if len(self.widths) > MOST:
            raise ModelError(f"{TITLE.capitalize()} has {MOST} levels at most.")
        if len(self.widths) < 3 or not axes <= {2, 3} or len(axes) != 1:
            raise ModelError(f"{TITLE.capitalize()} has three levels at least, of 2 or 3 axes.")
        if {len(self.kernels), len(self.strides)} != {len(self.widths)}:
            raise ModelError(f"{TITLE.capitalize()} needs kernel and stride of each level.")
        if set(self.strides[0]) != {1} or not 0 <= self.heads < len(self.widths) - 1:
            raise ModelError(
                f"{TITLE.capitalize()} with such a first stride or heads is not known."
            )

    @property
    def dims(self) -> int:
        """Axes of a kernel."""
        return len(self.kernels[0])

    @property
    def grid(self) -> int:
        """Pixels of the finest level in one of the coarsest."""
        return math.lcm(*(math.prod(s[axis] for s in self.strides) for axis in range(self.dims)))

    @property
    def halo(self) -> int | None:
        """Field of view, on the grid; instance normalisation looks at all it sees."""
        if self.norm == "instance":
            return None
        reach, scale = 0, 1
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            scale *= max(stride)
            reach += scale * (4 * (max(kernel) // 2) + 1)
        return -(-reach // self.grid) * self.grid


class Named(nn.Module):
    """A convolution under the name that the files have."""

    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.conv(x)
        return result


class Block(nn.Module):
    """Two convolutions, each with normalisation and activation; perhaps with a short way."""

    def __init__(
        self,
        settings: DynUNetSettings,
        widths: tuple[int, int],
        kernel: Steps,
        stride: Steps,
        *,
        residual: bool = False,
    ) -> None:
        super().__init__()
        s, (inputs, outputs), ones = settings, widths, (1,) * settings.dims
        self.conv1 = Named(convolution(inputs, outputs, kernel, stride, bias=False))
        self.conv2 = Named(convolution(outputs, outputs, kernel, bias=False))
        self.lrelu = activation(s.act, s.slope)
        self.norm1 = normalisation(s.norm, s.dims, outputs)
        self.norm2 = normalisation(s.norm, s.dims, outputs)
        self.residual = residual
        if residual and (inputs != outputs or stride != ones):
            self.conv3 = Named(convolution(inputs, outputs, ones, stride, bias=False))
            self.norm3 = normalisation(s.norm, s.dims, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        found = self.norm2(self.conv2(self.lrelu(self.norm1(self.conv1(x)))))
        if self.residual:
            found = found + (self.norm3(self.conv3(x)) if hasattr(self, "conv3") else x)
        result: torch.Tensor = self.lrelu(found)
        return result


class Up(nn.Module):
    """A transposed convolution, before the finer level, then a block."""

    def __init__(self, settings: DynUNetSettings, level: int) -> None:
        super().__init__()
        s, fine = settings, settings.widths[level - 1]
        up = enlarging(s.widths[level], fine, s.strides[level], bias=s.up_bias)
        self.transp_conv = Named(up)
        self.conv_block = Block(s, (2 * fine, fine), s.kernels[level], (1,) * s.dims)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return features of the size of `skip`."""
        result: torch.Tensor = self.conv_block(torch.cat((self.transp_conv(x), skip), dim=1))
        return result


class DynUNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: DynUNetSettings) -> None:
        super().__init__()
        s = settings
        before = (s.in_channels, *s.widths)
        blocks = [
            Block(s, (before[n], width), s.kernels[n], s.strides[n], residual=s.residual)
            for n, width in enumerate(s.widths)
        ]
        self.input_block, self.bottleneck = blocks[0], blocks[-1]
        self.downsamples = nn.ModuleList(blocks[1:-1])
        self.upsamples = nn.ModuleList(Up(s, n) for n in range(len(s.widths) - 1, 0, -1))
        self.output_block = Named(self._head(s, 0))
        if s.heads:
            self.deep_supervision_heads = nn.ModuleList(
                Named(self._head(s, n + 1)) for n in range(s.heads)
            )

    @staticmethod
    def _head(settings: DynUNetSettings, level: int) -> nn.Module:
        ones = (1,) * settings.dims
        return Named(convolution(settings.widths[level], settings.out_channels, ones))

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
        skips = [self.input_block(x)]
        for block in self.downsamples:
            skips.append(block(skips[-1]))
        x = self.bottleneck(skips[-1])
        for up in self.upsamples:
            x = up(x, skips.pop())
        result: torch.Tensor = self.output_block(x)
        return result


def _read(shapes: Shapes) -> DynUNetSettings | None:
    first, head = "input_block.conv1.conv.weight", "output_block.conv.conv.weight"
    if first not in shapes or head not in shapes:
        return None
    count = 0
    while f"downsamples.{count}.conv1.conv.weight" in shapes:
        count += 1
    names = [first, *(f"downsamples.{n}.conv1.conv.weight" for n in range(count))]
    levels = [shapes[name] for name in (*names, "bottleneck.conv1.conv.weight")]
    ups = [shapes[f"upsamples.{n}.transp_conv.conv.weight"][2:] for n in range(count + 1)]
    heads = 0
    while f"deep_supervision_heads.{heads}.conv.conv.weight" in shapes:
        heads += 1
    return DynUNetSettings(
        in_channels=levels[0][1],
        out_channels=shapes[head][0],
        widths=tuple(shape[0] for shape in levels),
        kernels=tuple(shape[2:] for shape in levels),
        strides=((1,) * (len(levels[0]) - 2), *reversed(ups)),
        residual="bottleneck.conv3.conv.weight" in shapes,
        norm="batch" if "input_block.norm1.running_mean" in shapes else "instance",
        act="leaky_relu",
        up_bias="upsamples.0.transp_conv.conv.bias" in shapes,
        heads=heads,
    )


def _about(settings: DynUNetSettings) -> Published:
    norm = "" if settings.norm == "batch" else f"{settings.norm} normalisation, "
    words = f"Not in the weights, so taken as MONAI has it: {norm}leaky ReLU of {settings.slope:g}."
    return Published({"quirks": (words,)})


KIND = NetworkKind(TITLE, DynUNetSettings, DynUNet, _read, _about)
