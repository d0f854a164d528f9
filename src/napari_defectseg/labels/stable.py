"""Stable numbers: what is the same object as before is called the same."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from napari_defectseg.labels import overlap
from napari_defectseg.labels.edit import Numbers
from napari_defectseg.labels.labelmap import LabelMap


def keep_numbers(old: LabelMap, new: LabelMap, first: int) -> None:
    """Give the objects of `new` the numbers of `old`, where they are the same.

    An object is the same if both are of one class and each holds more than half of the pixels
    that the other one shares with anything. All others get numbers that no object has.

    Parameters
    ----------
    old : LabelMap
        Not changed.
    new : LabelMap
        Renumbered in place. Of the same shape, axes and classes.
    first : int
        First number to use for objects that are new.
    """
    numbers = np.zeros(new.next_label, np.int32)
    for plane in range(len(new.planes)):
        for number, same in _pairs(old, new, plane).items():
            numbers[number] = same
    taken = set(numbers[numbers > 0].tolist()) | old.object_classes.keys()
    fresh = _fresh(first, taken)
    for number in sorted(new.object_classes):
        if not numbers[number]:
            numbers[number] = next(fresh)
    apply_numbers(new, numbers)


def apply_numbers(labelmap: LabelMap, numbers: Numbers) -> None:
    """Renumber a map in place.

    Parameters
    ----------
    labelmap : LabelMap
    numbers : ndarray of int32
        New number of each object number.
    """
    if np.array_equal(numbers[list(labelmap.object_classes)], list(labelmap.object_classes)):
        return
    for plane in labelmap.planes:
        overlap.renumber(plane.reshape(-1), numbers)
    table = {int(numbers[n]): value for n, value in labelmap.object_classes.items()}
    labelmap.restart(table, {int(numbers[n]) for n in labelmap.checked})


def _pairs(old: LabelMap, new: LabelMap, plane: int) -> dict[int, int]:
    """Return the old number of each new object that is the same."""
    before, after = old.planes[plane].reshape(-1), new.planes[plane].reshape(-1)
    size_old, size_new = old.next_label, new.next_label
    a, b, length = _shared(before, after)
    of_old, of_new = np.zeros(size_old, np.int32), np.zeros(size_new, np.int32)
    overlap.favourites(a, b, length, of_old, np.zeros(size_old, np.int64))
    overlap.favourites(b, a, length, of_new, np.zeros(size_new, np.int64))
    total_old, total_new = np.bincount(a, length, size_old), np.bincount(b, length, size_new)
    counts = np.bincount(b, length * (of_new[b] == a), size_new)
    mutual = (of_old[of_new] == np.arange(size_new)) & (of_new > 0)
    mutual &= (2 * counts > total_new) & (2 * counts > total_old[of_new])
    mutual &= new.class_lookup() == old.class_lookup()[of_new]
    same = np.flatnonzero(mutual)
    return dict(zip(same.tolist(), of_new[same].tolist(), strict=True))


def _shared(
    before: Numbers, after: Numbers
) -> tuple[Numbers, Numbers, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return old number, new number and length of the runs in which both show an object."""
    most = overlap.count_pairs(before, after)
    a, b = np.empty(most, np.int32), np.empty(most, np.int32)
    length = np.empty(most, np.int64)
    count = overlap.fill_pairs(before, after, a, b, length)
    return a[:count], b[:count], length[:count]


def _fresh(first: int, taken: set[int]) -> Iterator[int]:
    return (number for number in count(first) if number not in taken)
