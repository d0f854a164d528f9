"""MFF-Metal (neulmc/MFF-Metal, 2025), student and teacher, in our own words.

"Lightweight metal surface defect segmentation method based on multiscale feature fusion and
knowledge distillation". Three encoder stages of dilated bottlenecks, each fused with the
shrunken image and all earlier stages; two decoder heads, weighted against each other by one
number an image. Student and teacher are one network of different widths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.neu_seg import neu_seg
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

TITLE = "an MFF-Metal network"
TEACHER = (180, 360, 540, 720)
"""Widths of the published teacher; the student's are the default."""
DILATIONS = (
    ((2, 3), (2, 3)),
    ((2, 3), (2, 3), (4, 6), (4, 6)),
    ((2, 3), (2, 3), (4, 6), (4, 6), (8, 12), (8, 12)),
)
"""Of the middle and right branch, by stage and place; no weight file tells them."""
HEAD = (16, 24)


@dataclass(frozen=True)
class MFFMetalSettings:
    """What an MFF-Metal network is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    widths : tuple of int
        Features at full size and after one, two and three halvings; the last three have a
        remainder of 0 or 1 after division by 6.
    blocks : tuple of int
        Bottlenecks of the three stages, at most 2, 4 and 6.
    """

    in_channels: int = 3
    out_channels: int = 4
    widths: tuple[int, ...] = (30, 60, 90, 120)
    blocks: tuple[int, ...] = (2, 2, 6)

    dims = 2
    grid = 8
    halo = None
    """Two kinds of its layers look at the mean of the whole image."""

    def __post_init__(self) -> None:
        if len(self.widths) != 4 or len(self.blocks) != 3:
            raise ModelError("An MFF-Metal network has 4 widths and 3 numbers of blocks.")
        check_positive(TITLE, self.in_channels, self.out_channels, *self.widths, *self.blocks)
        if any(width % 6 > 1 for width in self.widths[1:]) or min(self.widths[1:]) < 6:
            raise ModelError(
                "The second to fourth width of an MFF-Metal network are multiples of 6, "
                "or one more."
            )
        if any(n > len(known) for n, known in zip(self.blocks, DILATIONS, strict=True)):
            raise ModelError("An MFF-Metal network has at most 2, 4 and 6 blocks in its stages.")


class Init(nn.Module):
    """Three convolutions at full size, two of them dilated."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.init_conv = nn.Sequential(
            Conv(inputs, width, 3),
            Conv(width, width, 3, dilation=2),
            Conv(width, width, 3, dilation=2),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = self.init_conv(x)
        return result


class Fusion(nn.Module):
    """A stage, the image, and earlier features weighted by channel, made one."""

    def __init__(self, stage: int, image: int, rest: int) -> None:
        super().__init__()
        self.PMCA = ChannelAttention(rest)
        self.bn_prelu = BNPReLU(stage + image + rest)
        self.conv1x1 = Conv(stage + image + rest, stage, 1, act=False)

    def forward(
        self, stage: torch.Tensor, image: torch.Tensor, rest: list[torch.Tensor]
    ) -> torch.Tensor:
        """Return features of the stage's shape."""
        joined = torch.cat([stage, image, self.PMCA(torch.cat(rest, dim=1))], dim=1)
        result: torch.Tensor = self.conv1x1(self.bn_prelu(joined))
        return result


class Head(TwoLevelHead):
    """Logits from two neighbouring levels, and how much the head counts."""

    def __init__(self, mid: int, deep: int, classes: int) -> None:
        super().__init__(mid, deep, classes, HEAD, counted=True)

    def forward(self, mid: torch.Tensor, deep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits at twice the size of `deep`, and a number an image."""
        logits, both = super().forward(mid, deep)
        return logits, self.scale_atten(both).mean((2, 3), keepdim=True)


class MAD(nn.Module):
    """Both heads, and the softmax of what they count."""

    def __init__(self, widths: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self.max_re48 = Head(widths[2], widths[3], classes)
        self.max_re24 = Head(widths[1], widths[2], classes)

    def forward(
        self, f0: torch.Tensor, f1: torch.Tensor, f2: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the logits of both heads at full size, and their weights (n, 2, 1, 1)."""
        coarse, g48 = self.max_re48(f1, f2)
        fine, g24 = self.max_re24(f0, f1)
        size = (8 * f2.shape[-2], 8 * f2.shape[-1])
        weights = torch.softmax(torch.cat([g48, g24], dim=1), dim=1)
        return resized(coarse, size), resized(fine, size), weights


class MFFMetal(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: MFFMetalSettings) -> None:
        super().__init__()
        c1, c2, c3, c4 = settings.widths
        image = settings.in_channels
        self.Init_Block = Init(image, c1)
        self.downsample_0 = Downsampling(c1, c2, 2)
        self.SEM_B_Block0 = _stage(0, c2, settings)
        self.FFM_B0 = Fusion(c2, image, c2 + c1)
        self.downsample_1 = Downsampling(c2, c3, 2)
        self.SEM_B_Block1 = _stage(1, c3, settings)
        self.FFM_B1 = Fusion(c3, image, c3 + c2 + c1)
        self.downsample_2 = Downsampling(c3, c4, 2)
        self.SEM_B_Block2 = _stage(2, c4, settings)
        self.FFM_B2 = Fusion(c4, image, c4 + c3 + c2 + c1)
        self.MAD = MAD(settings.widths, settings.out_channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, y, x)
            Lengths are multiples of 8.

        Returns
        -------
        Tensor, shape (n, out_channels, y, x)
        """
        i0 = self.Init_Block(x)
        d0 = self.downsample_0(i0)
        f0 = self.FFM_B0(self.SEM_B_Block0(d0), averaged(x, 1), [d0, averaged(i0, 1)])
        d1 = self.downsample_1(f0)
        rest = [d1, averaged(f0, 1), averaged(i0, 2)]
        f1 = self.FFM_B1(self.SEM_B_Block1(d1), averaged(x, 2), rest)
        d2 = self.downsample_2(f1)
        rest = [d2, averaged(f1, 1), averaged(f0, 2), averaged(i0, 3)]
        f2 = self.FFM_B2(self.SEM_B_Block2(d2), averaged(x, 3), rest)
        coarse, fine, weights = self.MAD(f0, f1, f2)
        result: torch.Tensor = coarse * weights[:, :1] + fine * weights[:, 1:]
        return result


def _stage(number: int, width: int, settings: MFFMetalSettings) -> Stage:
    pairs = DILATIONS[number][: settings.blocks[number]]
    return Stage(
        number, [Bottleneck(width, {"left": 1, "middle": a, "right": b}) for a, b in pairs]
    )


def _read(shapes: Shapes) -> MFFMetalSettings | None:
    first = shapes.get("Init_Block.init_conv.0.conv.weight")
    head = shapes.get("MAD.max_re48.PwConv2.conv.weight")
    if first is None or head is None:
        return None
    counts = tuple(
        len({m[0] for n in shapes if (m := re.match(rf"SEM_B_Block{f}\.SEM_B_Block\.[^.]+", n))})
        for f in range(3)
    )
    widths = (first[0], *(shapes[f"FFM_B{f}.conv1x1.conv.weight"][0] for f in range(3)))
    return MFFMetalSettings(first[1], head[0], widths, counts)


def _about(settings: MFFMetalSettings) -> Published:
    kind = "A teacher" if settings.widths[0] >= 90 else "A student"
    return neu_seg(
        f"{kind} of MFF-Metal, for defects on the surface of steel strip (200 × 200 px).",
        settings.in_channels,
        settings.out_channels,
        (
            "Means of the whole image enter the result, so it is never cut into tiles.",
            "What is added at a border to reach a multiple of 8 changes all of it a little.",
            "The authors' own forward pass returns probabilities; here it ends at the logits.",
            "They report the mean IoU of the defects without the background.",
        ),
    )


KIND = NetworkKind(TITLE, MFFMetalSettings, MFFMetal, _read, _about)
