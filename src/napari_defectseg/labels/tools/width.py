"""Width: a line gets the same width everywhere, around its middle."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Box, Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.linework import middle_of, thickened

TOOL = "width"


def set_width(labelmap: LabelMap, numbers: int | Iterable[int], width: float) -> Edit | None:
    """Draw lines anew at a width, around the middle of what they are now.

    Their ends move by half of what the width changes. Other objects are never drawn over.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : int or iterable of int
    width : float
        In pixels of the finest axis.

    Raises
    ------
    LabelError
        If there is no such object, or the width is less than 1 px.
    """
    if not width >= 1:
        raise LabelError(f"A line {width} px wide cannot be drawn; choose 1 px or more.")
    drafts: dict[int, Draft] = {}
    classes: dict[int, int] = {}
    decided: set[int] = set()
    following = labelmap.next_label
    for number in whole.listed(labelmap, numbers):
        plane = whole.plane_of(labelmap, number)
        draft = drafts.setdefault(plane, Draft(labelmap, plane))
        draft.start_at(following)
        _redraw(draft, number, width)
        following = draft.next_label
        classes |= draft.classes
        decided |= draft.decided
    changes = [draft.change() for draft in drafts.values()]
    return finish(labelmap, TOOL, changes, classes=classes, decided=decided)


def _redraw(draft: Draft, number: int, width: float) -> None:
    labelmap = draft.labelmap
    steps = whole.steps_of(labelmap)
    space = [axis for axis, name in enumerate(labelmap.axes) if name != "t"]
    finest = min(steps[axis] for axis in space)
    box = _around(labelmap, labelmap.index.box(number), int(np.ceil(width / 2)) + 1)
    here = draft.read(box)
    own = here == number
    line = thickened(middle_of(own), width * finest, steps)
    result = line & (own | (here == 0))
    lost, won = own & ~result, result & ~own
    if not (lost.any() or won.any()):
        return
    draft.put(box, won, number)
    draft.put(box, lost, 0)
    draft.decided.add(number)
    draft.split_apart([number], box, lost, grown=box)


def _around(labelmap: LabelMap, box: Box, margin: int) -> Box:
    """Return the box with a margin in space, not in time."""
    grown = boxes.grown(box, margin, boxes.whole(labelmap.shape))
    return tuple(
        side if name == "t" else wide
        for name, side, wide in zip(labelmap.axes, box, grown, strict=True)
    )
