"""Level: an object grows or shrinks along the model's own scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Edit, Mask
from napari_defectseg.labels.flood import flood
from napari_defectseg.labels.labelmap import LabelMap

GROWN, SHRUNK = "grow", "shrink"
STEP = 0.1
"""An object changes by this share of its size at least, where the scores allow it."""
ROOM = 0.5
"""It looks so far around the object, as a share of its length."""
LEAST_ROOM = 8
Read = Callable[[Box], np.ndarray[Any, Any]]
"""Gives the scores of the object's class in a box of the plane."""


def level(
    labelmap: LabelMap,
    number: int,
    read: Read,
    *,
    grow: bool,
    seed: tuple[int, ...] | None = None,
    within: Box | None = None,
) -> Edit | None:
    """Move the rim of an object to the next higher or lower score.

    Growing adds the connected part, around the surest pixel, of everything that scores at least a
    level, shrinking leaves only that part of the object; the level is moved until the size
    changes by a tenth or more. So the rim moves along the contours that the model draws. Other
    objects are never drawn over.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    number : int
    read : callable
        Gives the scores (probabilities) of the object's class in a box of the plane.
    grow : bool
        False shrinks.
    seed : tuple of int or None
        The pixel to grow from, in indices of the plane; None: the object's highest score. Keep it
        from step to step: growing may reach a surer place, which is another object's.
    within : Box or None
        One slice, where the object is changed in that slice alone; None: all of it.

    Raises
    ------
    LabelError
        If there is no such object, none of it in the slice, or the scores know no further level.
    """
    place = whole.place(labelmap, number, within)
    draft = Draft(labelmap, whole.plane_of(labelmap, number))
    around = _around(labelmap, place, within)
    here = draft.read(around)
    own = here == number
    heights = np.asarray(read(around), np.float32)
    if heights.shape != here.shape:
        raise LabelError(f"Scores of shape {heights.shape} do not fit labels of {here.shape}.")
    start = _start(heights, own, seed, around)
    open_to = own | (here == 0) if grow else own
    heights = np.where(open_to, heights, -np.inf).astype(np.float32)
    chosen = _part(heights, start, draft, own, grow=grow)
    if chosen is None:
        raise LabelError(
            f"The scores around object {number} know no "
            f"{'lower level to grow' if grow else 'higher level to shrink'} to."
        )
    draft.put(around, own & ~chosen, 0)
    draft.put(around, chosen & ~own, number)
    draft.decided.add(number)
    if within is not None:
        draft.split_apart([number], around, own & ~chosen, grown=around)
    return draft.edit(GROWN if grow else SHRUNK)


def surest(labelmap: LabelMap, number: int, read: Read) -> tuple[int, ...]:
    """Return the pixel of an object with the highest score, in indices of the plane."""
    box = labelmap.index.box(number)
    own = whole.pixels(labelmap, number, box)
    found = _start(np.asarray(read(box), np.float32), own, None, box)
    return tuple(i + side.start for i, side in zip(found, box, strict=True))


def _around(labelmap: LabelMap, place: Box, within: Box | None) -> Box:
    limit = list(boxes.whole(labelmap.shape) if within is None else within)
    if "t" in labelmap.axes:
        time = labelmap.axes.index("t")
        limit[time] = place[time]
    length = max(boxes.shape_of(place))
    return boxes.grown(place, max(LEAST_ROOM, int(ROOM * length)), tuple(limit))


def _start(
    heights: np.ndarray[Any, np.dtype[np.float32]],
    own: Mask,
    seed: tuple[int, ...] | None,
    around: Box,
) -> tuple[int, ...]:
    """Return the seed, counted from the corner of the block."""
    if seed is not None:
        place = tuple(i - side.start for i, side in zip(seed, around, strict=True))
        if all(0 <= i < n for i, n in zip(place, own.shape, strict=True)) and own[place]:
            return place
    scores = np.where(own, np.nan_to_num(heights, nan=-1.0), -np.inf)
    return tuple(int(i) for i in np.unravel_index(int(scores.argmax()), scores.shape))


def _part(
    heights: np.ndarray[Any, np.dtype[np.float32]],
    start: tuple[int, ...],
    draft: Draft,
    own: Mask,
    *,
    grow: bool,
) -> Mask | None:
    """Return the object at the next level; None if there is none."""
    size = int(np.count_nonzero(own))
    change = max(1, int(np.ceil(STEP * size)))
    order, levels = flood(heights, start, draft.near, size + change if grow else size)
    # Where the level falls behind a pixel, all up to it are one whole part.
    ends = np.append(np.flatnonzero(levels[1:] < levels[:-1]) + 1, order.size)
    if grow:
        won = np.cumsum(~own.reshape(-1)[order])[ends - 1]
        fitting = ends[won >= min(change, max(1, int(won[-1])))]
    else:
        fitting = ends[ends <= size - change][::-1]
    if not fitting.size:
        return None
    chosen = own.copy() if grow else np.zeros(own.shape, bool)
    chosen.reshape(-1)[order[: int(fitting[0])]] = True
    return chosen
