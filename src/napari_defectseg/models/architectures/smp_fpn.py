"""FPN of segmentation_models_pytorch (after Kirillov et al. 2017), in our own words.

A pyramid of features of one width, brought to a quarter of the image's size and added or joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.encoders.published import (
    CITATION,
    Encoder,
    encoder,
    encoder_settings,
    features,
    imagenet,
    read_encoder,
)
from napari_defectseg.models.encoders.resnet import ResNetSettings
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.layers import normalisation

TITLE = "an FPN of segmentation_models_pytorch"
GROUPS = 32


@dataclass(frozen=True)
class SmpFPNSettings:
    """What this network is built from.

    Parameters
    ----------
    encoder : str
    encoder_settings : mapping
        As of the Unet.
    out_channels : int
    pyramid, segmentation : int
        Features of the pyramid, and of what is made of each of its levels.
    joined : bool
        Whether levels are put side by side instead of added.
    """

    encoder: str = "resnet"
    encoder_settings: Mapping[str, Any] = field(default_factory=lambda: asdict(ResNetSettings()))
    out_channels: int = 1
    pyramid: int = 256
    segmentation: int = 128
    joined: bool = False

    dims = 2
    halo = None
    grid = 32

    def __post_init__(self) -> None:
        check_positive(TITLE, self.out_channels, self.pyramid, self.segmentation, self.in_channels)
        if self.segmentation % GROUPS:
            raise ModelError(f"{TITLE.capitalize()} normalises in {GROUPS} groups.")

    @property
    def inner(self) -> Encoder:
        """The settings of the encoder."""
        return encoder_settings(self.encoder, self.encoder_settings, TITLE.capitalize())

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.inner.in_channels


class Merge(nn.Module):
    """A coarser level at twice the size, and this one."""

    def __init__(self, pyramid: int, inputs: int) -> None:
        super().__init__()
        self.skip_conv = nn.Conv2d(inputs, pyramid, 1)

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return the sum."""
        up = functional.interpolate(x, scale_factor=2.0, mode="nearest")
        result: torch.Tensor = up + self.skip_conv(skip)
        return result


class Single(nn.Module):
    """Convolution, normalisation in groups, ReLU; perhaps twice the size then."""

    def __init__(self, inputs: int, outputs: int, doubled: bool) -> None:
        super().__init__()
        self.doubled = doubled
        conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        norm = normalisation("group", 2, outputs, groups=GROUPS)
        self.block = nn.Sequential(conv, norm, nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        x = self.block(x)
        return _larger(x, 2) if self.doubled else x


class Segmenting(nn.Module):
    """What brings a level to a quarter of the image's size."""

    def __init__(self, inputs: int, outputs: int, doublings: int) -> None:
        super().__init__()
        first = Single(inputs, outputs, doublings > 0)
        rest = (Single(outputs, outputs, True) for _ in range(doublings - 1))
        self.block = nn.Sequential(first, *rest)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.block(x)
        return result


def _larger(x: torch.Tensor, times: int) -> torch.Tensor:
    return functional.interpolate(x, scale_factor=times, mode="bilinear", align_corners=True)


class Decoder(nn.Module):
    """The pyramid."""

    def __init__(self, settings: SmpFPNSettings) -> None:
        super().__init__()
        s = settings
        self.joined = s.joined
        _, c2, c3, c4, c5 = s.inner.widths[1:]
        self.p5 = nn.Conv2d(c5, s.pyramid, 1)
        self.p4, self.p3 = Merge(s.pyramid, c4), Merge(s.pyramid, c3)
        self.p2 = Merge(s.pyramid, c2)
        self.seg_blocks = nn.ModuleList(
            Segmenting(s.pyramid, s.segmentation, doublings) for doublings in (3, 2, 1, 0)
        )

    def forward(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Return features at a quarter of the image's size."""
        c2, c3, c4, c5 = levels[-4:]
        pyramid = [self.p5(c5)]
        for merge, skip in ((self.p4, c4), (self.p3, c3), (self.p2, c2)):
            pyramid.append(merge(pyramid[-1], skip))
        made = [block(x) for block, x in zip(self.seg_blocks, pyramid, strict=True)]
        return torch.cat(made, dim=1) if self.joined else torch.stack(made).sum(dim=0)


class SmpFPN(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: SmpFPNSettings) -> None:
        super().__init__()
        s = settings
        self.encoder, self.decoder = encoder(s.inner, 5), Decoder(s)
        width = s.segmentation * (4 if s.joined else 1)
        self.segmentation_head = nn.Sequential(nn.Conv2d(width, s.out_channels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, y, x)
            Lengths are multiples of 32.

        Returns
        -------
        Tensor, shape (n, out_channels, y, x)
        """
        return _larger(self.segmentation_head(self.decoder(features(self.encoder, x))), 4)


def _read(shapes: Shapes) -> SmpFPNSettings | None:
    head, known = shapes.get("segmentation_head.0.weight"), read_encoder(shapes)
    first, last = shapes.get("decoder.p5.weight"), "decoder.seg_blocks.3.block.0.block.0.weight"
    if head is None or known is None or first is None or last not in shapes:
        return None
    width = shapes[last][0]
    return SmpFPNSettings(
        encoder=known[0],
        encoder_settings=known[1],
        out_channels=head[0],
        pyramid=first[0],
        segmentation=width,
        joined=head[1] != width,
    )


def _about(settings: SmpFPNSettings) -> Published:
    return Published({"citation": CITATION, **imagenet(settings.in_channels)}, ("preprocessing",))


KIND = NetworkKind(TITLE, SmpFPNSettings, SmpFPN, _read, _about)
