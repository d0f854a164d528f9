"""Unet and UnetPlusPlus of segmentation_models_pytorch, in our own words.

An encoder that was made for naming whole images, and a decoder that doubles sizes by
interpolation. Encoders: ResNet and ResNeXt, MobileNetV3.
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

TITLE = "a Unet of segmentation_models_pytorch"
REDUCED = 16
"""Times that features are fewer inside a gate."""
MODES = ("nearest", "nearest-exact", "bilinear", "bicubic", "area")


@dataclass(frozen=True)
class SmpUnetSettings:
    """What these networks are built from.

    Parameters
    ----------
    encoder : str
        ``"resnet"`` or ``"mobilenet"``.
    encoder_settings : mapping
        See `ResNetSettings`, `MobileNetSettings`.
    out_channels : int
    widths : tuple of int
        Features of the decoder, coarsest first; as many as levels of the encoder are used.
    plus : bool
        Whether levels are densely joined (UnetPlusPlus).
    norm : bool
        Whether the decoder has batch normalisation.
    gates : bool
        Whether its blocks weigh channels and places ("scse").
    mode : str
        How sizes are doubled. No weight file tells it.
    """

    encoder: str = "resnet"
    encoder_settings: Mapping[str, Any] = field(default_factory=lambda: asdict(ResNetSettings()))
    out_channels: int = 1
    widths: tuple[int, ...] = (256, 128, 64, 32, 16)
    plus: bool = False
    norm: bool = True
    gates: bool = False
    mode: str = "nearest"

    dims = 2

    def __post_init__(self) -> None:
        check_positive(TITLE, self.out_channels, *self.widths, self.in_channels)
        if not 1 <= len(self.widths) <= 5:
            raise ModelError(f"{TITLE.capitalize()} has one to five levels.")
        if self.mode not in MODES:
            raise ModelError(f"{TITLE.capitalize()} has no interpolation {self.mode!r}.")

    @property
    def inner(self) -> Encoder:
        """The settings of the encoder."""
        return encoder_settings(self.encoder, self.encoder_settings, TITLE.capitalize())

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.inner.in_channels

    @property
    def grid(self) -> int:
        """Pixels of the image in one of the coarsest level."""
        return 1 << len(self.widths)

    @property
    def halo(self) -> int | None:
        """Field of view, on the grid; gates look at all they see."""
        reach = self.inner.reach
        if reach is None or self.gates:
            return None
        depth = len(self.widths)
        each = 2 * (depth if self.plus else 1) + 2
        total = reach[depth] + 1 + sum(each << level for level in range(depth + 1))
        return -(-total // self.grid) * self.grid


class Gates(nn.Module):
    """Channels weighted by what is seen of them in all, and places by what is seen there."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // REDUCED
        if not inner:
            raise ModelError(f"Gates need {REDUCED} features at least, not {width}.")
        self.cSE = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(width, inner, 1),
            nn.ReLU(),
            nn.Conv2d(inner, width, 1),
            nn.Sigmoid(),
        )
        self.sSE = nn.Sequential(nn.Conv2d(width, 1, 1), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = x * self.cSE(x) + x * self.sSE(x)
        return result


class Attention(nn.Module):
    """The gates under the name that the files have."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = Gates(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = self.attention(x)
        return result


def _convolution(settings: SmpUnetSettings, inputs: int, outputs: int) -> nn.Sequential:
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=not settings.norm)
    norm = nn.BatchNorm2d(outputs) if settings.norm else nn.Identity()
    return nn.Sequential(conv, norm, nn.ReLU())


class Block(nn.Module):
    """Twice the size, joined with finer levels, then two convolutions."""

    def __init__(self, settings: SmpUnetSettings, inputs: int, skip: int, outputs: int) -> None:
        super().__init__()
        self.mode = settings.mode
        self.conv1 = _convolution(settings, inputs + skip, outputs)
        self.conv2 = _convolution(settings, outputs, outputs)
        if settings.gates:
            self.attention1, self.attention2 = Attention(inputs + skip), Attention(outputs)

    def forward(
        self, x: torch.Tensor, size: torch.Size, skip: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return features of that size."""
        x = functional.interpolate(x, size=size, mode=self.mode)
        if skip is not None:
            x = torch.cat([x, skip], dim=1)
            x = self.attention1(x) if hasattr(self, "attention1") else x
        x = self.conv2(self.conv1(x))
        return self.attention2(x) if hasattr(self, "attention2") else x


class Decoder(nn.Module):
    """The way up, level by level."""

    def __init__(self, settings: SmpUnetSettings) -> None:
        super().__init__()
        s = settings
        coarse, *skips = s.inner.widths[1 : len(s.widths) + 1][::-1]
        before = (coarse, *s.widths)
        self.blocks = nn.ModuleList(
            Block(s, before[n], skip, width)
            for n, (skip, width) in enumerate(zip((*skips, 0), s.widths, strict=True))
        )

    def forward(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Return features of the size of the image."""
        image, *rest = levels
        x, *skips = rest[::-1]
        for number, block in enumerate(self.blocks):
            skip = skips[number] if number < len(skips) else None
            x = block(x, (skip if skip is not None else image).shape[2:], skip)
        return x


class DenseDecoder(nn.Module):
    """The way up with every level joined to all before it."""

    def __init__(self, settings: SmpUnetSettings) -> None:
        super().__init__()
        s = settings
        coarse, *skips = s.inner.widths[1 : len(s.widths) + 1][::-1]
        before = (coarse, *s.widths)
        self.last = len(s.widths) - 1
        self.blocks = nn.ModuleDict()
        for layer in range(self.last):
            for depth in range(layer + 1):
                inputs = before[layer] if depth == 0 else skips[layer - 1]
                outputs = s.widths[layer] if depth == 0 else skips[layer]
                joined = skips[layer] * (layer + 1 - depth)
                self.blocks[f"x_{depth}_{layer}"] = Block(s, inputs, joined, outputs)
        self.blocks[f"x_0_{self.last}"] = Block(s, before[self.last], 0, s.widths[-1])

    def forward(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Return features of the size of the image."""
        image, *rest = levels
        rest = rest[::-1]
        made: dict[tuple[int, int], torch.Tensor] = {}
        for step in range(self.last):
            for depth in range(self.last - step):
                layer = depth + step
                skip = rest[layer + 1]
                joined = [made[(n, layer)] for n in range(depth + 1, layer + 1)]
                below = rest[depth] if step == 0 else made[(depth, layer - 1)]
                block = self.blocks[f"x_{depth}_{layer}"]
                made[(depth, layer)] = block(below, skip.shape[2:], torch.cat([*joined, skip], 1))
        below = made[(0, self.last - 1)] if self.last else rest[0]
        result: torch.Tensor = self.blocks[f"x_0_{self.last}"](below, image.shape[2:])
        return result


class SmpUnet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: SmpUnetSettings) -> None:
        super().__init__()
        s = settings
        self.encoder = encoder(s.inner, len(s.widths))
        self.decoder = DenseDecoder(s) if s.plus else Decoder(s)
        self.segmentation_head = nn.Sequential(
            nn.Conv2d(s.widths[-1], s.out_channels, 3, padding=1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, y, x)
            Lengths are multiples of the grid.

        Returns
        -------
        Tensor, shape (n, out_channels, y, x)
        """
        result: torch.Tensor = self.segmentation_head(self.decoder(features(self.encoder, x)))
        return result


def _read(shapes: Shapes) -> SmpUnetSettings | None:
    head, known = shapes.get("segmentation_head.0.weight"), read_encoder(shapes)
    if head is None or known is None:
        return None
    plus = "decoder.blocks.x_0_0.conv1.0.weight" in shapes
    stem = "decoder.blocks.x_0_" if plus else "decoder.blocks."
    widths: list[int] = []
    while shape := shapes.get(f"{stem}{len(widths)}.conv1.0.weight"):
        widths.append(shape[0])
    return SmpUnetSettings(
        encoder=known[0],
        encoder_settings=known[1],
        out_channels=head[0],
        widths=tuple(widths),
        plus=plus,
        norm=f"{stem}0.conv1.1.weight" in shapes,
        gates=f"{stem}0.attention2.attention.sSE.0.weight" in shapes,
    )


def _about(settings: SmpUnetSettings) -> Published:
    return Published({"citation": CITATION, **imagenet(settings.in_channels)}, ("preprocessing",))


KIND = NetworkKind(TITLE, SmpUnetSettings, SmpUnet, _read, _about)
