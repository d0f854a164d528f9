"""SegResNet of MONAI (Myronenko 2018, without its autoencoder), in our own words.

Residual blocks with normalisation first, strided convolutions down, interpolation or transposed
convolutions up, levels added.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.layers import activation, convolution, enlarging, normalisation

TITLE = "a SegResNet of MONAI"
MOST_LEVELS, MOST_BLOCKS = 16, 256
CITATION = (
    "Myronenko, A. 3D MRI brain tumor segmentation using autoencoder regularization. BrainLes "
    "(2018), arXiv:1810.11654."
)


@dataclass(frozen=True)
class SegResNetSettings:
    """What this network is built from.

    Parameters
    ----------
    dims, in_channels, out_channels : int
    width : int
        Features of the finest level; each level below has twice as many.
    down, up : tuple of int
        Residual blocks a level: finest first; coarsest first.
    norm : str
        ``"group"``, ``"batch"`` or ``"instance"``.
    groups : int
        Of a group normalisation. No weight file tells it.
    act : str
    transposed : bool
        Whether sizes are doubled by transposed convolutions.
    """

    dims: int = 3
    in_channels: int = 1
    out_channels: int = 2
    width: int = 8
    down: tuple[int, ...] = (1, 2, 2, 4)
    up: tuple[int, ...] = (1, 1, 1)
    norm: str = "group"
    groups: int = 8
    act: str = "relu"
    transposed: bool = False

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.width, self.groups)
        check_positive(TITLE, *self.down)
        if self.dims not in (2, 3) or len(self.up) != len(self.down) - 1 or min(self.up) < 0:
            raise ModelError(f"{TITLE.capitalize()} has 2 or 3 axes and one way up for each down.")
        if len(self.down) > MOST_LEVELS or max((*self.down, *self.up)) > MOST_BLOCKS:
            raise ModelError(
                f"{TITLE.capitalize()} has {MOST_LEVELS} levels of {MOST_BLOCKS} blocks at most."
            )
        if self.norm == "group" and self.width % self.groups:
            raise ModelError(f"{self.groups} groups do not divide the {self.width} features.")

    @property
    def grid(self) -> int:
        """Pixels of the finest level in one of the coarsest."""
        return 1 << (len(self.down) - 1)

    @property
    def halo(self) -> int | None:
        """Field of view, on the grid; group and instance normalisation look at all they see."""
        if self.norm != "batch":
            return None
        blocks = [*self.up[::-1], 0]
        reach = 1 + sum(
            (2 * (n + m) + 3) << level
            for level, (n, m) in enumerate(zip(self.down, blocks, strict=True))
        )
        return -(-reach // self.grid) * self.grid


class Bare(nn.Module):
    """A convolution alone, under the name that the files have."""

    def __init__(
        self,
        dims: int,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.conv = convolution(inputs, outputs, (kernel,) * dims, (stride,) * dims, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.conv(x)
        return result


class Block(nn.Module):
    """Twice normalisation, activation, convolution; added to what came in."""

    def __init__(self, settings: SegResNetSettings, width: int) -> None:
        super().__init__()
        s = settings
        self.norm1 = normalisation(s.norm, s.dims, width, groups=s.groups, affine=_affine(s))
        self.norm2 = normalisation(s.norm, s.dims, width, groups=s.groups, affine=_affine(s))
        self.act = activation(s.act)
        self.conv1, self.conv2 = Bare(s.dims, width, width), Bare(s.dims, width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        inner = self.conv1(self.act(self.norm1(x)))
        result: torch.Tensor = x + self.conv2(self.act(self.norm2(inner)))
        return result


def _affine(settings: SegResNetSettings) -> bool:
    return settings.norm != "instance"


class Double(nn.Module):
    """Twice the size, by interpolation or a transposed convolution."""

    def __init__(self, settings: SegResNetSettings, width: int) -> None:
        super().__init__()
        if settings.transposed:
            self.deconv = enlarging(width, width, (2,) * settings.dims)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of twice the size."""
        if hasattr(self, "deconv"):
            result: torch.Tensor = self.deconv(x)
            return result
        mode = "bilinear" if x.dim() == 4 else "trilinear"
        return functional.interpolate(x, scale_factor=2, mode=mode, align_corners=False)


class SegResNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: SegResNetSettings) -> None:
        super().__init__()
        s = settings
        self.convInit = Bare(s.dims, s.in_channels, s.width)
        self.down_layers = nn.ModuleList()
        for level, count in enumerate(s.down):
            width = s.width << level
            first = Bare(s.dims, width // 2, width, stride=2) if level else nn.Identity()
            blocks = (Block(s, width) for _ in range(count))
            self.down_layers.append(nn.Sequential(first, *blocks))
        self.up_layers, self.up_samples = nn.ModuleList(), nn.ModuleList()
        for number, count in enumerate(s.up):
            width = s.width << (len(s.up) - 1 - number)
            self.up_layers.append(nn.Sequential(*(Block(s, width) for _ in range(count))))
            narrow = Bare(s.dims, 2 * width, width, kernel=1)
            self.up_samples.append(nn.Sequential(narrow, Double(s, width)))
        norm = normalisation(s.norm, s.dims, s.width, groups=s.groups, affine=_affine(s))
        head = Bare(s.dims, s.width, s.out_channels, kernel=1, bias=True)
        self.conv_final = nn.Sequential(norm, activation(s.act), head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)
            Lengths are multiples of the grid.

        Returns
        -------
        Tensor, shape (n, out_channels, *spatial)
        """
        x = self.convInit(x)
        skips = []
        for down in self.down_layers:
            x = down(x)
            skips.append(x)
        skips.pop()
        for sample, layer in zip(self.up_samples, self.up_layers, strict=True):
            x = layer(sample(x) + skips.pop())
        result: torch.Tensor = self.conv_final(x)
        return result


def _read(shapes: Shapes) -> SegResNetSettings | None:
    first, head = shapes.get("convInit.conv.weight"), shapes.get("conv_final.2.conv.weight")
    if first is None or head is None:
        return None
    levels = 0
    while f"down_layers.{levels}.1.conv1.conv.weight" in shapes:
        levels += 1
    width = first[0]
    batch = "conv_final.0.running_mean" in shapes
    weighted = "conv_final.0.weight" in shapes
    return SegResNetSettings(
        dims=len(first) - 2,
        in_channels=first[1],
        out_channels=head[0],
        width=width,
        down=tuple(_count(shapes, f"down_layers.{n}", 1) for n in range(levels)),
        up=tuple(_count(shapes, f"up_layers.{n}", 0) for n in range(levels - 1)),
        norm="batch" if batch else "group" if weighted else "instance",
        groups=next((n for n in (8, 4, 2) if width % n == 0), 1),
        transposed="up_samples.0.1.deconv.weight" in shapes,
    )


def _count(shapes: Shapes, prefix: str, first: int) -> int:
    number = first
    while f"{prefix}.{number}.conv1.conv.weight" in shapes:
        number += 1
    return number - first


def _about(settings: SegResNetSettings) -> Published:
    words = f"Not in the weights, so taken as most have it: ReLU, {settings.groups} groups."
    return Published({"citation": CITATION, "quirks": (words,)})


KIND = NetworkKind(TITLE, SegResNetSettings, SegResNet, _read, _about)
