"""Means over the pixels of each object, read slab by slab: of scores, their entropy, any map."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.images.image import ArrayLike
from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box
from napari_defectseg.labels.labelmap import LabelMap

VOXELS = 1 << 22
"""About so many pixels are looked at together."""
Real = NDArray[np.float64]


class _Means:
    """Sums and counts an object number."""

    def __init__(self, size: int) -> None:
        self.total, self.count = np.zeros(size), np.zeros(size, np.int64)

    def add(self, numbers: NDArray[Any], values: NDArray[Any]) -> None:
        size = self.total.size
        self.total += np.bincount(numbers, values, size)
        self.count += np.bincount(numbers, minlength=size)

    def of(self, labelmap: LabelMap) -> dict[int, float]:
        return {
            number: float(self.total[number] / self.count[number])
            for number in labelmap.object_classes
            if self.count[number]
        }


def mean_entropy_steps(
    labelmap: LabelMap, scores: ArrayLike
) -> Steps[tuple[dict[int, float], dict[int, float]]]:
    """Return the mean normalised entropy of each object's pixels, and its mean score, as steps.

    Exclusive scores: ``-Σ p ln p / ln K`` over all K channels with the background; one channel,
    or one a class where they may overlap: the entropy of ``p, 1 - p`` of the own class over ln 2.
    1 is a guess, 0 is certain.

    Parameters
    ----------
    labelmap : LabelMap
    scores : array-like of float, shape (channel, *axes)

    Raises
    ------
    LabelError
        If the scores are not those of these labels.
    """
    classes = len(labelmap.classes)
    first = int(scores.shape[0]) - classes
    if tuple(scores.shape[1:]) != labelmap.shape or first not in (0, 1):
        raise LabelError(
            f"Scores of shape {tuple(scores.shape)} are not those of labels of shape "
            f"{labelmap.shape} with {classes} classes."
        )
    size = labelmap.next_label
    entropy, score = _Means(size), _Means(size)
    lookup = labelmap.class_lookup()
    slabs = boxes.slabs(boxes.whole(labelmap.shape), VOXELS // (classes + first))
    for done, slab in enumerate(slabs):
        yield Step(done, len(slabs), "Looking for doubtful objects")
        part = np.asarray(scores[(slice(None), *slab)])
        for channel, item in enumerate(labelmap.classes, start=first):
            numbers = labelmap.planes[labelmap.plane_of(item.value)][slab]
            own = lookup[numbers] == item.value
            if own.any():
                chosen = numbers[own]
                score.add(chosen, part[channel][own])
                entropy.add(chosen, _entropy(part[:, own] if first else part[channel][own][None]))
    return entropy.of(labelmap), score.of(labelmap)


def mean_over_objects_steps(labelmap: LabelMap, values: ArrayLike) -> Steps[dict[int, float]]:
    """Return the mean of a map over each object's pixels, as steps.

    Parameters
    ----------
    labelmap : LabelMap
    values : array-like of float, shape (*axes)

    Raises
    ------
    LabelError
        If the shape is another.
    """
    if tuple(values.shape) != labelmap.shape:
        raise LabelError(
            f"A map of shape {tuple(values.shape)} does not fit labels of {labelmap.shape}."
        )
    means = _Means(labelmap.next_label)
    slabs: list[Box] = boxes.slabs(boxes.whole(labelmap.shape), VOXELS)
    for done, slab in enumerate(slabs):
        yield Step(done, len(slabs), "Comparing predictions")
        part = np.asarray(values[slab])
        for plane in labelmap.planes:
            inside = plane[slab] > 0
            means.add(plane[slab][inside], part[inside])
    return means.of(labelmap)


def _entropy(part: NDArray[Any]) -> Real:
    """Return the normalised entropy of columns of probabilities; one row is p beside 1 - p."""
    p = np.clip(part.astype(np.float64), 1e-12, 1.0)
    if len(p) == 1:
        q = np.clip(1.0 - p, 1e-12, 1.0)
        p = np.concatenate([p, q])
    summed: Real = -(p * np.log(p)).sum(axis=0) / np.log(len(p))
    return summed
