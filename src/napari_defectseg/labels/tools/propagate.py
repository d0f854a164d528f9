"""Propagate: what was corrected in one frame is repeated in the frames beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Box, Edit, Mask, Numbers
from napari_defectseg.labels.labelmap import LabelMap

TOOL = "repeat in frames"
SAME = 0.3
"""An object there is the same one if it shares this much of the smaller of both."""
ROOM = 12
"""How far an object may move from frame to frame, in pixels, or half its length if that is more."""
Read = Callable[[Box], np.ndarray[Any, Any]]
"""Gives the grey values of the image in a box of the plane."""


def propagate(
    labelmap: LabelMap,
    numbers: int | Iterable[int],
    frames: Sequence[int],
    read: Read | None = None,
) -> Edit | None:
    """Repeat shape and class of objects in other frames.

    The object that is there already keeps its number, so tracks stay whole, and takes over shape
    and class; where there is none, a new one is drawn. Objects that a person has checked stay as
    they are and end the repetition in their direction; other objects are never drawn over.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed. With a time axis.
    numbers : int or iterable of int
        All in one frame.
    frames : sequence of int
        In the order in which they follow each other, without gaps, beginning beside the frame of
        the objects.
    read : callable or None
        Gives grey values: the shape moves along with what the image shows. None: it stays.

    Raises
    ------
    LabelError
        If there is no time axis, the objects lie in different frames, or nothing could be drawn.
    """
    if "t" not in labelmap.axes:
        raise LabelError("There are no frames to repeat it in.", hint="In a volume, copy it.")
    time = labelmap.axes.index("t")
    wanted = whole.listed(labelmap, numbers)
    if len({labelmap.index.box(number)[time].start for number in wanted}) != 1:
        raise LabelError("The objects lie in different frames.", hint="Choose those of one frame.")
    inside = [frame for frame in frames if 0 <= frame < labelmap.shape[time]]
    drafts: dict[int, Draft] = {}
    classes: dict[int, int] = {}
    decided: set[int] = set(wanted)
    following = labelmap.next_label
    drawn = 0
    for number in wanted:
        plane = whole.plane_of(labelmap, number)
        draft = drafts.setdefault(plane, Draft(labelmap, plane))
        draft.start_at(following)
        drawn += _along(draft, number, inside, time, read)
        following = draft.next_label
        classes |= draft.classes
        decided |= draft.decided
    if not drawn:
        raise LabelError(
            "Nothing was repeated: there are no frames that way, or what is there is checked."
        )
    changes = [draft.change() for draft in drafts.values()]
    return finish(labelmap, TOOL, changes, classes=classes, decided=decided)


def _along(draft: Draft, number: int, frames: Sequence[int], time: int, read: Read | None) -> int:
    """Draw one object in the frames; return in how many."""
    labelmap = draft.labelmap
    box = labelmap.index.box(number)
    mask = whole.pixels(labelmap, number, box)
    value = labelmap.class_of(number)
    taken = {number}
    for count, frame in enumerate(frames):
        there = _in_frame(box, time, frame)
        if read is not None:
            there, mask = _follow(labelmap, box, there, mask, read)
        here = draft.read(there)
        same = _same_object(draft, here, mask, taken)
        if same in labelmap.checked or not mask.any():
            return count
        room = mask & ((here == 0) | (here == same if same else False))
        if not room.any():
            return count
        owner = same or draft.new_object(value)
        _replace(draft, owner, there, room, value)
        taken.add(owner)
        box = there
    return len(frames)


def _in_frame(box: Box, time: int, frame: int) -> Box:
    moved = list(box)
    moved[time] = slice(frame, frame + 1)
    return tuple(moved)


def _same_object(draft: Draft, here: Numbers, mask: Mask, taken: set[int]) -> int:
    """Return the object that is the same one in this frame; 0: none."""
    numbers, counts = np.unique(here[mask], return_counts=True)
    size = int(np.count_nonzero(mask))
    best, most = 0, 0.0
    for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        if number and number not in taken and number in draft.labelmap.object_classes:
            share = count / min(size, draft.labelmap.index.size(number))
            if share >= SAME and share > most:
                best, most = number, share
    return best


def _replace(draft: Draft, owner: int, box: Box, mask: Mask, value: int) -> None:
    """Give an object this shape and class."""
    if draft.labelmap.index.size(owner):
        old = draft.labelmap.index.box(owner)
        draft.put(old, draft.read(old) == owner, 0)
        if draft.labelmap.class_of(owner) != value:
            draft.classes[owner] = value
    draft.put(box, mask, owner)
    draft.decided.add(owner)


def _follow(labelmap: LabelMap, box: Box, there: Box, mask: Mask, read: Read) -> tuple[Box, Mask]:
    """Return box and mask where the image shows the object in the next frame."""
    from skimage.registration import phase_cross_correlation

    room = max(ROOM, max(boxes.shape_of(box)) // 2)
    limit = boxes.whole(labelmap.shape)
    pairs = zip(labelmap.axes, box, boxes.grown(box, room, limit), strict=True)
    around = tuple(side if name == "t" else wide for name, side, wide in pairs)
    after = tuple(
        frame if name == "t" else wide
        for name, frame, wide in zip(labelmap.axes, there, around, strict=True)
    )
    now = np.nan_to_num(np.asarray(read(around), np.float32))
    then = np.nan_to_num(np.asarray(read(after), np.float32))
    if now.std() == 0 or then.std() == 0:
        return there, mask
    shift, _, _ = phase_cross_correlation(then - then.mean(), now - now.mean(), normalization=None)
    way = np.clip(np.rint(shift).astype(int), -room, room)
    moved = tuple(
        slice(side.start + step, side.stop + step)
        for side, step in zip(there, way.tolist(), strict=True)
    )
    kept = boxes.meet(moved, limit)
    if boxes.is_empty(kept):
        return there, mask
    return kept, np.ascontiguousarray(mask[boxes.inside(kept, moved)])
