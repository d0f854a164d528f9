"""The U-Net of MONAI (Kerfoot et al. 2019; Cardoso et al. 2022), in our own words.

Strided convolutions down, transposed ones up, each level a pair around the next one; levels may
be residual units.
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
from napari_defectseg.models.layers import activation, normalisation

TITLE = "a U-Net of MONAI"
Steps: TypeAlias = tuple[int, ...]
MOST = 32
CITATION = "Cardoso, M. J. et al. MONAI: an open-source framework for deep learning in healthcare. "
CITATION += "arXiv:2211.02701 (2022)."


@dataclass(frozen=True)
class MonaiUNetSettings:
    """What this network is built from, under MONAI's names where they are plain.

    Parameters
    ----------
    dims, in_channels, out_channels : int
    channels : tuple of int
        Features a level, finest first.
    strides : tuple of tuple of int
        From each level to the next, along each axis.
    kernel, up_kernel : tuple of int
        Of convolutions, and of transposed ones.
    units : int
        Convolutions of a residual unit; 0: plain convolutions.
    norm : str
        ``"batch"``, ``"instance"``, ``"group"`` or ``"none"``.
    affine : bool
        Whether the normalisation has weights.
    act : str
    slope : float
        Of a leaky ReLU.
    bias : bool
    """

    dims: int = 2
    in_channels: int = 1
    out_channels: int = 2
    channels: Steps = (16, 32, 64, 128, 256)
    strides: tuple[Steps, ...] = ((2, 2),) * 4
    kernel: Steps = (3, 3)
    up_kernel: Steps = (3, 3)
    units: int = 2
    norm: str = "instance"
    affine: bool = False
    act: str = "prelu"
    slope: float = 0.01
    bias: bool = True

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, *self.channels)
        check_positive(TITLE, *(n for s in (*self.strides, self.kernel, self.up_kernel) for n in s))
        lengths = {len(s) for s in (*self.strides, self.kernel, self.up_kernel)}
        if lengths != {self.dims} or self.dims not in (2, 3):
            raise ModelError(f"{TITLE.capitalize()} has strides and kernels of 2 or 3 axes.")
        if len(self.channels) < 2 or len(self.strides) != len(self.channels) - 1:
            raise ModelError(f"{TITLE.capitalize()} has one stride less than levels, one at least.")
        if any(n % 2 == 0 for n in (*self.kernel, *self.up_kernel)):
            raise ModelError(f"Kernels of {TITLE} have odd edges.")
        if not 0 <= self.units <= MOST or len(self.channels) > MOST:
            raise ModelError(f"{TITLE.capitalize()} has {MOST} levels and units at most.")

    @property
    def grid(self) -> int:
        """Pixels of the finest level in one of the coarsest."""
        return math.lcm(*(math.prod(s[axis] for s in self.strides) for axis in range(self.dims)))

    @property
    def halo(self) -> int | None:
        """Field of view, on the grid; instance and group normalisation look at all they see."""
        if self.norm in ("instance", "group"):
            return None
        reach, scale = 0, 1
        each = (max(self.kernel) // 2) * (self.units + 2) + max(self.up_kernel)
        for stride in self.strides:
            scale *= max(stride)
            reach += scale * each
        return -(-(reach + scale * each) // self.grid) * self.grid


class Convolution(nn.Module):
    """Convolution, or a transposed one, then normalisation and activation under ``adn``."""

    def __init__(
        self,
        settings: MonaiUNetSettings,
        inputs: int,
        outputs: int,
        stride: Steps,
        *,
        transposed: bool = False,
        alone: bool = False,
    ) -> None:
        super().__init__()
        s, axis = settings, settings.dims - 2
        kernel = s.up_kernel if transposed else s.kernel
        padding = tuple((k - 1) // 2 for k in kernel)
        if transposed:
            more = tuple(n - 1 for n in stride)
            up = (nn.ConvTranspose2d, nn.ConvTranspose3d)[axis]
            self.conv: nn.Module = up(inputs, outputs, kernel, stride, padding, more, bias=s.bias)  # type: ignore[arg-type]
        else:
            kind = (nn.Conv2d, nn.Conv3d)[axis]
            self.conv = kind(inputs, outputs, kernel, stride, padding, bias=s.bias)  # type: ignore[arg-type]
        self.adn = nn.Sequential()
        if not alone:
            if s.norm != "none":
                norm = normalisation(s.norm, s.dims, outputs, affine=s.affine)
                self.adn.add_module("N", norm)
            self.adn.add_module("A", activation(s.act, s.slope))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.adn(self.conv(x))
        return result


class Unit(nn.Module):
    """A residual unit: convolutions beside a short way."""

    def __init__(
        self,
        settings: MonaiUNetSettings,
        inputs: int,
        outputs: int,
        stride: Steps,
        units: int,
        *,
        last_alone: bool = False,
    ) -> None:
        super().__init__()
        s, ones = settings, (1,) * settings.dims
        self.conv = nn.Sequential()
        before, step = inputs, stride
        for number in range(units):
            alone = last_alone and number == units - 1
            part = Convolution(s, before, outputs, step, alone=alone)
            self.conv.add_module(f"unit{number}", part)
            before, step = outputs, ones
        self.residual: nn.Module = nn.Identity()
        if stride != ones or inputs != outputs:
            kernel = ones if stride == ones else s.kernel
            kind = (nn.Conv2d, nn.Conv3d)[s.dims - 2]
            padding = tuple((k - 1) // 2 for k in kernel)
            self.residual = kind(inputs, outputs, kernel, stride, padding, bias=s.bias)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.conv(x) + self.residual(x)
        return result


class Skip(nn.Module):
    """What a level gets and what the level below makes of it, side by side."""

    def __init__(self, submodule: nn.Module) -> None:
        super().__init__()
        self.submodule = submodule

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return both."""
        return torch.cat([x, self.submodule(x)], dim=1)


def _down(s: MonaiUNetSettings, inputs: int, outputs: int, stride: Steps) -> nn.Module:
    if s.units:
        return Unit(s, inputs, outputs, stride, s.units)
    return Convolution(s, inputs, outputs, stride)


def _up(s: MonaiUNetSettings, inputs: int, outputs: int, stride: Steps, top: bool) -> nn.Module:
    up = Convolution(s, inputs, outputs, stride, transposed=True, alone=top and not s.units)
    if not s.units:
        return up
    return nn.Sequential(up, Unit(s, outputs, outputs, (1,) * s.dims, 1, last_alone=top))


def _level(s: MonaiUNetSettings, inputs: int, outputs: int, level: int) -> nn.Module:
    width, stride = s.channels[level], s.strides[level]
    if level + 2 < len(s.channels):
        below, wide = _level(s, width, width, level + 1), 2 * width
    else:
        coarse = s.channels[level + 1]
        below, wide = _down(s, width, coarse, (1,) * s.dims), width + coarse
    down = _down(s, inputs, width, stride)
    return nn.Sequential(down, Skip(below), _up(s, wide, outputs, stride, top=level == 0))


class MonaiUNet(nn.Sequential):
    """The network; ends at its logits.

    Takes a tensor of shape (n, in_channels, *spatial) whose lengths are multiples of the grid.
    """

    def __init__(self, settings: MonaiUNetSettings) -> None:
        super().__init__(*_level(settings, settings.in_channels, settings.out_channels, 0))  # type: ignore[misc]


def _read(shapes: Shapes) -> MonaiUNetSettings | None:
    units = 0
    while f"0.conv.unit{units}.conv.weight" in shapes:
        units += 1
    first = "0.conv.unit0" if units else "0"
    up = "2.0" if units else "2"
    if f"{first}.conv.weight" not in shapes or f"{up}.conv.weight" not in shapes:
        return None
    channels, strides, prefix = [], [], ""
    dims = len(shapes[f"{first}.conv.weight"]) - 2
    while f"{prefix}{up}.conv.weight" in shapes:
        channels.append(shapes[f"{prefix}{first}.conv.weight"][0])
        strides.append((_stride(shapes, prefix, units),) * dims)
        prefix += "1.submodule."
    bottom = f"{prefix}{first.removeprefix('0').removeprefix('.')}".rstrip(".")
    channels.append(shapes[f"{bottom}.conv.weight"][0])
    weighted = f"{first}.adn.N.weight" in shapes
    batch = f"{first}.adn.N.running_mean" in shapes
    return MonaiUNetSettings(
        dims=dims,
        in_channels=shapes[f"{first}.conv.weight"][1],
        out_channels=shapes[f"{up}.conv.weight"][1],
        channels=tuple(channels),
        strides=tuple(strides),
        kernel=shapes[f"{first}.conv.weight"][2:],
        up_kernel=shapes[f"{up}.conv.weight"][2:],
        units=units,
        norm="batch" if batch else "instance",
        affine=weighted,
        act="prelu" if f"{first}.adn.A.weight" in shapes else "relu",
        bias=f"{first}.conv.bias" in shapes,
    )


def _stride(shapes: Shapes, prefix: str, units: int) -> int:
    """Return 1 where the short way says so, else 2, as nearly all have it."""
    short = shapes.get(f"{prefix}0.residual.weight")
    return 1 if units and (short is None or set(short[2:]) == {1}) else 2


def _about(settings: MonaiUNetSettings) -> Published:
    guessed = ["strides of 2"]
    if settings.norm != "batch":
        guessed.append(f"{settings.norm} normalisation")
    if settings.act != "prelu":
        guessed.append(settings.act)
    words = f"Not in the weights, so taken as most have it: {', '.join(guessed)}."
    return Published({"citation": CITATION, "quirks": (words,)})


KIND = NetworkKind(TITLE, MonaiUNetSettings, MonaiUNet, _read, _about)
