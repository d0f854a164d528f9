"""The TransUNet that MFF-Metal is compared with, in our own words.

It looks at images of one size. Larger ones are cut into squares of that size, each by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.fitting import double_conv, doubled, fitted
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.neu_seg import neu_seg

TITLE = "a TransUNet"
PATCH = 16
PUBLISHED_SIDE = 200
BLOCKS = "encoder.vit.transformer.layer_blocks."


@dataclass(frozen=True)
class TransUNetSettings:
    """What this network is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Features after the first halving, a multiple of 8.
    heads : int
        Heads of the attention; no weight file tells their number.
    inner : int
        Features inside each block.
    blocks : int
    side : int
        Edge of the images it looks at, in px, an even number.
    """

    in_channels: int = 3
    out_channels: int = 4
    width: int = 64
    heads: int = 4
    inner: int = 1024
    blocks: int = 13
    side: int = PUBLISHED_SIDE

    dims = 2
    halo = 0

    def __post_init__(self) -> None:
        numbers = (self.width, self.heads, self.inner, self.blocks, self.side)
        check_positive(TITLE, self.in_channels, self.out_channels, *numbers)
        if self.width % 8 or 8 * self.width % self.heads or self.side % 2:
            raise ModelError(
                "A TransUNet has a width of 8 times a whole number, heads that divide 8 times "
                "the width, and an even side."
            )

    @property
    def grid(self) -> int:
        """Edge of the squares that it looks at."""
        return self.side

    @property
    def cells(self) -> int:
        """Cells along an edge that attention looks at."""
        return -(-self.side // PATCH)


class Residual(nn.Module):
    """Half the size, by a convolution beside a main path of three."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.downsample = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, 2, bias=False), nn.BatchNorm2d(outputs)
        )
        self.conv1 = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 2, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv3 = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of half the size."""
        y = torch.relu(self.norm1(self.conv1(x)))
        y = torch.relu(self.norm2(self.conv2(y)))
        return torch.relu(self.norm3(self.conv3(y)) + self.downsample(x))


class Attention(nn.Module):
    """Attention of every cell to every other, with the published order and scaling."""

    def __init__(self, features: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv_layer = nn.Linear(features, 3 * features, bias=False)
        self.out_attention = nn.Linear(features, features, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape (n, cells, features)."""
        n, cells, features = x.shape
        each = features // self.heads
        # The outputs lie as (position, query/key/value, head); q · k is multiplied by the root,
        # not divided: the weights have learnt with that.
        made = self.qkv_layer(x).reshape(n, cells, each, 3, self.heads).permute(3, 0, 4, 1, 2)
        query, key, value = made[0], made[1], made[2]
        weights = torch.softmax(query @ key.transpose(-1, -2) * math.sqrt(each), dim=-1)
        seen = (weights @ value).permute(0, 2, 1, 3).reshape(n, cells, features)
        result: torch.Tensor = self.out_attention(seen)
        return result


class MLP(nn.Module):
    """Two linear layers."""

    def __init__(self, features: int, inner: int) -> None:
        super().__init__()
        self.mlp_layers = nn.Sequential(
            nn.Linear(features, inner),
            nn.GELU(),
            nn.Dropout(0.1),
            nn.Linear(inner, features),
            nn.Dropout(0.1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        result: torch.Tensor = self.mlp_layers(x)
        return result


class Block(nn.Module):
    """Attention and two linear layers, each normalised after its bypass."""

    def __init__(self, features: int, heads: int, inner: int) -> None:
        super().__init__()
        self.multi_head_attention = Attention(features, heads)
        self.mlp = MLP(features, inner)
        self.layer_norm1 = nn.LayerNorm(features)
        self.layer_norm2 = nn.LayerNorm(features)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        x = self.layer_norm1(x + self.dropout(self.multi_head_attention(x)))
        result: torch.Tensor = self.layer_norm2(x + self.mlp(x))
        return result


class Transformer(nn.Module):
    """Blocks one after the other."""

    def __init__(self, features: int, settings: TransUNetSettings) -> None:
        super().__init__()
        self.layer_blocks = nn.ModuleList(
            Block(features, settings.heads, settings.inner) for _ in range(settings.blocks)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same shape."""
        for block in self.layer_blocks:
            x = block(x)
        return x


class ViT(nn.Module):
    """Cells with a word for their place, seen together."""

    def __init__(self, features: int, settings: TransUNetSettings) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.rand(settings.cells**2 + 1, features))
        self.cls_token = nn.Parameter(torch.randn(1, 1, features))
        self.projection = nn.Linear(features, features)
        self.dropout = nn.Dropout(0.1)
        self.transformer = Transformer(features, settings)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of shape (n, cells, features) for a map (n, features, y, x)."""
        cells = self.projection(x.flatten(2).transpose(1, 2))
        first = self.cls_token.expand(x.shape[0], -1, -1)
        cells = torch.cat([first, cells], dim=1)
        cells = self.dropout(cells + self.embedding[: cells.shape[1]])
        result: torch.Tensor = self.transformer(cells)[:, 1:]
        return result


class Encoder(nn.Module):
    """Four halvings, then attention."""

    def __init__(self, settings: TransUNetSettings) -> None:
        super().__init__()
        c = settings.width
        self.conv1 = nn.Conv2d(settings.in_channels, c, 8, 2, 3, bias=False)
        self.norm1 = nn.BatchNorm2d(c)
        self.encoder1, self.encoder2 = Residual(c, 2 * c), Residual(2 * c, 4 * c)
        self.encoder3 = Residual(4 * c, 8 * c)
        self.vit = ViT(8 * c, settings)
        self.conv2 = nn.Conv2d(8 * c, 4 * c, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(4 * c)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return features of four levels, finest first."""
        x1 = torch.relu(self.norm1(self.conv1(x)))
        x2 = self.encoder1(x1)
        x3 = self.encoder2(x2)
        x = self.encoder3(x3)
        x = self.vit(x).transpose(1, 2).reshape(x.shape)
        return [x1, x2, x3, torch.relu(self.norm2(self.conv2(x)))]


class Up(nn.Module):
    """Twice the size, behind a finer level where there is one, then two convolutions."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layer = double_conv(inputs, outputs, bias=True)

    def forward(self, x: torch.Tensor, skip: torch.Tensor | None = None) -> torch.Tensor:
        """Return features."""
        x = doubled(x)
        if skip is not None:
            x = torch.cat([skip, fitted(x, skip)], dim=1)
        result: torch.Tensor = self.layer(x)
        return result


class Decoder(nn.Module):
    """Back to the size of the image."""

    def __init__(self, settings: TransUNetSettings) -> None:
        super().__init__()
        c = settings.width
        self.decoder1, self.decoder2 = Up(8 * c, 2 * c), Up(4 * c, c)
        self.decoder3, self.decoder4 = Up(2 * c, c // 2), Up(c // 2, c // 8)
        self.conv1 = nn.Conv2d(c // 8, settings.out_channels, 1)

    def forward(self, levels: list[torch.Tensor]) -> torch.Tensor:
        """Return logits."""
        x1, x2, x3, x = levels
        x = self.decoder3(self.decoder2(self.decoder1(x, x3), x2), x1)
        result: torch.Tensor = self.conv1(self.decoder4(x))
        return result


class TransUNet(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: TransUNetSettings) -> None:
        super().__init__()
        self.side, self.cells = settings.side, settings.cells
        self.encoder = Encoder(settings)
        self.decoder = Decoder(settings)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, y, x)
            Lengths are multiples of the side: each square is seen by itself. Or an image of
            about the side, with as many cells.

        Returns
        -------
        Tensor, shape (n, out_channels, y, x)
            Even lengths.

        Raises
        ------
        ModelError
            If the image has another size.
        """
        if all(_cells(length) == self.cells for length in x.shape[-2:]):
            result: torch.Tensor = self.decoder(self.encoder(x))
            return result
        side = self.side
        if x.shape[-2] % side or x.shape[-1] % side:
            raise ModelError(f"This TransUNet looks at squares of {side} × {side} px alone.")
        n, channels, height, width = x.shape
        rows, columns = height // side, width // side
        cut = x.reshape(n, channels, rows, side, columns, side).permute(0, 2, 4, 1, 3, 5)
        squares = cut.reshape(-1, 1, channels, side, side)
        parts = [self.decoder(self.encoder(square)) for square in squares]
        made = torch.cat(parts).reshape(n, rows, columns, -1, side, side)
        return made.permute(0, 3, 1, 4, 2, 5).reshape(n, -1, height, width)


def _cells(length: int) -> int:
    length //= 2
    for _ in range(3):
        length = -(-length // 2)
    return length


def _read(shapes: Shapes) -> TransUNetSettings | None:
    first, head = shapes.get("encoder.conv1.weight"), shapes.get("decoder.conv1.weight")
    embedding = shapes.get("encoder.vit.embedding")
    if first is None or head is None or embedding is None:
        return None
    cells = math.isqrt(embedding[0] - 1)
    published = -(-PUBLISHED_SIDE // PATCH)
    return TransUNetSettings(
        in_channels=first[1],
        out_channels=head[0],
        width=first[0],
        inner=shapes[f"{BLOCKS}0.mlp.mlp_layers.0.weight"][0],
        blocks=len({name.split(".")[4] for name in shapes if name.startswith(BLOCKS)}),
        side=PUBLISHED_SIDE if cells == published else PATCH * cells,
    )


def _about(settings: TransUNetSettings) -> Published:
    side = settings.side
    return neu_seg(
        "The TransUNet that MFF-Metal is compared with.",
        settings.in_channels,
        settings.out_channels,
        (
            f"It looks at squares of {side} × {side} px, each by itself; edges may show.",
            "Its number of heads is not in the weights; 4 are taken, as published.",
        ),
    )


KIND = NetworkKind(TITLE, TransUNetSettings, TransUNet, _read, _about)
