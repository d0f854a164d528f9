"""SegFormer (Xie et al. 2021) as transformers names it, in our own words.

Four stages of attention over shortened rows of pixels, then one small head; logits come at a
quarter of the image's size and are brought to it here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.encoders.published import imagenet
from napari_defectseg.models.kind import NetworkKind, check_positive

TITLE = "a SegFormer of transformers"
Steps: TypeAlias = tuple[int, ...]
CITATION = (
    "Xie, E. et al. SegFormer: simple and efficient design for semantic segmentation with "
    "transformers. NeurIPS (2021)."
)


@dataclass(frozen=True)
class SegFormerSettings:
    """What this network is built from; tuples have one value for each stage.

    Parameters
    ----------
    in_channels, out_channels : int
    widths : tuple of int
        Features.
    depths : tuple of int
        Blocks.
    heads : tuple of int
        Of the attention. No weight file tells it.
    shortening : tuple of int
        Pixels along an axis that are one key.
    patches, strides : tuple of int
        Kernel and stride into the stage. No weight file tells the stride.
    mlp : tuple of int
        Times that features are more inside a block.
    decoder : int
        Features of the head.
    """

    in_channels: int = 3
    out_channels: int = 2
    widths: Steps = (32, 64, 160, 256)
    depths: Steps = (2, 2, 2, 2)
    heads: Steps = (1, 2, 5, 8)
    shortening: Steps = (8, 4, 2, 1)
    patches: Steps = (7, 3, 3, 3)
    strides: Steps = (4, 2, 2, 2)
    mlp: Steps = (4, 4, 4, 4)
    decoder: int = 256

    dims = 2
    halo = None

    def __post_init__(self) -> None:
        each = (self.widths, self.depths, self.heads, self.shortening, self.patches)
        every = (*each, self.strides, self.mlp)
        check_positive(TITLE, self.in_channels, self.out_channels, self.decoder)
        check_positive(TITLE, *(n for values in every for n in values))
        if len({len(values) for values in every}) > 1:
            raise ModelError(f"{TITLE.capitalize()} needs every setting of each stage.")
        if any(width % heads for width, heads in zip(self.widths, self.heads, strict=True)):
            raise ModelError(f"Heads {self.heads} do not divide the features {self.widths}.")

    @property
    def grid(self) -> int:
        """Pixels of the image that are one key in the stage where they are most."""
        product = [math.prod(self.strides[: n + 1]) for n in range(len(self.strides))]
        return math.lcm(*(a * b for a, b in zip(product, self.shortening, strict=True)))


class Embedding(nn.Module):
    """A strided convolution, then normalisation of each pixel's features."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
        self.layer_norm = nn.LayerNorm(outputs)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, int, int]:
        """Return rows of features, and the height and width that they make."""
        x = self.proj(x)
        height, width = x.shape[2:]
        return self.layer_norm(_rows(x)), height, width


def _rows(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(2).transpose(1, 2)


def _plane(x: torch.Tensor, height: int, width: int) -> torch.Tensor:
    return x.transpose(1, 2).reshape(x.shape[0], -1, height, width)


class SelfAttention(nn.Module):
    """Attention of every pixel to shortened rows of all."""

    def __init__(self, width: int, heads: int, shortening: int) -> None:
        super().__init__()
        self.heads, self.shortening = heads, shortening
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        if shortening > 1:
            self.sr = nn.Conv2d(width, width, shortening, shortening)
            self.layer_norm = nn.LayerNorm(width)

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        count, length, _ = x.shape
        return x.reshape(count, length, self.heads, -1).transpose(1, 2)

    def forward(self, x: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Return rows of features."""
        keys = x
        if self.shortening > 1:
            keys = self.layer_norm(_rows(self.sr(_plane(x, height, width))))
        query, key, value = (
            self._split(layer(rows))
            for layer, rows in ((self.query, x), (self.key, keys), (self.value, keys))
        )
        found = functional.scaled_dot_product_attention(query, key, value)
        return found.transpose(1, 2).flatten(2)


class Dense(nn.Module):
    """What follows the attention, under the name that the files have."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return rows of features."""
        result: torch.Tensor = self.dense(x)
        return result


class Attention(nn.Module):
    """Attention and what follows it."""

    def __init__(self, width: int, heads: int, shortening: int) -> None:
        super().__init__()
        self.add_module("self", SelfAttention(width, heads, shortening))
        self.output = Dense(width)

    def forward(self, x: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Return rows of features."""
        result: torch.Tensor = self.output(self.get_submodule("self")(x, height, width))
        return result


class DepthWise(nn.Module):
    """A convolution of each channel, under the name that the files have."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 3, padding=1, groups=width)

    def forward(self, x: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Return rows of features."""
        return _rows(self.dwconv(_plane(x, height, width)))


class MixFFN(nn.Module):
    """More features, a convolution of each, fewer again."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.dense1, self.dense2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.dwconv = DepthWise(inner)

    def forward(self, x: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Return rows of features."""
        x = functional.gelu(self.dwconv(self.dense1(x), height, width))
        result: torch.Tensor = self.dense2(x)
        return result


class Block(nn.Module):
    """Attention and features mixed, each added to what came in."""

    def __init__(self, width: int, heads: int, shortening: int, mlp: int) -> None:
        super().__init__()
        self.layer_norm_1, self.layer_norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, shortening)
        self.mlp = MixFFN(width, width * mlp)

    def forward(self, x: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Return rows of features."""
        x = x + self.attention(self.layer_norm_1(x), height, width)
        result: torch.Tensor = x + self.mlp(self.layer_norm_2(x), height, width)
        return result


class Encoder(nn.Module):
    """The stages."""

    def __init__(self, settings: SegFormerSettings) -> None:
        super().__init__()
        s = settings
        before = (s.in_channels, *s.widths)
        stages = range(len(s.widths))
        self.patch_embeddings = nn.ModuleList(
            Embedding(before[n], s.widths[n], s.patches[n], s.strides[n]) for n in stages
        )
        self.block = nn.ModuleList(
            nn.ModuleList(
                Block(s.widths[n], s.heads[n], s.shortening[n], s.mlp[n])
                for _ in range(s.depths[n])
            )
            for n in stages
        )
        self.layer_norm = nn.ModuleList(nn.LayerNorm(width) for width in s.widths)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of each stage."""
        found = []
        for embed, blocks, norm in zip(
            self.patch_embeddings, self.block, self.layer_norm, strict=True
        ):
            rows, height, width = embed(x)
            for block in blocks.children():
                rows = block(rows, height, width)
            x = _plane(norm(rows), height, width)
            found.append(x)
        return found


class Projection(nn.Module):
    """A linear layer under the name that the files have."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.proj = nn.Linear(inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the plane with other features."""
        return _plane(self.proj(_rows(x)), *x.shape[2:])


class Head(nn.Module):
    """All stages at the size of the first, joined."""

    def __init__(self, settings: SegFormerSettings) -> None:
        super().__init__()
        s = settings
        self.linear_c = nn.ModuleList(Projection(width, s.decoder) for width in s.widths)
        self.linear_fuse = nn.Conv2d(s.decoder * len(s.widths), s.decoder, 1, bias=False)
        self.batch_norm = nn.BatchNorm2d(s.decoder)
        self.classifier = nn.Conv2d(s.decoder, s.out_channels, 1)

    def forward(self, stages: list[torch.Tensor]) -> torch.Tensor:
        """Return logits at the size of the first stage."""
        size = stages[0].shape[2:]
        made = [
            functional.interpolate(layer(x), size=size, mode="bilinear", align_corners=False)
            for layer, x in zip(self.linear_c, stages, strict=True)
        ]
        x = torch.relu(self.batch_norm(self.linear_fuse(torch.cat(made[::-1], dim=1))))
        result: torch.Tensor = self.classifier(x)
        return result


class SegFormer(nn.Module):
    """The network; ends at its logits, at the size of the image."""

    def __init__(self, settings: SegFormerSettings) -> None:
        super().__init__()
        self.segformer = nn.Module()
        self.segformer.encoder = Encoder(settings)
        self.decode_head = Head(settings)

    def coarse(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits at a quarter of the size, as transformers gives them."""
        result: torch.Tensor = self.decode_head(self.segformer.encoder(x))  # type: ignore[operator]
        return result

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
        size = x.shape[2:]
        return functional.interpolate(
            self.coarse(x), size=size, mode="bilinear", align_corners=False
        )


def _read(shapes: Shapes) -> SegFormerSettings | None:
    head, first = shapes.get("decode_head.classifier.weight"), "segformer.encoder."
    if head is None or f"{first}patch_embeddings.0.proj.weight" not in shapes:
        return None
    stages = 0
    while f"{first}patch_embeddings.{stages}.proj.weight" in shapes:
        stages += 1
    embed = [shapes[f"{first}patch_embeddings.{n}.proj.weight"] for n in range(stages)]
    widths = tuple(shape[0] for shape in embed)
    depths, shortening, mlp = [], [], []
    for n in range(stages):
        depth, block = 0, f"{first}block.{n}."
        while f"{block}{depth}.layer_norm_1.weight" in shapes:
            depth += 1
        depths.append(depth)
        shortening.append(shapes.get(f"{block}0.attention.self.sr.weight", (0, 0, 1))[2])
        mlp.append(shapes[f"{block}0.mlp.dense1.weight"][0] // widths[n])
    return SegFormerSettings(
        in_channels=embed[0][1],
        out_channels=head[0],
        widths=widths,
        depths=tuple(depths),
        heads=_heads(widths),
        shortening=tuple(shortening),
        patches=tuple(shape[2] for shape in embed),
        strides=tuple(4 if shape[2] == 7 else 2 for shape in embed),
        mlp=tuple(mlp),
        decoder=head[1],
    )


def _heads(widths: Steps) -> Steps:
    """Return the heads of the published sizes: each looks at the features of the first stage."""
    return tuple(width // widths[0] if width % widths[0] == 0 else 1 for width in widths)


def _about(settings: SegFormerSettings) -> Published:
    words = f"Not in the weights, so taken as published: {settings.heads} heads of attention."
    grey = imagenet(settings.in_channels)
    return Published({"citation": CITATION, "quirks": (words,), **grey}, ("preprocessing",))


KIND = NetworkKind(TITLE, SegFormerSettings, SegFormer, _read, _about)
