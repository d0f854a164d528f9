"""How much memory a run may take, and how much a network takes for each pixel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from napari_defectseg.core.machine import machine_memory

if TYPE_CHECKING:
    import torch

MOST = 4 << 30
SHARE = 4
WORKSPACE = 1.7
"""Copies and work space of the convolutions on top of a layer's own input and output; with it
the estimate is above the peaks measured for U-Nets in 2D and 3D."""


def default_budget() -> int:
    """Return what a run may take where nobody said: a quarter of the machine's memory.

    At most 4 GB. It follows the memory that the machine has, not what happens to be free, so
    that the same machine makes the same plan.
    """
    return min(MOST, machine_memory() // SHARE)


def shared_budget(workers: int) -> int:
    """Return what each of several runs on this machine may take where nobody said.

    Together they take half of the machine's memory at most.
    """
    return min(default_budget(), machine_memory() // 2 // workers)


def bytes_per_pixel(network: torch.nn.Module, dims: int, in_channels: int, grid: int) -> float:
    """Return what a pass of the network needs for each pixel it sees, in bytes.

    Found without computing: shapes are followed through the layers, and the layer with the
    most input and output decides.

    Parameters
    ----------
    network : torch.nn.Module
    dims, in_channels, grid : int
        Of its card.
    """
    import copy

    import torch

    edge = 4 * grid
    most = 0
    meta = copy.deepcopy(network).to("meta")

    def note(_: torch.nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal most
        size = sum(t.numel() for t in (*inputs, output) if isinstance(t, torch.Tensor))
        most = max(most, size)

    for layer in meta.modules():
        if not any(layer.children()):
            layer.register_forward_hook(note)
    with torch.inference_mode():
        meta(torch.empty((1, in_channels, *(edge,) * dims), device="meta"))
    return WORKSPACE * 4 * most / math.pow(edge, dims)
