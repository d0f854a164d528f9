"""Cut: a line is parted where it was clicked."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Edit, Mask
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.linework import half_widths, middle_of
from napari_defectseg.labels.parting import give_back
from napari_defectseg.labels.pieces import pieces_apart

TOOL = "cut"
REACH = 3.0
"""A cut is at most so many half widths long: farther it would not be where it was clicked."""
CRUMB = 1.5
LOOK = 24
"""So many pixels around the click say where the middle of the line is and how wide it is."""
Distances = np.ndarray[Any, np.dtype[np.float64]]


def cut(
    labelmap: LabelMap, number: int, place: tuple[int, ...], *, within: Box | None = None
) -> Edit | None:
    """Part a line across at a place; no pixel is lost.

    The shortest cut through that place that parts it. The larger part keeps the number.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    number : int
    place : tuple of int
        In indices of the plane; the nearest pixel of the object is meant.
    within : Box or None
        One slice, where the object is parted in that slice alone; None: all of it.

    Raises
    ------
    LabelError
        If there is no such object, or it does not fall apart there: it is closed or too broad.
    """
    around = whole.place(labelmap, number, within)
    own = whole.pixels(labelmap, number, around)
    steps = whole.steps_of(labelmap)
    nearest = _nearest(own, place, around, steps)
    # A click on the rim means the middle of the line beside it.
    near = boxes.grown(tuple(slice(i, i + 1) for i in nearest), LOOK, boxes.whole(own.shape))
    corner = tuple(i - side.start for i, side in zip(nearest, near, strict=True))
    middle = _nearest(middle_of(own[near]), corner, None, steps)
    centre = tuple(i + side.start for i, side in zip(middle, near, strict=True))
    away = _distance(own.shape, centre, None, steps)
    depth = float(half_widths(own[near], steps)[middle])
    longest = REACH * depth + 2 * min(steps)
    radius = 0.0
    while radius <= longest:
        draft = _parted(labelmap, number, around, away, radius)
        if draft is not None:
            draft.decided |= {number, *draft.classes}
            return draft.edit(TOOL)
        radius += min(steps) / 2
    raise LabelError(
        f"Object {number} does not fall apart there: it is closed, or too broad.",
        hint="Split it by a line across, or by two points.",
    )


def _nearest(
    mask: Mask, place: tuple[int, ...], base: Box | None, steps: tuple[float, ...]
) -> tuple[int, ...]:
    """Return the true pixel of a block that is nearest to a place."""
    away = np.where(mask, _distance(mask.shape, place, base, steps), np.inf)
    return tuple(int(i) for i in np.unravel_index(int(away.argmin()), mask.shape))


def _distance(
    shape: tuple[int, ...], place: tuple[int, ...], base: Box | None, steps: tuple[float, ...]
) -> Distances:
    """Return how far each pixel of a block is from a place, in the unit of `steps`."""
    corner = [0] * len(shape) if base is None else [side.start for side in base]
    grids = np.ogrid[tuple(slice(0, length) for length in shape)]
    squares = (
        ((grid + low - at) * step) ** 2
        for grid, low, at, step in zip(grids, corner, place, steps, strict=True)
    )
    away: Distances = np.sqrt(sum(squares))
    return away


def _parted(
    labelmap: LabelMap, number: int, around: Box, away: Distances, radius: float
) -> Draft | None:
    """Return the draft in which the object fell apart by the cut; None if it did not.

    A crumb at the rim of the line, hardly farther away than the cut is long, is no part of it.
    """
    taken = whole.pixels(labelmap, number, around) & (away <= radius)
    tight = boxes.tight(taken)
    if tight is None:
        return None
    box, mask = boxes.shifted(tight, around), np.ascontiguousarray(taken[tight])
    far = away > radius + CRUMB * min(whole.steps_of(labelmap))
    draft = Draft(labelmap, whole.plane_of(labelmap, number))
    draft.put(box, mask, 0)
    for where, piece in pieces_apart(draft.read, number, box, mask, around, draft.near):
        if (far[boxes.inside(where, around)] & piece).any():
            draft.put(where, piece, draft.new_object(draft.class_of(number)))
    if not draft.classes:
        return None
    give_back(draft, number, box, mask, around)
    return draft
