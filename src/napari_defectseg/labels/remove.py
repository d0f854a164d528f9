"""Removal of many whole objects, as few changes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Change, PlainChange
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.pack import smaller

FEW = 64
"""So many objects are removed one by one, each in its box; more by looking at everything."""


def removal(labelmap: LabelMap, plane: int, numbers: Iterable[int]) -> list[Change]:
    """Return the changes that make objects of one plane background.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    plane : int
    numbers : iterable of int
        Objects of that plane.
    """
    wanted = sorted(set(numbers))
    if not wanted:
        return []
    doomed = np.zeros(labelmap.next_label, bool)
    doomed[wanted] = True
    if len(wanted) <= FEW:
        found = [_one(labelmap, plane, number) for number in wanted]
    else:
        around = labelmap.index.box(wanted[0])
        for number in wanted[1:]:
            around = boxes.join(around, labelmap.index.box(number))
        found = [_slab(labelmap, plane, slab, doomed) for slab in boxes.slabs(around)]
    return [smaller(change) for change in found if change is not None]


def _one(labelmap: LabelMap, plane: int, number: int) -> PlainChange | None:
    box = labelmap.index.box(number)
    return _emptied(plane, box, labelmap.planes[plane][box], labelmap.planes[plane][box] == number)


def _slab(
    labelmap: LabelMap, plane: int, slab: Box, doomed: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> PlainChange | None:
    block = labelmap.planes[plane][slab]
    return _emptied(plane, slab, block, doomed[block])


def _emptied(
    plane: int,
    box: Box,
    block: np.ndarray[tuple[int, ...], np.dtype[np.int32]],
    mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> PlainChange | None:
    tight = boxes.tight(mask)
    if tight is None:
        return None
    here = np.ascontiguousarray(mask[tight])
    before = block[tight][here]
    return PlainChange(plane, boxes.shifted(tight, box), here, before, np.zeros_like(before))
