"""LMFFNet (Greak-1124/LMFFNet, 2022, MIT) and the older teacher of MFF-Metal, in our own words.

"LMFFNet: A Well-Balanced Lightweight Network for Fast and Accurate Semantic Segmentation". The
older teacher of MFF-Metal is the same network with other widths and numbers of blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.neu_seg import CITATION, neu_seg
from napari_defectseg.models.pmca import (
    BNPReLU,
    Bottleneck,
    ChannelAttention,
    Conv,
    Downsampling,
    Stage,
    TwoLevelHead,
    averaged,
    resized,
)

TITLE = "an LMFFNet"
DILATIONS = ((2, 2, 2), (4, 4, 8, 8, 16, 16, 32, 32))
HEAD = (16, 32)
OWN_WIDTH = 32
OWN_CITATION = (
    "LMFFNet: A Well-Balanced Lightweight Network for Fast and Accurate Semantic Segmentation "
    "(2022), Greak-1124/LMFFNet."
)


@dataclass(frozen=True)
class LMFFNetSettings:
    """What an LMFFNet is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Features after the first halving, an even number.
    blocks : tuple of int
        Bottlenecks of the two stages, at most 3 and 8.
    """

    in_channels: int = 3
    out_channels: int = 4
    width: int = OWN_WIDTH
    blocks: tuple[int, ...] = (3, 8)

    dims = 2
    grid = 8
    halo = None

    def __post_init__(self) -> None:
        if len(self.blocks) != 2:
            raise ModelError("An LMFFNet has 2 numbers of blocks.")
        check_positive(TITLE, self.in_channels, self.out_channels, self.width, *self.blocks)
        if self.width % 2 or self.width < 4:
            raise ModelError("The width of an LMFFNet is an even number, 4 at least.")
        if any(n > len(known) for n, known in zip(self.blocks, DILATIONS, strict=True)):
            raise ModelError("An LMFFNet has at most 3 and 8 blocks in its stages.")


class Init(nn.Module):
    """Three convolutions, the first of them halving."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.init_conv = nn.Sequential(
            Conv(inputs, width, 3, stride=2), Conv(width, width, 3), Conv(width, width, 3)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of half the size."""
        result: torch.Tensor = self.init_conv(x)
        return result


class Mixed(nn.Module):
    """Features and the shrunken image made one; where asked, other features by channel too."""

    def __init__(self, channels: int, attended: int = 0) -> None:
        super().__init__()
        if attended:
            self.PMCA = ChannelAttention(attended)
        self.bn_prelu = BNPReLU(channels)
        self.conv1x1 = Conv(channels, channels, 1, act=False)

    def forward(
        self, x: torch.Tensor, image: torch.Tensor, attended: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return features of the same size."""
        middle = [] if attended is None else [self.PMCA(attended)]
        result: torch.Tensor = self.conv1x1(self.bn_prelu(torch.cat([x, *middle, image], dim=1)))
        return result


class LMFFNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: LMFFNetSettings) -> None:
        super().__init__()
        image, t = settings.in_channels, settings.width
        self.Init_Block = Init(image, t)
        self.FFM_A = Mixed(t + image)
        self.downsample_1 = Downsampling(t + image, 2 * t, 3)
        self.SEM_B_Block1 = _stage(1, 2 * t, settings)
        self.FFM_B1 = Mixed(4 * t + image, 2 * t)
        self.downsample_2 = Downsampling(4 * t + image, 4 * t, 3)
        self.SEM_B_Block2 = _stage(2, 4 * t, settings)
        self.FFM_B2 = Mixed(8 * t + image, 4 * t)
        self.MAD = TwoLevelHead(4 * t + image, 8 * t + image, settings.out_channels, HEAD)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, y, x)
            Lengths are multiples of 8, or one less.

        Returns
        -------
        Tensor, shape (n, out_channels, y, x)
            Lengths are multiples of 8.
        """
        a = self.FFM_A(self.Init_Block(x), averaged(x, 1))
        d1 = self.downsample_1(a)
        b1 = self.FFM_B1(self.SEM_B_Block1(d1), averaged(x, 2), d1)
        d2 = self.downsample_2(b1)
        b2 = self.FFM_B2(self.SEM_B_Block2(d2), averaged(x, 3), d2)
        logits, _ = self.MAD(b1, b2)
        return resized(logits, (8 * b2.shape[-2], 8 * b2.shape[-1]))


def _stage(number: int, width: int, settings: LMFFNetSettings) -> Stage:
    dilations = DILATIONS[number - 1][: settings.blocks[number - 1]]
    return Stage(number, [Bottleneck(width, {"left": 1, "right": d}) for d in dilations])


def _read(shapes: Shapes) -> LMFFNetSettings | None:
    first = shapes.get("Init_Block.init_conv.0.conv.weight")
    head = shapes.get("MAD.PwConv2.conv.weight")
    if first is None or head is None:
        return None
    counts = tuple(
        len({m[0] for n in shapes if (m := re.match(rf"SEM_B_Block{f}\.SEM_B_Block\.[^.]+", n))})
        for f in (1, 2)
    )
    return LMFFNetSettings(first[1], head[0], first[0], counts)


def _about(settings: LMFFNetSettings) -> Published:
    own = settings.width == OWN_WIDTH
    return neu_seg(
        "LMFFNet." if own else "The older teacher of MFF-Metal, an LMFFNet of another width.",
        settings.in_channels,
        settings.out_channels,
        (
            "Means of the whole image enter the result, so it is never cut into tiles.",
            "What is added at a border to reach a multiple of 8 changes all of it a little.",
        ),
        citation=OWN_CITATION if own else CITATION,
        licence="MIT (code)" if own else "not stated by the authors",
    )


KIND = NetworkKind(TITLE, LMFFNetSettings, LMFFNet, _read, _about)
