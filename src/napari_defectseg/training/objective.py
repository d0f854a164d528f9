"""`Objective`: what a plan's loss makes of logits, targets and a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.training import published_losses as published
from napari_defectseg.training.example import Example
from napari_defectseg.training.losses import exclusive_loss, multilabel_loss
from napari_defectseg.training.plan import TrainingPlan
from napari_defectseg.training.plans.defectsegnet import DEFECT_WEIGHT

Array = np.ndarray[Any, Any]


class Objective:
    """The loss of a plan.

    Parameters
    ----------
    plan : TrainingPlan
    planes : bool
        Whether targets are a map a class.
    weights : Tensor or None
        Of the classes in cross-entropy.
    teacher : Module or None
        A network whose logits the student shall have too.
    """

    def __init__(
        self,
        plan: TrainingPlan,
        *,
        planes: bool,
        weights: torch.Tensor | None = None,
        teacher: torch.nn.Module | None = None,
    ) -> None:
        self.plan = plan
        self.planes = planes
        self.weights = weights
        self.teacher = teacher

    def __call__(
        self, logits: torch.Tensor, target: Array, images: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the loss of a batch; `images` are needed where there is a teacher."""
        wanted = torch.from_numpy(np.ascontiguousarray(target)).to(logits.device)
        if self.plan.inverted:
            wanted = (1 - wanted).where(wanted != UNLABELLED, wanted)
        if self.planes:
            return self._planes(logits, wanted)
        return self._exclusive(logits, wanted.long(), target, images)

    def pixelwise(self, logits: torch.Tensor, target: Array) -> torch.Tensor:
        """Return the part of the loss that is a mean over pixels, by which rounds are compared."""
        if self.plan.loss == "house":
            wanted = torch.from_numpy(np.ascontiguousarray(target)).to(logits.device)
            if self.planes:
                return multilabel_loss(logits, wanted, 0.0)
            return exclusive_loss(logits, wanted.long(), 0.0)
        if not self.planes:
            wanted = torch.from_numpy(np.ascontiguousarray(target)).to(logits.device).long()
            return exclusive_loss(logits, wanted, 0.0)
        return self(logits, target)

    def _planes(self, logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        if self.plan.loss == "defectsegnet":
            said = self.plan.variant == "as-published"
            return published.defectsegnet_loss(logits, wanted, published=said, weight=DEFECT_WEIGHT)
        if self.plan.loss == "house":
            return multilabel_loss(logits, wanted, self.plan.dice_weight)
        return published.binary_cross_entropy(logits, wanted)

    def _exclusive(
        self, logits: torch.Tensor, wanted: torch.Tensor, target: Array, images: torch.Tensor | None
    ) -> torch.Tensor:
        if self.plan.loss == "mff_metal":
            return self._mff_metal(logits, wanted, target, images)
        dice = self.plan.dice_weight if self.plan.loss == "house" else 0.0
        loss = exclusive_loss(logits, wanted, dice)
        if self.weights is None or not bool((wanted != UNLABELLED).any()):
            return loss
        plain = exclusive_loss(logits, wanted, 0.0)
        weighed = functional.cross_entropy(
            logits, wanted, weight=self.weights.to(logits), ignore_index=UNLABELLED
        )
        return loss - plain + weighed

    def _mff_metal(
        self, logits: torch.Tensor, wanted: torch.Tensor, target: Array, images: torch.Tensor | None
    ) -> torch.Tensor:
        plan = self.plan
        whole = plan.variant == "as-published"
        phi = published.signed_distances(target, logits.shape[1], whole=whole)
        distance = torch.from_numpy(phi).to(logits)
        loss = published.mff_cross_entropy(logits, wanted, plan.batch)
        loss = loss + plan.dice_weight * published.mff_dice(logits, wanted).sum()
        loss = loss + plan.boundary * published.mff_boundary(logits, wanted, distance).sum()
        if self.teacher is None or images is None or not plan.distillation:
            return loss
        with torch.no_grad():
            opinion = self.teacher(images)
        spoken = published.distillation(logits, opinion, wanted, plan.temperature)
        return loss + plan.distillation * spoken


def balanced_weights(examples: Sequence[Example], channels: int) -> torch.Tensor:
    """Return a weight a channel: the root of the inverse share, mean 1 over labelled pixels."""
    counts = np.zeros(channels)
    for example in examples:
        counts += np.bincount(example.target.ravel(), minlength=256)[:channels]
    share = np.maximum(counts, 1) / max(counts.sum(), 1)
    weights = 1 / np.sqrt(share)
    weights /= float((weights * share).sum())
    return torch.from_numpy(weights.astype(np.float32))
