"""The six-class multi-label U-Net for powder bed fusion, in our own words.

k-sanika-20/Defect_Detection_in_AM (2025), trained on layer images of the Peregrine data set of
Oak Ridge National Laboratory (laser powder bed fusion, 316L). Five levels, batch normalisation,
transposed convolutions; every output is a class of its own, and they may overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from napari_defectseg.core.classes import ClassMap, DefectClass
from napari_defectseg.models.architecture import Published, Shapes
from napari_defectseg.models.blocks import field_radius
from napari_defectseg.models.fitting import double_conv
from napari_defectseg.models.kind import NetworkKind, check_positive
from napari_defectseg.models.preprocess import Normalise

TITLE = "a U-Net for powder bed fusion"
LEVELS = 5
CLASSES = (
    ("No Defect", "#808080", "plain"),
    ("Swelling", "#ff0000", "crosses"),
    ("Spatter", "#00ff00", "dots"),
    ("Misprint", "#0000ff", "hatch //"),
    ("Over Melting", "#ffff00", "horizontal lines"),
    ("Under Melting", "#ff00ff", "vertical lines"),
)
"""Names and colours of the authors' page, in the order of the outputs."""


@dataclass(frozen=True)
class UNetPBFSettings:
    """What this network is built from.

    Parameters
    ----------
    in_channels, out_channels : int
    width : int
        Features of the finest level; each level below has twice as many.
    """

    in_channels: int = 1
    out_channels: int = 6
    width: int = 64

    dims = 2
    grid = 1 << (LEVELS - 1)
    halo = -(-field_radius(LEVELS) // grid) * grid

    def __post_init__(self) -> None:
        check_positive(TITLE, self.in_channels, self.out_channels, self.width)


class Double(nn.Module):
    """Two convolutions without bias, each with normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = double_conv(inputs, outputs, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of the same size."""
        result: torch.Tensor = self.conv(x)
        return result


class UNetPBF(nn.Module):
    """The network; ends at its logits."""

    def __init__(self, settings: UNetPBFSettings) -> None:
        super().__init__()
        widths = [settings.width << level for level in range(LEVELS)]
        inputs = (settings.in_channels, *widths[:-2])
        self.encoder = nn.ModuleList(Double(i, o) for i, o in zip(inputs, widths[:-1], strict=True))
        self.bottleneck = Double(widths[-2], widths[-1])
        pairs = [(coarse, fine) for fine, coarse in reversed(list(pairwise(widths)))]
        self.upconvs = nn.ModuleList(nn.ConvTranspose2d(c, f, 2, 2) for c, f in pairs)
        self.decoder = nn.ModuleList(Double(c, f) for c, f in pairs)
        self.final_conv = nn.Conv2d(settings.width, settings.out_channels, 1)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, y, x)
            Lengths are multiples of 16.

        Returns
        -------
        Tensor, shape (n, out_channels, y, x)
        """
        skips: list[torch.Tensor] = []
        for block in self.encoder:
            skips.append(block(x))
            x = self.pool(skips[-1])
        x = self.bottleneck(x)
        for up, block in zip(self.upconvs, self.decoder, strict=True):
            x = block(torch.cat([up(x), skips.pop()], dim=1))
        result: torch.Tensor = self.final_conv(x)
        return result


def _read(shapes: Shapes) -> UNetPBFSettings | None:
    first, head = shapes.get("encoder.0.conv.0.weight"), shapes.get("final_conv.weight")
    if first is None or head is None:
        return None
    return UNetPBFSettings(first[1], head[0], first[0])


def _about(settings: UNetPBFSettings) -> Published:
    fields: dict[str, Any] = {
        "description": "U-Net for anomalies of layers in powder bed fusion, trained on images "
        "of 128 × 128 px made from whole layers.",
        "task": "multilabel",
        "activation": "sigmoid",
        "has_background": False,
        "preprocessing": (Normalise(method="divide", scope="constant"),),
        "input_size": (128, 128),
        "resize": "large",
        "citation": "k-sanika-20/Defect_Detection_in_AM (2025); data: Peregrine v2023-11, Oak "
        "Ridge National Laboratory.",
        "licence": "not stated by the authors",
        "quirks": (
            (
                "It was trained on whole layers shrunk to 128 × 128 px, so images of 512 px and "
                "more are shrunk to that. The authors' page shrinks to 256 × 256 "
                "(input_size=256,256), where everything looks twice as large to the network."
            ),
            "Its masks for training were themselves predictions, not drawn by hand.",
            "The authors report IoU 0 for all classes but No Defect and Spatter.",
            "The last two classes never occurred in training.",
        ),
    }
    if settings.out_channels == len(CLASSES):
        fields["classes"] = ClassMap(
            tuple(
                DefectClass(value, name, colour, pattern)
                for value, (name, colour, pattern) in enumerate(CLASSES, start=1)
            ),
            exclusive=False,
        )
    return Published(fields)


KIND = NetworkKind(TITLE, UNetPBFSettings, UNetPBF, _read, _about)
