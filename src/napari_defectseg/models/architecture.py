"""What a network must offer to be found, built and tiled; the table of those that do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from napari_defectseg.core.registry import Registry

if TYPE_CHECKING:
    import torch

Shapes = Mapping[str, tuple[int, ...]]
"""Tensor name to shape: what a network is recognised by, without reading any value."""


class Architecture(Protocol):
    """One kind of network; a module of `models.architectures` is one."""

    def build(self, settings: Mapping[str, Any]) -> torch.nn.Module:
        """Return a new network that ends at its logits, ``(n, c, *spatial)`` in and out."""

    def recognise(self, shapes: Shapes) -> dict[str, Any] | None:
        """Return the settings of the network with these tensors, None if it is another."""

    def facts(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return what follows from the settings.

        Keys: settings (complete), parameters, dims, in_channels, out_channels, grid, halo.
        """


ARCHITECTURES: Registry[Architecture] = Registry(
    "network",
    {"unet": "napari_defectseg.models.architectures.unet"},
    group="napari_defectseg.architectures",
)
