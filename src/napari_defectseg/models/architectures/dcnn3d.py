"""The 3D-DCNN for precipitates and pores in X-ray tomograms (Gaudez et al. 2022).

S. Gaudez, M. Ben Haj Slama, A. Kaestner, M. V. Upadhyay, J. Synchrotron Rad. 29 (2022)
1232-1240; code manasvupadhyay/erc-gamma-3D-DCNN, CC BY 4.0. Levels of two 3 × 3 × 3
convolutions with batch normalisation, nearest up-sampling, the skip first in each join.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published
from napari_defectseg.models.graphs.architecture import GraphArchitecture, Kernels
from napari_defectseg.models.graphs.build import Builder
from napari_defectseg.models.graphs.graph import INPUT, Graph
from napari_defectseg.models.preprocess import Normalise


@dataclass(frozen=True)
class DCNN3DSettings:
    """What the network is built from.

    Parameters
    ----------
    base : int
        Features of the finest level; each coarser one has twice as many.
    levels : int
    in_channels, out_channels : int
    """

    base: int = 8
    levels: int = 4
    in_channels: int = 1
    out_channels: int = 1

    def __post_init__(self) -> None:
        if min(self.base, self.in_channels, self.out_channels) < 1 or not 2 <= self.levels <= 8:
            raise ModelError("A 3D-DCNN has 2 to 8 levels and a positive number of features.")


def graph_of(settings: DCNN3DSettings) -> Graph:
    """Return the layers in the order of the published files."""
    b = Builder(3, settings.in_channels)
    widths = [settings.base << level for level in range(settings.levels)]
    x, skips = INPUT, []
    for level, width in enumerate(widths):
        x = _double(b, f"down{level}", x if level == 0 else b.pool(f"pool{level}", x), width)
        skips.append(x)
    for level in reversed(range(settings.levels - 1)):
        up = b.up(f"up{level}.scale", x)
        joined = b.add(f"up{level}.join", "concat", skips[level], up)
        x = _double(b, f"up{level}", joined, widths[level])
    return b.graph(b.conv("head", x, settings.out_channels, 1))


def _double(b: Builder, name: str, x: str, width: int) -> str:
    return b.conv_norm_act(f"{name}.1", b.conv_norm_act(f"{name}.0", x, width), width)


def read(kernels: Kernels) -> dict[str, Any] | None:
    """Return the settings that the kernels say."""
    if len(kernels[0]) != 5 or (len(kernels) + 1) % 4:
        return None
    return {
        "base": kernels[0][-1],
        "levels": (len(kernels) + 1) // 4,
        "in_channels": kernels[0][-2],
        "out_channels": kernels[-1][-1],
    }


def about(settings: DCNN3DSettings) -> Published:
    """Return what the authors say, and what is guessed."""
    fields: dict[str, Any] = {
        "description": "Precipitates and pores in synchrotron tomograms of steel.",
        "preprocessing": (Normalise(method="zscore", scope="slice"),),
        "symmetries": ("flip_z", "flip_y", "flip_x"),
        "citation": "S. Gaudez, M. Ben Haj Slama, A. Kaestner, M. V. Upadhyay, "
        "J. Synchrotron Rad. 29 (2022) 1232-1240",
        "licence": "CC-BY-4.0",
        "quirks": (
            (
                "The grey values are z-scored over the whole region that is opened: another crop "
                "gives other probabilities."
            ),
            (
                "The network gives the probability that a voxel was labelled 0. That these are "
                "precipitates and pores is a guess; if not, exchange them (inverted=yes)."
            ),
            "Its files count the axes as x, y, z; the weights were turned to z, y, x.",
        ),
    }
    if settings.out_channels != 1:
        return Published(fields, guesses=("symmetries",))
    fields |= {
        "classes": ClassMap.of(["precipitate or pore"]),
        "task": "binary",
        "activation": "sigmoid",
        "has_background": False,
    }
    return Published(fields, guesses=("classes", "symmetries"))


KIND = GraphArchitecture(DCNN3DSettings, graph_of, read, about, reverse=True)
