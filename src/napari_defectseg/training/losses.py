"""Losses that leave unlabelled pixels out."""

from __future__ import annotations

import torch
from torch.nn import functional

from napari_defectseg.core.classes import UNLABELLED

SMOOTH = 1.0
"""Pixels added to overlap and size: a class of a few pixels moves the Dice loss less."""


def exclusive_loss(logits: torch.Tensor, target: torch.Tensor, dice_weight: float) -> torch.Tensor:
    """Return cross-entropy plus Dice for exclusive classes.

    Soft Dice over the batch, mean over the classes that are there, without background
    (Milletari et al. 2016, V-Net, eq. 3, with squared terms replaced by sums).

    Parameters
    ----------
    logits : Tensor of float32, shape (batch, 1 + classes, *spatial)
    target : Tensor of int64, shape (batch, *spatial)
        Channel indices; 255 is left out.
    dice_weight : float
        Weight of the Dice part.
    """
    known = target != UNLABELLED
    if not bool(known.any()):
        return logits.sum() * 0.0
    entropy = functional.cross_entropy(logits, target, ignore_index=UNLABELLED)
    if dice_weight == 0:
        return entropy
    probabilities = logits.softmax(1)[:, 1:]
    wanted = torch.stack([target == n for n in range(1, logits.shape[1])], dim=1)
    return entropy + dice_weight * _dice_loss(probabilities, wanted, known[:, None])


def multilabel_loss(logits: torch.Tensor, target: torch.Tensor, dice_weight: float) -> torch.Tensor:
    """Return binary cross-entropy plus Dice, one problem a class.

    Parameters
    ----------
    logits : Tensor of float32, shape (batch, classes, *spatial)
    target : Tensor of uint8, shape (batch, classes, *spatial)
        0 and 1; 255 is left out.
    dice_weight : float
        Weight of the Dice part.
    """
    known = target != UNLABELLED
    if not bool(known.any()):
        return logits.sum() * 0.0
    wanted = target == 1
    entropy = functional.binary_cross_entropy_with_logits(
        logits, wanted.to(logits.dtype), reduction="none"
    )
    entropy = (entropy * known).sum() / known.sum()
    if dice_weight == 0:
        return entropy
    return entropy + dice_weight * _dice_loss(logits.sigmoid(), wanted, known)


def _dice_loss(
    probabilities: torch.Tensor, wanted: torch.Tensor, known: torch.Tensor
) -> torch.Tensor:
    axes = (0, *range(2, probabilities.ndim))
    shown = probabilities * known
    truth = (wanted & known).to(probabilities.dtype)
    size = truth.sum(axes)
    overlap = (shown * truth).sum(axes)
    dice = (2 * overlap + SMOOTH) / (shown.sum(axes) + size + SMOOTH)
    # A class that is not in the batch has no overlap to win: cross-entropy alone speaks of it.
    there = size > 0
    return (1 - dice)[there].mean() if bool(there.any()) else dice.sum() * 0.0
