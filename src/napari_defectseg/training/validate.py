"""Loss and Dice on the validation images, by which rounds are compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.training.example import pad_to
from napari_defectseg.training.patches import shrunk, zscored

if TYPE_CHECKING:
    from napari_defectseg.training.loop import Job

Array = np.ndarray[Any, Any]


@torch.inference_mode()
def validate(job: Job, network: torch.nn.Module) -> tuple[float, dict[str, float]]:
    """Return loss and Dice of each class, pooled over the validation images.

    The loss is the mean over pixels plus, as in training, the weighted Dice loss of the
    classes that are there; pooled, because most images do not show every class.
    """
    network.eval()
    names = job.classes.names
    overlap, sizes, losses = np.zeros(len(names)), np.zeros(len(names)), []
    with _measuring(network, job.plan.batch_statistics):
        for example in job.validation:
            example = shrunk(example, job.plan.patch) if job.plan.whole else example
            padded = pad_to(example, [-(-n // job.grid) * job.grid for n in example.spatial_shape])
            image = zscored(padded.image) if job.plan.scaling == "patch" else padded.image
            logits = network(torch.from_numpy(image[np.newaxis]).to(job.device))
            losses.append(float(job.objective.pixelwise(logits, padded.target[np.newaxis])))
            shown, truth = _binary(job, logits[0].cpu().numpy(), padded.target)
            overlap += (shown & truth).reshape(len(names), -1).sum(1)
            sizes += shown.reshape(len(names), -1).sum(1) + truth.reshape(len(names), -1).sum(1)
    dice = [float(2 * o / s) if s else float("nan") for o, s in zip(overlap, sizes, strict=True)]
    missed = 1 - float(np.nanmean(dice)) if sizes.any() else 0.0
    loss = float(np.mean(losses)) + job.plan.dice_weight * missed
    return loss, dict(zip(names, dice, strict=True))


@contextmanager
def _measuring(network: torch.nn.Module, wanted: bool) -> Iterator[None]:
    """Let batch normalisation measure each image inside the block, remembering nothing."""
    from napari_defectseg.models.statistics import norms_of

    layers: list[Any] = list(norms_of(network).values()) if wanted else []
    before = [layer.momentum for layer in layers]
    for layer in layers:
        layer.train()
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, before, strict=True):
            layer.momentum = momentum
            layer.eval()


def _binary(job: Job, logits: Array, target: Array) -> tuple[Array, Array]:
    known = target != UNLABELLED
    if job.objective.planes:
        if job.plan.batch_statistics:  # stretched as in use, half way up
            logits = logits - (logits.min() + logits.max()) / 2
        shown = logits <= 0 if job.plan.inverted else logits > 0
        return shown & known, target == 1
    best = logits.argmax(0)
    channels = range(1, len(job.classes) + 1)
    return (
        np.stack([(best == c) & known for c in channels]),
        np.stack([target == c for c in channels]),
    )
