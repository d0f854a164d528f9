"""From settings to the engine's job: teacher, class weights, frozen parts, earlier data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_defectseg.core.errors import TrainingError
from napari_defectseg.core.progress import Steps
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.models.card import ModelCard
from napari_defectseg.training import checkpoint
from napari_defectseg.training.example import Example
from napari_defectseg.training.loop import Job
from napari_defectseg.training.objective import Objective, balanced_weights
from napari_defectseg.training.plan import TrainingPlan
from napari_defectseg.training.prepare import load_steps

if TYPE_CHECKING:
    from napari_defectseg.training.fit import TrainSettings


def job_of(
    network: torch.nn.Module,
    card: ModelCard,
    plan: TrainingPlan,
    examples: tuple[Sequence[Example], Sequence[Example]],
    device: str,
    settings: TrainSettings,
    belongs: str = "",
) -> Job:
    """Return the job of a training.

    Parameters
    ----------
    network : Module
    card : ModelCard
        Of the network.
    plan : TrainingPlan
    examples : tuple of two sequences of Example
        To learn from, and to compare rounds by.
    device : str
    settings : TrainSettings
    belongs : str
        What a checkpoint belongs to; empty: none is kept.

    Raises
    ------
    TrainingError
        If plan and network, or teacher and network, do not fit together.
    """
    planes = card.task != "exclusive"
    if planes and plan.loss in ("mff_metal", "cross_entropy"):
        raise TrainingError(
            f"The loss of the plan {plan.name} is for classes that exclude each other; "
            f"{card.name} has a map for each."
        )
    weights = None
    if plan.class_weights == "balanced" and not planes:
        weights = balanced_weights(examples[0], card.out_channels)
    objective = Objective(
        plan, planes=planes, weights=weights, teacher=_teacher(card, plan, settings, device)
    )
    return Job(
        network,
        card.classes,
        plan,
        *examples,
        device,
        settings.stop,
        objective,
        max(card.grid, 1),
        settings.keep if belongs else None,
        belongs,
    )


def _teacher(
    card: ModelCard, plan: TrainingPlan, settings: TrainSettings, device: str
) -> torch.nn.Module | None:
    if settings.teacher is None or not plan.distillation:
        return None
    known = settings.teacher.card
    if (known.out_channels, known.in_channels) != (card.out_channels, card.in_channels):
        raise TrainingError(
            f"The teacher {known.name} has {known.in_channels} channels in and "
            f"{known.out_channels} out; the student has {card.in_channels} and "
            f"{card.out_channels}."
        )
    return settings.teacher.network().to(device)


def identity_of(dataset: Dataset, plan: TrainingPlan, settings: TrainSettings) -> str:
    """Return what a checkpoint of this training belongs to."""
    parent = settings.start_from.sha256 if settings.start_from else ""
    others = [settings.teacher.sha256 if settings.teacher else "", settings.part]
    return checkpoint.identity(
        plan, sha256_of_file(dataset.path / "manifest.jsonl"), "/".join([parent, *others])
    )


def replayed_steps(
    card: ModelCard, new: Sequence[Example], settings: TrainSettings
) -> Steps[list[Example]]:
    """Read earlier data, weighted so that its share of the patches is as asked.

    Raises
    ------
    TrainingError
        If its classes differ, it has no training images, or the share makes no sense.
    """
    if settings.replay is None:
        return []
    share = settings.replay_share
    if not 0 < share < 1:
        raise TrainingError(f"A share of {share} of earlier data makes no sense; 0.5 is usual.")
    if settings.replay.classes.names != card.classes.names:
        raise TrainingError(
            f"{settings.replay.path} has the classes {', '.join(settings.replay.classes.names)}; "
            f"the model has {', '.join(card.classes.names)}."
        )
    pairs = settings.replay.pairs(split="train")
    old = yield from load_steps(pairs, card, "earlier")
    if not old:
        raise TrainingError(f"{settings.replay.path} has no training images.")
    ratio = _labelled(new) / max(_labelled(old), 1.0) * share / (1 - share)
    return [replace(example, weight=ratio) for example in old]


def _labelled(examples: Sequence[Example]) -> float:
    from napari_defectseg.core.classes import UNLABELLED

    return float(sum((example.target != UNLABELLED).sum() for example in examples))


def freeze(network: torch.nn.Module, card: ModelCard, part: str) -> None:
    """Let only a part of a network learn: ``"all"``, ``"decoder"`` or ``"head"``.

    The order in which layers run is watched on a small picture: the decoder is what runs after
    the coarsest level was last computed, the head the last layer with weights.

    Raises
    ------
    TrainingError
        If the part is not known.
    """
    if part == "all":
        return
    if part not in ("decoder", "head"):
        raise TrainingError(f"A network has no part {part!r}.", hint="all, decoder or head.")
    order = _order(network, card)
    smallest = min(size for _, size in order)
    last = max(n for n, (_, size) in enumerate(order) if size == smallest)
    shown = order[last + 1 :] if smallest < max(size for _, size in order) else order
    if part == "head":
        convolutions = [n for n, (layer, _) in enumerate(order) if _convolves(layer)]
        shown = order[convolutions[-1] :]
    network.requires_grad_(False)
    for layer, _ in shown:
        layer.requires_grad_(True)


def _convolves(layer: torch.nn.Module) -> bool:
    return any(weight.ndim > 2 for weight in layer.parameters())


def _order(network: torch.nn.Module, card: ModelCard) -> list[tuple[torch.nn.Module, int]]:
    """Return layers with weights in the order in which they run, with their output's size."""
    found: list[tuple[torch.nn.Module, int]] = []

    def note(layer: torch.nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor) and output.ndim == card.dims + 2:
            found.append((layer, int(np.prod(output.shape[2:]))))

    layers = [m for m in network.modules() if any(True for _ in m.parameters(recurse=False))]
    hooks = [layer.register_forward_hook(note) for layer in layers]
    training = network.training
    try:
        side = max(card.grid * 2, 16 if card.dims == 3 else 32)
        side = -(-side // max(card.grid, 1)) * max(card.grid, 1)
        with torch.inference_mode():
            network.eval()(torch.zeros(1, card.in_channels, *(side,) * card.dims))
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return found
