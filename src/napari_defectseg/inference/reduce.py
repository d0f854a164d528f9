"""Logits to probabilities, on the device, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_defectseg.models.card import ModelCard

if TYPE_CHECKING:
    import torch


def probabilities(logits: torch.Tensor, card: ModelCard) -> torch.Tensor:
    """Return the scores of a prediction.

    Parameters
    ----------
    logits : Tensor, shape (n, c, *spatial)
        Output of the network.
    card : ModelCard
        Says which activation it still needs.

    Returns
    -------
    Tensor of float32, shape (n, card.score_channels, *spatial)
        Exclusive classes: the background first, then one channel a class. A network without a
        background gets one of zeros.
    """
    import torch

    scores = logits.float()
    if card.activation == "softmax":
        scores = torch.softmax(scores, dim=1)
    elif card.activation == "sigmoid":
        scores = torch.sigmoid(scores)
    if card.inverted:
        scores = 1 - scores
    if card.task == "exclusive" and not card.has_background:
        scores = torch.cat([torch.zeros_like(scores[:, :1]), scores], dim=1)
    return scores
