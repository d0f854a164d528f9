"""Whether an exported model gives what the original gives: computed by both on one image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard

if TYPE_CHECKING:
    import torch

    from napari_defectseg.models.model import TorchModel

Array: TypeAlias = np.ndarray[Any, Any]

CLOSE = 1e-4
"""Difference of probabilities above which an export is no export of the model."""
EDGE = {2: 64, 3: 16}
"""Pixels along an axis of the image that is compared, made a multiple of the grid."""


class NotTheSame(ModelError):
    """What was written does not give what the original gives."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    path : Path
    files : tuple of str
        Names inside of a folder or package, or of the file.
    difference : float
        Greatest difference between the scores of what was written and of the original.
    notes : tuple of str
        What a person should know, as sentences.
    """

    path: Path
    files: tuple[str, ...]
    difference: float
    notes: tuple[str, ...] = ()


def edges(card: ModelCard, more: int = 0) -> tuple[int, ...]:
    """Return the size of an image to compare on: a multiple of the grid on each axis.

    Parameters
    ----------
    card : ModelCard
    more : int
        Cells of the grid added along the last axis, so that no size is taken for granted.
    """
    if card.tile is not None:
        return card.tile
    edge = -(-EDGE[card.dims] // card.grid) * card.grid
    return (*(edge,) * (card.dims - 1), edge + more * card.grid)


def raw_image(card: ModelCard, shape: tuple[int, ...], seed: int = 0) -> Array:
    """Return grey values 0 … 255 with structure, the same for one seed.

    Returns
    -------
    ndarray of float32, shape (in_channels, *shape)
    """
    rng = np.random.default_rng(seed)
    noise = rng.random((card.in_channels, *shape))
    waves = np.zeros(shape)
    for axis, length in enumerate(shape):
        line = np.sin(np.arange(length) * (0.21 + 0.13 * axis))
        waves = waves + line.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    values = 128 + 40 * waves / len(shape) + 80 * (noise - 0.5)
    return np.rint(np.clip(values, 0, 255)).astype(np.float32)


def prepared(card: ModelCard, raw: Array) -> Array:
    """Return an image as the network takes it."""
    from napari_defectseg.models.preprocess import fit_chain

    return np.ascontiguousarray(fit_chain(card.preprocessing, raw).apply(raw), np.float32)


def logits_of(network: torch.nn.Module, block: Array) -> Array:
    """Return what a network gives for one block, shape (out_channels, *spatial)."""
    import torch

    with torch.inference_mode():
        found: Array = network(torch.from_numpy(block)[None])[0].numpy()
    return found


def activated(card: ModelCard, logits: Array) -> Array:
    """Return logits after the card's activation, in double precision."""
    values = logits.astype(np.float64)
    if card.activation == "softmax":
        values = np.exp(values - values.max(axis=0))
        return np.asarray(values / values.sum(axis=0))
    if card.activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-values)))
    return values


def difference(card: ModelCard, ours: Array, theirs: Array) -> float:
    """Return the greatest difference of probabilities.

    Raises
    ------
    NotTheSame
        If the shapes differ, or a value is no number.
    """
    if ours.shape != theirs.shape:
        raise NotTheSame(f"The exported model gives {theirs.shape} where {ours.shape} was to come.")
    found = np.abs(activated(card, ours) - activated(card, theirs))
    if not np.isfinite(found).all():
        raise NotTheSame("The exported model gives values that are not numbers.")
    return float(found.max(initial=0.0))


def accepted(model: TorchModel, greatest: float, where: Path) -> float:
    """Return the difference, if it is one of rounding alone.

    Raises
    ------
    NotTheSame
        If it is more.
    """
    if greatest > CLOSE:
        raise NotTheSame(
            f"{model.card.name} was not exported to {where}: there its probabilities would differ "
            f"by up to {greatest:.2g}.",
            hint="Export it to safetensors, which keeps it exactly.",
        )
    return greatest
