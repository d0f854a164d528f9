"""Paint block: the change that another brush has already drawn, as an `Edit`."""

from __future__ import annotations

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Edit, Numbers
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stroke import Stroke, draw_into, erase_into

DRAWN, ERASED = "brush", "erase"


def paint_block(
    labelmap: LabelMap,
    box: Box,
    old: Numbers,
    new: Numbers,
    class_value: int,
    *,
    start: tuple[int, ...] | None = None,
    protect: bool = False,
) -> Edit | None:
    """Return the edit for a block that a brush or bucket has changed from `old` to `new`.

    Pixels that became 0 are erased, all others are one stroke of the class. A number in `new`
    that belongs to one object of the class extends that object; any other number only says
    *drawn here*, and the stroke is decided about as `paint` does.

    Parameters
    ----------
    labelmap : LabelMap
        Holds `old` in the box (see `put_back` where the brush drew into the map's own plane).
    box : Box
        In the plane of the class.
    old, new : ndarray of int
        Values of the box before and after.
    class_value : int
        The class that was drawn.
    start : tuple of int or None
        Where the stroke began, in indices of the plane.
    protect : bool
        Go around objects that a person has checked.

    Raises
    ------
    LabelError
        If the map does not hold `old` there.
    """
    plane = labelmap.plane_of(class_value)
    if not np.array_equal(labelmap.planes[plane][box], old):
        raise LabelError("The stroke was drawn on another state of the labels and was left out.")
    changed = np.asarray(new) != np.asarray(old)
    erased, drawn = changed & (new == 0), changed & (new != 0)
    draft = Draft(labelmap, plane)
    if erased.any():
        erase_into(draft, Stroke(box, erased), class_value=None, protect=protect)
    if drawn.any():
        number = _meant(labelmap, np.unique(new[drawn]).tolist(), class_value)
        stroke = Stroke(box, drawn, start)
        draw_into(draft, stroke, class_value, number=number, protect=protect)
    return draft.edit(DRAWN if drawn.any() else ERASED)


def put_back(labelmap: LabelMap, box: Box, old: Numbers, class_value: int) -> None:
    """Write `old` where a brush drew into the map's own plane, so that an edit can be made of it.

    This is the one change that goes around `LabelMap.apply`: it takes back what went around it.
    """
    labelmap.planes[labelmap.plane_of(class_value)][box] = old


def _meant(labelmap: LabelMap, numbers: list[int], class_value: int) -> int | None:
    if len(numbers) == 1 and labelmap.object_classes.get(numbers[0]) == class_value:
        return numbers[0]
    return None
