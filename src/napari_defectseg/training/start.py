"""Where a training starts: new weights, or those of a model."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.errors import TrainingError
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.models.model import TorchModel
from napari_defectseg.training.networks import new_card
from napari_defectseg.training.plan import TrainingPlan

if TYPE_CHECKING:
    import torch

    from napari_defectseg.models.card import ModelCard


def start(
    dataset: Dataset, plan: TrainingPlan, start_from: TorchModel | None
) -> tuple[torch.nn.Module, ModelCard]:
    """Return a network in training mode and its card.

    Parameters
    ----------
    dataset : Dataset
        Its classes and the channels of its first image decide what a new network looks like.
    plan : TrainingPlan
    start_from : TorchModel or None
        Its copy is trained on; the model itself stays as it is.

    Raises
    ------
    TrainingError
        If the model has other classes or dimensions than dataset and plan.
    """
    model = start_from or TorchModel.new(_new_card(dataset, plan), seed=plan.seed)
    card = model.card
    if card.dims != plan.dims:
        raise TrainingError(
            f"{card.name} is a {card.dims}D network; the plan {plan.name} is for {plan.dims}D."
        )
    if card.classes.names != dataset.classes.names:
        raise TrainingError(
            f"{card.name} knows the classes {', '.join(card.classes.names)}; the dataset has "
            f"{', '.join(dataset.classes.names)}.",
            hint="Rename the model's classes to match, or start from new weights.",
        )
    network = _trainable(model)
    _set_momentum(network, plan.momentum)
    classes = replace(dataset.classes, exclusive=card.classes.exclusive)
    return network, card.replaced(source="card", classes=classes)


def _trainable(model: TorchModel) -> torch.nn.Module:
    """Return a copy whose batch normalisation learns, also of one that measures each image."""
    if model.card.batch_norm == "image":
        model = model.with_card(model.card.replaced(source="card", batch_norm="moving"))
    return copy.deepcopy(model.network()).train().requires_grad_(True)


def _set_momentum(network: torch.nn.Module, share: float) -> None:
    from napari_defectseg.models.statistics import norms_of

    for layer in norms_of(network).values() if share else ():
        layer.momentum = share  # type: ignore[assignment]


def _new_card(dataset: Dataset, plan: TrainingPlan) -> ModelCard:
    channels = dataset.pairs(split="train")[0].image().channels
    return new_card(dataset.name, dataset.classes, channels, plan, **_pixel_sizes(dataset))


def _pixel_sizes(dataset: Dataset) -> dict[str, Any]:
    """Return the range of pixel sizes of those training images whose size is known."""
    stated = [pair.calibration for pair in dataset.pairs(split="train")]
    known = [calibration for calibration in stated if calibration.in_plane.calibrated]
    if not known:
        return {}
    unit = known[0].unit
    sizes = [size for calibration in known for size in calibration.in_plane.to(unit).steps]
    return {"pixel_size": (min(sizes), max(sizes)), "pixel_unit": unit}


@contextmanager
def threads_limited(threads: int | None) -> Iterator[None]:
    """Let torch use so many threads inside the block, and as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
