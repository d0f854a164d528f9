"""UPerNet with a ConvNeXt (Xiao et al. 2018; Liu et al. 2022) as transformers names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as functional
from torch import nn

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.encoders.published import imagenet
from napari_defectseg.models.kind import NetworkKind, check_positive

TITLE = "a UPerNet of transformers"
Steps: TypeAlias = tuple[int, ...]
EPS = 1e-6
LARGEST_POOL = 64
USUAL_POOLS = (1, 2, 3, 6)
CITATION = (
    "Xiao, T. et al. Unified perceptual parsing for scene understanding. ECCV (2018). Liu, Z. et "
    "al. A ConvNet for the 2020s. CVPR (2022)."
)


@dataclass(frozen=True)
class UPerNetSettings:
    """What this network is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    widths, depths : tuple of int
        Features and layers of the four stages.
    patch : int
        Pixels along an axis that the first convolution makes one.
    hidden : int
        Features of the head.
    pools : tuple of int
        Squares along an axis that the coarsest stage is averaged over. No weight file tells it.
    scaled : bool
        Whether layers weigh what they add.
    """

    in_channels: int = 3
    out_channels: int = 2
    widths: Steps = (96, 192, 384, 768)
    depths: Steps = (3, 3, 9, 3)
    patch: int = 4
    hidden: int = 512
    pools: Steps = USUAL_POOLS
    scaled: bool = True

    dims = 2
    halo = None

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.patch, self.hidden)
        check_positive(TITLE, *self.widths, *self.depths, *self.pools)
        if max(self.pools) > LARGEST_POOL:
            raise ModelError(f"{TITLE.capitalize()} averages over {LARGEST_POOL} squares at most.")
        if not self.widths or len(self.widths) != len(self.depths):
            raise ModelError(f"{TITLE.capitalize()} needs features and layers of each stage.")

    @property
    def grid(self) -> int:
        """Pixels of the image in one of the coarsest stage."""
        return self.patch << (len(self.widths) - 1)


class PixelNorm(nn.LayerNorm):
    """Normalisation of each pixel's features, channels first."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=EPS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        normed: torch.Tensor = super().forward(x.permute(0, 2, 3, 1))
        result: torch.Tensor = normed.permute(0, 3, 1, 2)
        return result


class Layer(nn.Module):
    """A convolution of each channel, then more features and fewer, added to what came in."""

    def __init__(self, width: int, scaled: bool) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.layernorm = nn.LayerNorm(width, eps=EPS)
        self.pwconv1, self.pwconv2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        if scaled:
            self.layer_scale_parameter = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        inner = self.layernorm(self.dwconv(x).permute(0, 2, 3, 1))
        inner = self.pwconv2(functional.gelu(self.pwconv1(inner)))
        if hasattr(self, "layer_scale_parameter"):
            inner = inner * self.layer_scale_parameter
        result: torch.Tensor = x + inner.permute(0, 3, 1, 2)
        return result


class Stage(nn.Module):
    """Perhaps half the size, then layers."""

    def __init__(self, inputs: int, outputs: int, depth: int, halved: bool, scaled: bool) -> None:
        super().__init__()
        if halved:
            half = nn.Conv2d(inputs, outputs, 2, 2)
            self.downsampling_layer = nn.Sequential(PixelNorm(inputs), half)
        self.layers = nn.Sequential(*(Layer(outputs, scaled) for _ in range(depth)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        x = self.downsampling_layer(x) if hasattr(self, "downsampling_layer") else x
        result: torch.Tensor = self.layers(x)
        return result


class Embeddings(nn.Module):
    """Patches of the image as pixels."""

    def __init__(self, inputs: int, outputs: int, patch: int) -> None:
        super().__init__()
        self.patch_embeddings = nn.Conv2d(inputs, outputs, patch, patch)
        self.layernorm = PixelNorm(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features."""
        result: torch.Tensor = self.layernorm(self.patch_embeddings(x))
        return result


class Backbone(nn.Module):
    """ConvNeXt."""

    def __init__(self, settings: UPerNetSettings) -> None:
        super().__init__()
        s = settings
        self.embeddings = Embeddings(s.in_channels, s.widths[0], s.patch)
        before = (s.widths[0], *s.widths)
        self.encoder = nn.Module()
        self.encoder.stages = nn.ModuleList(
            Stage(before[n], width, depth, n > 0, s.scaled)
            for n, (width, depth) in enumerate(zip(s.widths, s.depths, strict=True))
        )
        self.hidden_states_norms = nn.ModuleDict(
            {f"stage{n}": PixelNorm(width) for n, width in enumerate(s.widths, start=1)}
        )

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of each stage."""
        x, found = self.embeddings(x), []
        for n, stage in enumerate(self.encoder.stages, start=1):  # type: ignore[arg-type]
            x = stage(x)
            found.append(self.hidden_states_norms[f"stage{n}"](x))
        return found


class Module(nn.Module):
    """Convolution, normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.batch_norm = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        return torch.relu(self.batch_norm(self.conv(x)))


def _sized(x: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    return functional.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


class Head(nn.Module):
    """Averages of the coarsest stage, and a pyramid of all."""

    def __init__(self, settings: UPerNetSettings) -> None:
        super().__init__()
        s = settings
        last = s.widths[-1]
        self.psp_modules = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(n), Module(last, s.hidden, 1)) for n in s.pools
        )
        self.bottleneck = Module(last + len(s.pools) * s.hidden, s.hidden, 3)
        self.lateral_convs = nn.ModuleList(Module(w, s.hidden, 1) for w in s.widths[:-1])
        self.fpn_convs = nn.ModuleList(Module(s.hidden, s.hidden, 3) for _ in s.widths[:-1])
        self.fpn_bottleneck = Module(len(s.widths) * s.hidden, s.hidden, 3)
        self.classifier = nn.Conv2d(s.hidden, s.out_channels, 1)

    def forward(self, stages: list[torch.Tensor]) -> torch.Tensor:
        """Return logits at the size of the first stage."""
        last = stages[-1]
        pooled = [_sized(module(last), last.shape[2:]) for module in self.psp_modules]
        levels = [conv(x) for conv, x in zip(self.lateral_convs, stages[:-1], strict=True)]
        levels.append(self.bottleneck(torch.cat([last, *pooled], dim=1)))
        for n in range(len(levels) - 1, 0, -1):
            levels[n - 1] = levels[n - 1] + _sized(levels[n], levels[n - 1].shape[2:])
        made = [conv(x) for conv, x in zip(self.fpn_convs, levels[:-1], strict=True)]
        size = made[0].shape[2:]
        made = [made[0], *(_sized(x, size) for x in (*made[1:], levels[-1]))]
        result: torch.Tensor = self.classifier(self.fpn_bottleneck(torch.cat(made, dim=1)))
        return result


class UPerNet(nn.Module):
    """The network; ends at its logits, at the size of the image."""

    def __init__(self, settings: UPerNetSettings) -> None:
        super().__init__()
        self.backbone, self.decode_head = Backbone(settings), Head(settings)

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
        return _sized(self.decode_head(self.backbone(x)), x.shape[2:])


def _read(shapes: Shapes) -> UPerNetSettings | None:
    first = shapes.get("backbone.embeddings.patch_embeddings.weight")
    head = shapes.get("decode_head.classifier.weight")
    if first is None or head is None:
        return None
    widths: list[int] = []
    depths: list[int] = []
    while f"backbone.hidden_states_norms.stage{len(widths) + 1}.weight" in shapes:
        stage = f"backbone.encoder.stages.{len(widths)}.layers."
        depth = 0
        while f"{stage}{depth}.dwconv.weight" in shapes:
            depth += 1
        depths.append(depth)
        widths.append(shapes[f"backbone.hidden_states_norms.stage{len(widths) + 1}.weight"][0])
    pools = 0
    while f"decode_head.psp_modules.{pools}.1.conv.weight" in shapes:
        pools += 1
    return UPerNetSettings(
        in_channels=first[1],
        out_channels=head[0],
        widths=tuple(widths),
        depths=tuple(depths),
        patch=first[2],
        hidden=head[1],
        pools=USUAL_POOLS[:pools] if pools <= len(USUAL_POOLS) else tuple(range(1, pools + 1)),
        scaled="backbone.encoder.stages.0.layers.0.layer_scale_parameter" in shapes,
    )


def _about(settings: UPerNetSettings) -> Published:
    words = f"Not in the weights, so taken as published: averages over {settings.pools} squares."
    grey = imagenet(settings.in_channels)
    return Published({"citation": CITATION, "quirks": (words,), **grey}, ("preprocessing",))


KIND = NetworkKind(TITLE, UPerNetSettings, UPerNet, _read, _about)
