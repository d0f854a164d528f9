"""Delete along: what is no object in one frame goes from the frames beside it too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import whole
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.same import same_object

TOOL = "delete in frames"


def delete_along(
    labelmap: LabelMap, numbers: int | Iterable[int], frames: Sequence[int]
) -> Edit | None:
    """Remove objects, and in other frames the objects that are the same ones.

    An object is followed from frame to frame by what overlaps. A checked object, another class or
    a frame without it ends the way of that object.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed. With a time axis.
    numbers : int or iterable of int
        All in one frame; these go, checked or not.
    frames : sequence of int
        In the order in which they follow each other, without gaps, beginning beside the frame of
        the objects.

    Raises
    ------
    LabelError
        If there is no time axis, or no such object.
    """
    if "t" not in labelmap.axes:
        raise LabelError("There are no frames beside.", hint="Delete the object itself.")
    time = labelmap.axes.index("t")
    wanted = whole.listed(labelmap, numbers)
    drafts: dict[int, Draft] = {}
    for number in wanted:
        plane = whole.plane_of(labelmap, number)
        draft = drafts.setdefault(plane, Draft(labelmap, plane))
        for gone in (number, *_same_ones(draft, number, frames, time)):
            box = labelmap.index.box(gone)
            draft.put(box, whole.pixels(labelmap, gone, box), 0)
    return finish(labelmap, TOOL, [draft.change() for draft in drafts.values()])


def _same_ones(draft: Draft, number: int, frames: Sequence[int], time: int) -> list[int]:
    """Return the objects of other frames that are this one."""
    labelmap = draft.labelmap
    found: list[int] = []
    current = number
    for frame in frames:
        if not 0 <= frame < labelmap.shape[time]:
            break
        box = list(labelmap.index.box(current))
        if box[time].start <= frame < box[time].stop:
            continue  # its number is the same there: it goes with it
        mask = np.any(whole.pixels(labelmap, current, tuple(box)), axis=time, keepdims=True)
        box[time] = slice(frame, frame + 1)
        same = same_object(draft, draft.read(tuple(box)), mask, {number, *found})
        alike = same and labelmap.class_of(same) == labelmap.class_of(number)
        if not alike or same in labelmap.checked:
            break
        found.append(same)
        current = same
    return found
