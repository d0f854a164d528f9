"""From pairs on disk to examples in memory, preprocessed as the card says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from napari_defectseg.core.errors import TrainingError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.pair import Pair
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.preprocess import fit_chain, scope_of
from napari_defectseg.training.example import Example, targets_of

Array = np.ndarray[Any, Any]


def load_steps(pairs: Sequence[Pair], card: ModelCard, what: str) -> Steps[list[Example]]:
    """Read pairs and return their examples: planes for a 2D network, volumes for a 3D one.

    Raises
    ------
    TrainingError
        If an image has other channels or axes than the network takes.
    """
    examples: list[Example] = []
    for number, pair in enumerate(pairs):
        yield Step(number, len(pairs), f"reading {what} images")
        examples += list(examples_of(pair.image(), pair.mask(), card))
    return examples


def examples_of(image: CalibratedImage, mask: Array, card: ModelCard) -> Iterator[Example]:
    """Yield the examples of one image: each plane or volume that the network sees at once.

    Parameters
    ----------
    image : CalibratedImage
    mask : ndarray of uint8
        As datasets keep it: class values in the image's `label_axes`, or classes in front.
    card : ModelCard
    """
    pixels = channel_first(image, card)
    target = targets_of(mask, card.classes, planes=card.task != "exclusive")
    chain = (
        fit_chain(card.preprocessing, pixels) if scope_of(card.preprocessing) != "slice" else None
    )
    square = _square(image)
    whole = (slice(None),) * card.dims
    for place in _places(image, card):
        here: tuple[Any, ...] = (..., *place, *whole)
        part = pixels[here]
        fitted = chain or fit_chain(card.preprocessing, part)
        yield Example(fitted.apply(part), target[here], square)


def channel_first(image: CalibratedImage, card: ModelCard) -> Array:
    """Return all pixels as ``(channel, *label_axes)``.

    Raises
    ------
    TrainingError
        If the number of channels is not the network's.
    """
    pixels = image.read()
    front = np.moveaxis(pixels, image.axes.index("c"), 0) if "c" in image.axes else pixels[None]
    if len(front) == 1 < card.in_channels:  # grey for a network of colours, as in prediction
        return np.repeat(front, card.in_channels, axis=0)
    if len(front) != card.in_channels:
        raise TrainingError(
            f"{image.name} has {image.channels} channels; the network takes {card.in_channels}."
        )
    return front


def _places(image: CalibratedImage, card: ModelCard) -> Iterator[tuple[int, ...]]:
    lead = image.label_shape[: len(image.label_shape) - card.dims]
    if len(image.label_shape) < card.dims:
        raise TrainingError(
            f"{image.name} has the axes {''.join(image.axes)}; this network needs "
            f"{card.dims} spatial axes."
        )
    yield from np.ndindex(*lead)


def _square(image: CalibratedImage) -> bool:
    y, x = image.calibration.spacing[-2:]
    return y is None or x is None or abs(y - x) <= 0.01 * max(y, x)
