"""Delete: objects become background."""

from __future__ import annotations

from collections.abc import Iterable

from napari_defectseg.labels import whole
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Box, Change, Edit
from napari_defectseg.labels.labelmap import LabelMap

TOOL = "delete"


def delete(
    labelmap: LabelMap, numbers: int | Iterable[int], *, within: Box | None = None
) -> Edit | None:
    """Remove objects, or what of them lies within a box.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : int or iterable of int
    within : Box or None
        One slice (`boxes.slice_box`), or None for the whole objects. An object that loses a slice
        and falls apart becomes two.

    Raises
    ------
    LabelError
        If there is no such object, or none of it in the box.
    """
    changes: list[Change | None] = []
    classes: dict[int, int] = {}
    decided: set[int] = set()
    next_label = labelmap.next_label
    for number in whole.listed(labelmap, numbers):
        draft = Draft(labelmap, whole.plane_of(labelmap, number), next_label)
        box = whole.place(labelmap, number, within)
        mask = whole.pixels(labelmap, number, box)
        draft.put(box, mask, 0)
        if within is not None:
            draft.decided.add(number)
            draft.split_apart([number], box, mask)
        changes.append(draft.change())
        classes |= draft.classes
        decided |= draft.decided
        next_label = draft.next_label
    return finish(labelmap, TOOL, changes, classes=classes, decided=decided)
