"""The three networks that AM-SegNet was compared with, as its code builds them.

A standard U-Net (Ronneberger et al. 2015) with nearest up-sampling, one of residual blocks,
and one of squeeze blocks in the encoder and at the bottom. All end at a batch normalisation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published
from napari_defectseg.models.architectures.am_classes import about_radiographs
from napari_defectseg.models.graphs.architecture import GraphArchitecture, Kernels
from napari_defectseg.models.graphs.build import Builder
from napari_defectseg.models.graphs.graph import INPUT, Graph

LEVELS = 5

Block = Callable[[Builder, str, str, int], str]


@dataclass(frozen=True)
class ComparisonSettings:
    """What such a network is built from.

    Parameters
    ----------
    base : int
        Features of the finest level; each coarser one has twice as many.
    in_channels, out_channels : int
    """

    base: int = 64
    in_channels: int = 1
    out_channels: int = 5

    def __post_init__(self) -> None:
        if min(self.base, self.in_channels, self.out_channels) < 1:
            raise ModelError("Channels and widths of the network must be positive.")


def _double(b: Builder, name: str, x: str, n: int) -> str:
    return b.conv_norm_act(f"{name}.1", b.conv_norm_act(f"{name}.0", x, n), n)


def _residual(b: Builder, name: str, x: str, n: int) -> str:
    """Add a residual block, its layers in the order of files: sorted by depth."""
    first = b.norm(f"{name}.0.norm", b.conv(f"{name}.0.conv", x, n))
    inside = b.act(f"{name}.0", first)
    shortcut = b.conv(f"{name}.shortcut.conv", x, n, 1)
    second = b.conv(f"{name}.1.conv", inside, n)
    shortcut = b.norm(f"{name}.shortcut", shortcut)
    second = b.norm(f"{name}.1", second)
    return b.act(name, b.add(f"{name}.sum", "add", shortcut, second))


def _squeeze(b: Builder, name: str, x: str, n: int) -> str:
    s = b.conv_norm_act(f"{name}.squeeze", x, n, 1)
    left = b.conv(f"{name}.left.conv", s, n, 1)
    right = b.conv(f"{name}.right.conv", s, n)
    norms = [b.norm(f"{name}.left.norm", left), b.norm(f"{name}.right.norm", right)]
    ends = [b.act(f"{name}.{part}", x) for part, x in zip(("left", "right"), norms, strict=True)]
    return b.add(name, "concat", *ends)


def _graph_of(encode: Block, decode: Block, settings: ComparisonSettings) -> Graph:
    b = Builder(2, settings.in_channels)
    x, skips = INPUT, []
    for level in range(LEVELS):
        inside = x if level == 0 else b.pool(f"pool{level}", x)
        x = encode(b, f"down{level}", inside, settings.base << level)
        skips.append(x)
    for level in reversed(range(LEVELS - 1)):
        up = b.up(f"up{level}.scale", x)
        joined = b.add(f"up{level}.join", "concat", up, skips[level])
        x = decode(b, f"up{level}", joined, settings.base << level)
    head = b.conv("head", x, settings.out_channels, 1, padding="valid")
    return b.graph(b.norm("head.norm", head))


def _read(convolutions: int, kernels: Kernels) -> dict[str, Any] | None:
    if len(kernels) != convolutions or len(kernels[0]) != 4:
        return None
    first, last = kernels[0], kernels[-1]
    return {"base": first[-1], "in_channels": first[-2], "out_channels": last[-1]}


def _about(name: str, settings: ComparisonSettings) -> Published:
    return about_radiographs(name, settings.out_channels)


def _network(
    name: str, convolutions: int, encode: Block, decode: Block
) -> GraphArchitecture[ComparisonSettings]:
    return GraphArchitecture(
        ComparisonSettings,
        partial(_graph_of, encode, decode),
        partial(_read, convolutions),
        partial(_about, name),
    )


UNET = _network("The standard U-Net beside AM-SegNet", 19, _double, _double)
RES_UNET = _network("The Res-U-Net beside AM-SegNet", 28, _residual, _residual)
SQUEEZE_UNET = _network("The Squeeze-U-Net beside AM-SegNet", 24, _squeeze, _double)
