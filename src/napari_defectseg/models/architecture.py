"""What a network must offer to be found, built and tiled; the table of those that do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from napari_defectseg.core.registry import Registry

if TYPE_CHECKING:
    import torch

T = TypeVar("T")
Shapes = Mapping[str, tuple[int, ...]]
"""Tensor name to shape: what a network is recognised by, without reading any value."""


def learnt(tensors: Mapping[str, T]) -> dict[str, T]:
    """Return the tensors (or shapes) without the counters of batch normalisation.

    Old files lack these counters, and no prediction depends on them.
    """
    return {n: t for n, t in tensors.items() if not n.endswith("num_batches_tracked")}


@dataclass(frozen=True)
class Published:
    """What the authors of a network say about it, for the card of a bare weight file.

    Parameters
    ----------
    fields : mapping
        Fields of a card. Classes come with task, activation and has_background, or not at all.
    guesses : tuple of str
        Those of the fields that only a guess supports.
    """

    fields: Mapping[str, Any]
    guesses: tuple[str, ...] = ()


class Architecture(Protocol):
    """One kind of network; a module of `models.architectures` is one."""

    def build(self, settings: Mapping[str, Any]) -> torch.nn.Module:
        """Return a new network that ends at its logits, ``(n, c, *spatial)`` in and out."""

    def recognise(self, shapes: Shapes) -> dict[str, Any] | None:
        """Return the settings of the network with these tensors, None if it is another."""

    def nearest(self, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """Return the learnt tensors of the network of this kind that comes nearest."""

    def facts(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return what follows from the settings.

        Keys: settings (complete), parameters, dims, in_channels, out_channels, grid, halo; and
        tile, where it takes images of one size alone.
        """


ARCHITECTURES: Registry[Architecture] = Registry(
    "network",
    {
        "unet": "napari_defectseg.models.architectures.unet",
        "mff_metal": "napari_defectseg.models.architectures.mff_metal:KIND",
        "lmffnet": "napari_defectseg.models.architectures.lmffnet:KIND",
        "bilinear_unet": "napari_defectseg.models.architectures.bilinear_unet:KIND",
        "nested_unet": "napari_defectseg.models.architectures.nested_unet:KIND",
        "attention_unet": "napari_defectseg.models.architectures.attention_unet:KIND",
        "transunet": "napari_defectseg.models.architectures.transunet:KIND",
        "milesial_unet": "napari_defectseg.models.architectures.milesial_unet:KIND",
        "group_unet": "napari_defectseg.models.architectures.group_unet:KIND",
        "unet_pbf": "napari_defectseg.models.architectures.unet_pbf:KIND",
        "am_segnet": "napari_defectseg.models.architectures.am_segnet:KIND",
        "am_unet": "napari_defectseg.models.architectures.am_comparison:UNET",
        "am_res_unet": "napari_defectseg.models.architectures.am_comparison:RES_UNET",
        "am_squeeze_unet": "napari_defectseg.models.architectures.am_comparison:SQUEEZE_UNET",
        "defectsegnet": "napari_defectseg.models.architectures.defectsegnet:KIND",
        "dcnn3d": "napari_defectseg.models.architectures.dcnn3d:KIND",
        "nnunet": "napari_defectseg.models.architectures.nnunet:KIND",
        "monai_unet": "napari_defectseg.models.architectures.monai_unet:KIND",
        "basic_unet": "napari_defectseg.models.architectures.basic_unet:KIND",
        "segresnet": "napari_defectseg.models.architectures.segresnet:KIND",
        "dynunet": "napari_defectseg.models.architectures.dynunet:KIND",
        "smp_unet": "napari_defectseg.models.architectures.smp_unet:KIND",
        "smp_fpn": "napari_defectseg.models.architectures.smp_fpn:KIND",
        "segformer": "napari_defectseg.models.architectures.segformer:KIND",
        "upernet": "napari_defectseg.models.architectures.upernet:KIND",
        "plain_unet": "napari_defectseg.models.architectures.plain_unet:SKIP_FIRST",
        "plain_unet_up_first": "napari_defectseg.models.architectures.plain_unet:UP_FIRST",
        "torch_layers": "napari_defectseg.models.architectures.torch_layers",
        "keras": "napari_defectseg.models.architectures.keras_graph",
        "monai_package": "napari_defectseg.models.architectures.monai_package:KIND",
        "smp_package": "napari_defectseg.models.architectures.smp_package:KIND",
        "transformers_package": "napari_defectseg.models.architectures.transformers_package:KIND",
    },
    group="napari_defectseg.architectures",
)


def published(name: str, settings: Mapping[str, Any]) -> Published | None:
    """Return what the authors of a network say about it, None where it has none.

    An architecture may offer it as ``published(settings)``; it need not.
    """
    says = getattr(ARCHITECTURES.get(name), "published", None)
    found: Published | None = says(settings) if says else None
    return found
