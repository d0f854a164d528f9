"""The losses of published plans, term by term; unlabelled pixels (255) never count."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from napari_defectseg.core.classes import UNLABELLED

Array = np.ndarray[Any, Any]
SMALLEST = 1e-8
"""Probabilities below are taken for this much in MFF-Metal's cross-entropy."""
SMOOTH = 1.0


def mff_cross_entropy(logits: torch.Tensor, target: torch.Tensor, batch: int) -> torch.Tensor:
    """Return ``-(1/B) Σ y log max(p, 1e-8)`` over all pixels and classes: a sum an image.

    Parameters
    ----------
    logits : Tensor, shape (batch, 1 + classes, y, x)
    target : Tensor of int64, shape (batch, y, x)
        Channel indices, 255 left out.
    batch : int
        B, the plan's number of images a step.
    """
    known = target != UNLABELLED
    chosen = logits.softmax(1).gather(1, target.where(known, 0)[:, None])[:, 0]
    return -(chosen.clamp_min(SMALLEST).log() * known).sum() / batch


def mff_dice(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return ``(1 - (2 Σ p y + 1) / (Σ p + Σ y + 1)) h w / b`` of each class, without background.

    Pooled over the batch; ``h w / b`` brings it to the scale of the cross-entropy.
    """
    known = (target != UNLABELLED)[:, None]
    shown = logits.softmax(1)[:, 1:] * known
    numbers = torch.arange(1, logits.shape[1], device=target.device)[:, None, None]
    truth = (target[:, None] == numbers).to(logits.dtype)
    both, sizes = (shown * truth).sum((0, 2, 3)), (shown + truth).sum((0, 2, 3))
    scale = target.shape[-2] * target.shape[-1] / len(target)
    return (1 - (2 * both + SMOOTH) / (sizes + SMOOTH)) * scale


def mff_boundary(
    logits: torch.Tensor, target: torch.Tensor, distance: torch.Tensor
) -> torch.Tensor:
    """Return ``Σ p φ / b`` of each class, without background.

    Parameters
    ----------
    distance : Tensor, shape (batch, 1 + classes, y, x)
        φ of `signed_distances`.
    """
    known = (target != UNLABELLED)[:, None]
    weighed = logits.softmax(1) * distance * known
    return weighed[:, 1:].sum((0, 2, 3)) / len(target)


def distillation(
    logits: torch.Tensor, teacher: torch.Tensor, target: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return ``Σ KL(softmax(z_T / τ) ‖ softmax(z_S / τ))`` over all pixels, without τ²."""
    student = functional.log_softmax(logits / temperature, 1)
    wanted = functional.softmax(teacher / temperature, 1)
    terms = functional.kl_div(student, wanted, reduction="none").sum(1)
    return (terms * (target != UNLABELLED)).sum()


def signed_distances(target: Array, channels: int, *, whole: bool) -> Array:
    """Return φ: px outside positive, inside ``-(distance to the outside - 1)``, per channel.

    Parameters
    ----------
    target : ndarray, shape (batch, y, x)
        Channel indices.
    channels : int
    whole : bool
        Cut to whole pixels towards zero, as the published script stores them.

    Returns
    -------
    ndarray of float32, shape (batch, channels, y, x)
        0 everywhere for a channel that an image does not show.
    """
    from scipy.ndimage import distance_transform_edt

    found = np.zeros((len(target), channels, *target.shape[1:]), np.float32)
    for image, maps in zip(target, found, strict=True):
        for channel in range(channels):
            inside = image == channel
            if not inside.any():
                continue
            outer = distance_transform_edt(~inside)
            inner = distance_transform_edt(inside) - 1 if not inside.all() else 0 * outer
            phi = np.where(inside, -inner, outer)
            maps[channel] = np.trunc(phi) if whole else phi
    return found


def defectsegnet_loss(
    output: torch.Tensor, target: torch.Tensor, *, published: bool, weight: float
) -> torch.Tensor:
    """Return the loss of DefectSegNet on its output, to which it applies a second sigmoid.

    As published: ``mean(y · BCE(σ(z), y))``, so only pixels of the defect count. As meant:
    ``mean(w · BCE)`` with w = `weight` on the defect and 1 elsewhere.

    Parameters
    ----------
    output : Tensor, shape (batch, 1, y, x)
    target : Tensor of uint8, same shape
    """
    known = target != UNLABELLED
    wanted = (target == 1).to(output.dtype)
    each = functional.binary_cross_entropy_with_logits(output, wanted, reduction="none")
    share = wanted if published else 1 + (weight - 1) * wanted
    return (each * share * known).sum() / known.sum().clamp_min(1)


def binary_cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the mean over batch, maps and pixels; targets may be fractions.

    Parameters
    ----------
    logits, target : Tensor of the same shape
        255 is left out.
    """
    known = target != UNLABELLED
    wanted = target.to(logits.dtype).where(known, torch.zeros((), dtype=logits.dtype))
    each = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (each * known).sum() / known.sum().clamp_min(1)
