"""Change the class of objects."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import whole
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Box, Change, Edit
from napari_defectseg.labels.labelmap import LabelMap

TOOL = "class"


def relabel(
    labelmap: LabelMap,
    numbers: int | Iterable[int],
    class_value: int,
    *,
    within: Box | None = None,
) -> Edit | None:
    """Give objects another class; they keep their numbers.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : int or iterable of int
    class_value : int
        The new class. Where classes may overlap, the object moves to that class's plane, and
        objects that are there already keep their pixels.
    within : Box or None
        One slice: what of the object lies in it becomes an object of its own; None: all of it.

    Raises
    ------
    LabelError
        If there is no such object, none of it in the slice, or no room for it among the objects
        of the new class.
    """
    labelmap.classes.by_value(class_value)
    wanted = [n for n in whole.listed(labelmap, numbers) if labelmap.class_of(n) != class_value]
    if labelmap.classes.exclusive and within is None:
        table = dict.fromkeys(wanted, class_value)
        return finish(labelmap, TOOL, (), classes=table, decided=wanted)
    changes: list[Change | None] = []
    classes: dict[int, int] = {}
    decided: set[int] = set()
    target = Draft(labelmap, labelmap.plane_of(class_value))
    for number in wanted:
        source = target
        if not labelmap.classes.exclusive:
            source = Draft(labelmap, whole.plane_of(labelmap, number))
        _move(source, target, number, class_value, within)
        if source is not target:
            changes.append(source.change())
            classes |= source.classes
            decided |= source.decided
    changes.append(target.change())
    return finish(
        labelmap,
        TOOL,
        changes,
        classes=classes | target.classes,
        decided=decided | target.decided,
    )


def _move(source: Draft, target: Draft, number: int, class_value: int, within: Box | None) -> None:
    labelmap = source.labelmap
    box = whole.place(labelmap, number, within)
    mask = whole.pixels(labelmap, number, box)
    free = mask if source is target else mask & (target.read(box) == 0)
    if not free.any():
        raise LabelError(
            f"Where object {number} lies, there are objects of that class already.",
            hint="Delete it instead.",
        )
    complete = int(np.count_nonzero(mask)) == labelmap.index.size(number)
    if complete:
        moved = number
        target.classes[number] = class_value
    else:
        moved = target.new_object(class_value)
        target.decided.add(number)
    target.decided.add(moved)
    if source is not target:
        source.put(box, mask, 0)
    target.put(box, free, moved)
    if not complete:
        source.start_at(target.next_label)
        source.decided.add(number)
        source.split_apart([number], box, mask)
        target.start_at(source.next_label)
