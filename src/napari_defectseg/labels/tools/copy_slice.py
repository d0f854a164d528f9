"""Copy: what an object shows in one slice or frame is drawn in another one too."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap

TOOL = "copy to slice"


def copy_slice(
    labelmap: LabelMap, numbers: int | Iterable[int], *, axis: int, source: int, target: int
) -> Edit | None:
    """Draw the section of objects in another slice, around everything that is there.

    In a volume it belongs to the same object; in another frame of a movie it is a new object of
    the same class, because a number names one object in one frame.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : int or iterable of int
    axis : int
        Axis of the plane across the slices.
    source, target : int
        Index of the slice it is taken from, and of the one it is drawn in.

    Raises
    ------
    LabelError
        If an object has nothing in the slice, the target lies outside, or there is no room.
    """
    if not 0 <= target < labelmap.shape[axis]:
        raise LabelError("There is no slice beyond this one.")
    within = boxes.slice_box(labelmap.shape, axis, source)
    moves = labelmap.axes[axis] == "t"
    drafts: dict[int, Draft] = {}
    classes: dict[int, int] = {}
    decided: set[int] = set()
    following = labelmap.next_label
    drawn = 0
    for number in whole.listed(labelmap, numbers):
        plane = whole.plane_of(labelmap, number)
        draft = drafts.setdefault(plane, Draft(labelmap, plane))
        box = whole.place(labelmap, number, within)
        mask = whole.pixels(labelmap, number, box)
        if not mask.any():
            raise LabelError(f"Object {number} is not in this slice.")
        there = list(box)
        there[axis] = slice(target, target + 1)
        free = mask & (draft.read(tuple(there)) == 0)
        owner = number
        if moves and free.any():
            draft.start_at(following)
            owner = draft.new_object(labelmap.class_of(number))
            following = draft.next_label
            classes[owner] = labelmap.class_of(number)
        draft.put(tuple(there), free, owner)
        decided |= {number, owner} if free.any() else set()
        drawn += int(np.count_nonzero(free))
    if not drawn:
        raise LabelError("There is no room for it in that slice: other objects are there already.")
    changes = [draft.change() for draft in drafts.values()]
    return finish(labelmap, TOOL, changes, classes=classes, decided=decided)
