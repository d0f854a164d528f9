"""The test that a package brings along: its input computed, and held against its output."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from napari_defectseg.core.errors import ImageError, ModelError
from napari_defectseg.models.arraymodel import ArrayModel, OpenedModel
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.package import Package
from napari_defectseg.models.preprocess import fit_chain
from napari_defectseg.models.rdf import test_axes, test_tensors

Array: TypeAlias = np.ndarray[Any, Any]

LARGEST_TEST = 64 << 20
CLOSE = 1e-3
"""Difference up to which a model gives what its package promises."""


def difference(model: OpenedModel, x: Array, y: Array) -> float:
    """Return the greatest difference between what a model gives and what it should.

    Parameters
    ----------
    model : TorchModel or ArrayModel
    x : ndarray, shape (n, in_channels, *spatial)
        Raw values; the card's preparation is applied to each sample.
    y : ndarray, shape (n, out_channels, *spatial)
        What should come out, after the card's activation.

    Raises
    ------
    ModelError
        If it cannot be computed, has another shape, or holds no numbers.
    """
    found = _computed(model, x)
    if found.shape != y.shape:
        raise ModelError(f"{model.path} gives {found.shape} where its own test has {y.shape}.")
    if not np.isfinite(y).all() or not np.isfinite(found).all():
        raise ModelError(f"The test of {model.path} has values that are not numbers.")
    return float(np.abs(found - y).max(initial=0.0))


def tested_card(card: ModelCard, greatest: float) -> ModelCard:
    """Return the card with the result of the test among its scores, and a warning if it is bad."""
    card = card.replaced(source="file", scores={**card.scores, "test_tensor_difference": greatest})
    if greatest > CLOSE:
        warning = f"Its own test differs by {greatest:.2g}: what it gives is not what it should."
        card = card.replaced(source="file", quirks=(warning, *card.quirks))
    return card


def _computed(model: OpenedModel, x: Array) -> Array:
    try:
        blocks = [np.ascontiguousarray(_prepared(model.card, one), np.float32) for one in x]
        return np.stack([_activated(_passed(model, b), model.card) for b in blocks])
    except (ImageError, RuntimeError, IndexError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        reason = str(error).splitlines()[0]
        raise ModelError(f"{model.path} cannot compute its own test: {reason}.") from error


def _prepared(card: ModelCard, one: Array) -> Array:
    return fit_chain(card.preprocessing, one).apply(one)


def _passed(model: OpenedModel, block: Array) -> Array:
    if isinstance(model, ArrayModel):
        return model.start(1).run(block)
    import torch

    with torch.inference_mode():
        found: Array = model.network()(torch.from_numpy(block)[None])[0].numpy()
    return found


def _activated(values: Array, card: ModelCard) -> Array:
    import torch

    logits = torch.from_numpy(np.array(values))
    if card.activation == "softmax":
        logits = torch.softmax(logits, 0)
    elif card.activation == "sigmoid":
        logits = torch.sigmoid(logits)
    result: Array = logits.numpy()
    return 1 - result if card.inverted else result


def test_in(package: Package, rdf: Mapping[str, Any]) -> tuple[Array, Array] | None:
    """Return a package's own test, samples and channels first; None: it has none.

    Raises
    ------
    ModelError
        If its arrays are missing, too large, or no arrays of an image.
    """
    names, axes = test_tensors(rdf), test_axes(rdf)
    if not all(names):
        return None
    x, y = (_array(package, name, order) for name, order in zip(names, axes, strict=True))
    return x, y


def _array(package: Package, name: str, axes: str) -> Array:
    try:
        array = np.load(io.BytesIO(package.read(name, LARGEST_TEST)), allow_pickle=False)
    except (ValueError, EOFError, OSError, MemoryError) as error:
        raise ModelError(f"{package.path} → {name} is not a plain array: {error}.") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub" or array.ndim < 3:
        raise ModelError(f"{package.path} → {name} is not an array of an image with channels.")
    return _ordered(array, axes)


def _ordered(array: Array, axes: str) -> Array:
    """Return an array with its samples first, its channels second; strange axes stay."""
    if len(axes) != array.ndim or len(set(axes)) != len(axes) or "?" in axes:
        return array
    for at, letter in enumerate("bc"):
        if letter in axes:
            array = np.moveaxis(array, axes.index(letter), at)
            rest = axes.replace(letter, "")
        else:
            array, rest = np.expand_dims(array, at), axes
        axes = rest[:at] + letter + rest[at:]
    return array
