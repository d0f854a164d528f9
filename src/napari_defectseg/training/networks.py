"""The card of a new network, as a plan and a dataset say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import TrainingError
from napari_defectseg.models.architecture import ARCHITECTURES, published
from napari_defectseg.models.model import design
from napari_defectseg.models.preprocess import Normalise
from napari_defectseg.training.plan import TrainingPlan

if TYPE_CHECKING:
    from napari_defectseg.models.card import ModelCard

Widths = tuple[int, ...]
SETTINGS: Mapping[str, Callable[[Widths, int], dict[str, Any]]] = {
    "am_segnet": lambda widths, channels: {"base": widths[0], "in_channels": channels},
    "am_unet": lambda widths, channels: {"base": widths[0], "in_channels": channels},
    "am_res_unet": lambda widths, channels: {"base": widths[0], "in_channels": channels},
    "am_squeeze_unet": lambda widths, channels: {"base": widths[0], "in_channels": channels},
    "defectsegnet": lambda widths, channels: {"base": widths[0], "in_channels": channels},
    "dcnn3d": lambda widths, channels: {
        "base": widths[0], "levels": len(widths), "in_channels": channels
    },
    "mff_metal": lambda widths, channels: {"widths": widths, "in_channels": 3},
    "unet_pbf": lambda widths, channels: {"width": widths[0], "in_channels": channels},
}  # fmt: skip
"""How a plan's widths become the settings of a network; MFF-Metal always takes colour."""


def new_card(
    name: str, classes: ClassMap, channels: int, plan: TrainingPlan, **known: Any
) -> ModelCard:
    """Return the card of a new network.

    Parameters
    ----------
    name : str
    classes : ClassMap
        Of the dataset.
    channels : int
        Of its images.
    plan : TrainingPlan
    **known
        Further fields of the card.

    Raises
    ------
    TrainingError
        If the plan is for one class and the dataset has several, or the network is not known.
    """
    settings = _settings(plan, channels)
    says = published(plan.network, settings) if plan.scaling == "authors" else None
    scaling = tuple(says.fields["preprocessing"]) if says else (_zscore(plan),)
    card = design(
        name,
        plan.network,
        settings=settings,
        preprocessing=scaling,
        symmetries=plan.symmetries,
        **_outputs(classes, plan),
        **known,
    )
    if plan.whole:
        return card.replaced(source="card", input_size=plan.patch, resize="always")
    if plan.batch_statistics:
        return card.replaced(source="card", segment=plan.patch[-1])
    return card


def _settings(plan: TrainingPlan, channels: int) -> dict[str, Any]:
    if plan.network == "unet":
        return {"dims": plan.dims, "in_channels": channels, "widths": plan.widths}
    if plan.network not in SETTINGS:
        raise TrainingError(
            f"A plan cannot build the network {plan.network!r} anew.",
            hint=f"It can build unet, {', '.join(SETTINGS)}; others are trained from a model.",
        )
    ARCHITECTURES.get(plan.network)
    return SETTINGS[plan.network](plan.widths, channels)


def _zscore(plan: TrainingPlan) -> Normalise:
    # In use a volume is one region; in training each patch is one.
    return Normalise(method="zscore", scope="slice" if plan.scaling == "patch" else "image")


def _outputs(classes: ClassMap, plan: TrainingPlan) -> dict[str, Any]:
    if plan.outputs == "one":
        if len(classes) != 1:
            raise TrainingError(
                f"The plan {plan.name} finds one class; the dataset has {len(classes)}: "
                f"{', '.join(classes.names)}.",
                hint="Its authors train a network a class: make a dataset of one class.",
            )
        stretched = plan.batch_statistics
        return {
            "classes": classes,
            "task": "binary",
            "has_background": False,
            "activation": "none" if stretched else "sigmoid",
            "rescale": "image" if stretched else "none",
            "inverted": plan.inverted,
        }
    if plan.outputs == "each" or not classes.exclusive:
        return {
            "classes": replace(classes, exclusive=False),
            "task": "multilabel",
            "activation": "sigmoid",
        }
    return {"classes": classes, "task": "exclusive", "activation": "softmax"}
