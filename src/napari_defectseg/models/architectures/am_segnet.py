"""AM-SegNet for X-ray movies of laser melting (Li et al. 2024).

W. Li, R. Lambert-Garcia, A. Getley, K. Kim, S. Bhagavath, M. Majkut, A. Rack, P. D. Lee,
C. L. A. Leung, Virtual and Physical Prototyping 19 (2024) e2325572. Light blocks of three
branches in the encoder, one attention gate at the bottom, batch normalisation before the
softmax.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published
from napari_defectseg.models.architectures.am_classes import about_radiographs
from napari_defectseg.models.graphs.architecture import GraphArchitecture, Kernels
from napari_defectseg.models.graphs.build import Builder
from napari_defectseg.models.graphs.graph import INPUT, Graph

CONVOLUTIONS = 34
LEVELS = 4


@dataclass(frozen=True)
class AMSegNetSettings:
    """What the network is built from.

    Parameters
    ----------
    base : int
        Features of the first block; all other widths follow from it.
    in_channels, out_channels : int
    """

    base: int = 12
    in_channels: int = 1
    out_channels: int = 5

    def __post_init__(self) -> None:
        if min(self.base, self.in_channels, self.out_channels) < 1:
            raise ModelError("Channels and widths of AM-SegNet must be positive.")


def graph_of(settings: AMSegNetSettings) -> Graph:
    """Return the layers in the order of the published files."""
    b = Builder(2, settings.in_channels)
    x, skips = INPUT, []
    for level in range(LEVELS):
        skips.append(_light(b, f"e{level + 1}", x, settings.base << level))
        x = b.pool(f"pool{level + 1}", skips[-1])
    x = _bottom(b, x, 64 * settings.base)
    for level in reversed(range(LEVELS)):
        name = f"u{LEVELS - level}"
        joined = b.add(f"{name}.join", "concat", b.up(f"{name}.scale", x), skips[level])
        width = settings.base << (level + 1)
        x = b.conv_norm_act(name, joined, width)
        if level:  # a plain convolution without activation, but not after the last one
            x = b.conv(f"{name}.plain", x, width)
    head = b.conv("head", x, settings.out_channels, 1, padding="valid")
    return b.graph(b.norm("head.norm", head))


def _light(b: Builder, name: str, x: str, n: int) -> str:
    """Add one block of three branches; the depthwise layer comes first in files."""
    c = b.act(f"{name}.in", b.conv(f"{name}.entry", x, n, 1))
    middle = b.depthwise(f"{name}.depthwise", c, 2)
    left = b.conv(f"{name}.left.conv", c, n, 1)
    middle = b.conv(f"{name}.middle.conv", middle, 2 * n, 1)
    right = b.conv(f"{name}.right.conv", c, n)
    branches = (("left", left), ("middle", middle), ("right", right))
    norms = [(part, b.norm(f"{name}.{part}.norm", conv)) for part, conv in branches]
    ends = [b.act(f"{name}.{part}", norm) for part, norm in norms]
    return b.add(name, "concat", *ends)


def _bottom(b: Builder, x: str, n: int) -> str:
    """Add the three widest convolutions and the attention between first and last."""
    a = b.conv_norm_act("a", x, n)
    g = b.conv_norm_act("g", b.conv_norm_act("b", a, n), n)
    p = b.conv("gate.g", g, n, 1)
    q = b.conv("gate.a", a, n, 1)
    r = b.act("gate.relu", b.add("gate.sum", "add", p, q))
    s = b.act("gate.map", b.conv("gate.psi", r, 1, 1), "sigmoid")
    att = b.norm("gate.norm", b.add("gate.product", "multiply", s, a))
    return b.add("z", "add", g, att)


def read(kernels: Kernels) -> dict[str, Any] | None:
    """Return the settings that the kernels say."""
    first, last = kernels[0], kernels[-1]
    if len(kernels) != CONVOLUTIONS or len(first) != 4 or first[:2] != (1, 1):
        return None
    return {"base": first[-1], "in_channels": first[-2], "out_channels": last[-1]}


def about(settings: AMSegNetSettings) -> Published:
    """Return what the authors say, and what is guessed."""
    return about_radiographs("AM-SegNet", settings.out_channels)


KIND = GraphArchitecture(AMSegNetSettings, graph_of, read, about)
