"""`Example`: one image and its truth, ready to cut patches from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import TrainingError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Example:
    """A normalised picture with its targets.

    Parameters
    ----------
    image : ndarray of float32, shape (channel, *spatial)
        Preprocessed as the model's card says.
    target : ndarray of uint8
        Exclusive classes: channel index of the network (0 background) in the spatial shape.
        Overlapping classes: ``(class, *spatial)`` of 0 and 1. 255 where nobody looked.
    square : bool
        Whether y and x have the same size, so that quarter turns are allowed.
    weight : float
        How much more often than its share of pixels it is drawn from.
    """

    image: Array
    target: Array
    square: bool = True
    weight: float = 1.0

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Shape of the picture without channels."""
        return tuple(int(n) for n in self.image.shape[1:])

    def foreground(self) -> list[Array]:
        """Return the flat indices of the pixels of each class that is there."""
        if self.target.ndim == self.image.ndim:
            places = [np.flatnonzero(plane == 1) for plane in self.target]
        else:
            channels = sorted(set(np.unique(self.target).tolist()) - {0, UNLABELLED})
            places = [np.flatnonzero(self.target == channel) for channel in channels]
        return [found for found in places if found.size]


def targets_of(mask: Array, classes: ClassMap, *, planes: bool | None = None) -> Array:
    """Turn a mask of class values into targets of channel indices.

    Parameters
    ----------
    mask : ndarray of uint8
        Class values with 0 background and 255 unlabelled; for overlapping classes
        ``(class, …)`` of 0, 1 and 255.
    classes : ClassMap
        In the order of the network's channels.
    planes : bool, optional
        A map a class, also where classes exclude each other; by default as the classes say.

    Returns
    -------
    ndarray of uint8
        Targets as in `Example`.

    Raises
    ------
    TrainingError
        If the mask holds a value that is no class.
    """
    values = set(np.unique(mask).tolist())
    in_front = mask.ndim and not classes.exclusive and mask.shape[0] == len(classes)
    if in_front and values <= {0, 1, UNLABELLED}:
        return np.asarray(mask, np.uint8)
    if planes if planes is not None else not classes.exclusive:
        _refuse_strange(values, classes)
        maps = [np.where(mask == UNLABELLED, UNLABELLED, mask == v) for v in classes.values]
        return np.stack(maps).astype(np.uint8)
    _refuse_strange(values, classes)
    lookup = np.zeros(256, np.uint8)
    lookup[0], lookup[UNLABELLED] = 0, UNLABELLED
    for channel, value in enumerate(classes.values, start=1):
        lookup[value] = channel
    target: Array = lookup[np.asarray(mask, np.uint8)]
    return target


def _refuse_strange(values: set[int], classes: ClassMap) -> None:
    strange = sorted(values - {0, UNLABELLED, *classes.values})
    if strange:
        raise TrainingError(
            f"The mask holds the values {strange}, which are no classes.",
            hint=f"Classes are {', '.join(f'{c.value} {c.name}' for c in classes)}.",
        )


def pad_to(example: Example, least: Sequence[int]) -> Example:
    """Return the example, mirrored at its far borders to at least `least` pixels an axis.

    Padded pixels count as unlabelled.
    """
    missing = [max(0, want - have) for want, have in zip(least, example.spatial_shape, strict=True)]
    if not any(missing):
        return example
    widths = [(0, n) for n in missing]
    image = np.pad(example.image, [(0, 0), *widths], mode="symmetric")
    lead = [(0, 0)] * (example.target.ndim - len(widths))
    target = np.pad(example.target, [*lead, *widths], constant_values=UNLABELLED)
    return replace(example, image=image, target=target)
