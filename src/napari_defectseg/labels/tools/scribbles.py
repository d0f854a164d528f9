"""Scribbles: a few strokes on some slices become the whole object they lie in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Edit, Mask, Numbers
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.walker import FREE, INSIDE, OUTSIDE, walk

TOOL = "fill from strokes"
ROOM = 0.6
"""First it is looked so far beyond the strokes, as a share of their extent."""
LEAST_ROOM = 10
WIDER = 1.7
"""Where what is found reaches the rim of the crop, it is looked so many times farther."""
NEAR_RIM = 4
"""The rim of the crop draws what is found back by less than so many voxels."""
MOST = 6_000_000
"""Voxels of the crop; more take longer than a hand waits."""
BLUR = 1.0
Read = Callable[[Box], np.ndarray[Any, Any]]
"""Gives the grey values of the image in a box of the plane."""


def fill_scribbles(
    labelmap: LabelMap, number: int, read: Read, *, room: int | None = None
) -> Edit | None:
    """Fill the object that some strokes lie in, by a random walker on a crop around them.

    What belongs to the object now is inside. Outside is every other object, so a stroke of any
    other object fences it in, and the rim of the crop where it is not the image's own. The rest
    goes to the side that a random walk over similar grey values meets first.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    number : int
        The object that was begun with some strokes.
    read : callable
        Gives the grey values of the image in a box of the plane.
    room : int or None
        How far beyond its strokes the object may reach, in pixels of the finest axis; None: as
        far as it is found.

    Raises
    ------
    LabelError
        If there is no such object, the crop is too large, or nothing is found beyond the strokes.
    """
    draft = Draft(labelmap, whole.plane_of(labelmap, number))
    strokes = labelmap.index.box(number)
    reach = _first_room(labelmap, strokes) if room is None else float(room)
    while True:
        box = _crop(labelmap, strokes, reach)
        if int(np.prod(boxes.shape_of(box), dtype=np.int64)) > MOST:
            raise LabelError(
                f"Object {number} with its surroundings is too large to fill at once.",
                hint="Fill it in parts, or between slices.",
            )
        here = draft.read(box)
        found = _inside(labelmap, number, here, np.asarray(read(box)))
        wider = _crop(labelmap, strokes, reach * WIDER)
        if room is not None or wider == box or not _reaches_rim(labelmap, found, box):
            break
        reach *= WIDER
    won = found & (here == 0)
    if not won.any():
        raise LabelError(
            f"Nothing beyond the strokes of object {number} looks as if it belonged to it.",
            hint="Draw another stroke nearer to its rim.",
        )
    draft.put(box, won, number)
    draft.decided.add(number)
    return draft.edit(TOOL)


def _first_room(labelmap: LabelMap, box: Box) -> float:
    """Return how far beyond the strokes it is looked first, in pixels of the finest axis."""
    steps = whole.steps_of(labelmap)
    space = [axis for axis, name in enumerate(labelmap.axes) if name != "t"]
    extent = max((box[axis].stop - box[axis].start) * steps[axis] for axis in space)
    return max(float(LEAST_ROOM), float(ROOM * extent / min(steps[axis] for axis in space)))


def _crop(labelmap: LabelMap, box: Box, reach: float) -> Box:
    """Return the box with room around it, as far in space along every axis."""
    steps = whole.steps_of(labelmap)
    space = [axis for axis, name in enumerate(labelmap.axes) if name != "t"]
    finest = min(steps[axis] for axis in space)
    grown = list(box)
    for axis in space:
        margin = max(2, round(reach * finest / steps[axis]))
        stop = min(labelmap.shape[axis], box[axis].stop + margin)
        grown[axis] = slice(max(0, box[axis].start - margin), stop)
    return tuple(grown)


def _reaches_rim(labelmap: LabelMap, found: Mask, box: Box) -> bool:
    """Whether what was found goes on where the crop ends, and the image does not."""
    for axis, name in enumerate(labelmap.axes):
        if name == "t" or found.shape[axis] < 2 * NEAR_RIM:
            continue
        faces = np.moveaxis(found, axis, 0)
        if (box[axis].start > 0 and faces[:NEAR_RIM].any()) or (
            box[axis].stop < labelmap.shape[axis] and faces[-NEAR_RIM:].any()
        ):
            return True
    return False


def _inside(labelmap: LabelMap, number: int, here: Numbers, grey: Any) -> Mask:
    """Return which voxels of the crop belong to the object and hang together with it."""
    if grey.shape != here.shape:
        raise LabelError(f"Grey values of shape {grey.shape} do not fit a crop of {here.shape}.")
    marks = np.full(here.shape, FREE, np.uint8)
    for axis, name in enumerate(labelmap.axes):
        for end in (0, -1) if name != "t" and here.shape[axis] > 2 else ():
            # The image's own end is no rim where the object itself reaches it.
            if not (np.moveaxis(here, axis, 0)[end] == number).any():
                np.moveaxis(marks, axis, 0)[end] = OUTSIDE
    marks[(here != 0) & (here != number)] = OUTSIDE
    marks[here == number] = INSIDE
    shape, steps = _cube(labelmap, here.shape)
    values = np.nan_to_num(grey.astype(np.float32)).reshape(shape)
    values = ndimage.gaussian_filter(values, [BLUR if n > 1 else 0 for n in shape], mode="nearest")
    chance = walk(values, marks.reshape(shape), steps)
    inside = (chance > 0.5).reshape(here.shape) & (marks != OUTSIDE)
    numbered, _ = ndimage.label(inside)
    hold = np.zeros(int(numbered.max()) + 1, bool)
    hold[np.unique(numbered[here == number])] = True
    hold[0] = False
    held: Mask = hold[numbered]
    return held


def _cube(
    labelmap: LabelMap, shape: tuple[int, ...]
) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Return shape and steps as three axes; an image has one slice, a frame is left out."""
    space = [axis for axis, name in enumerate(labelmap.axes) if name != "t"]
    lengths = [shape[axis] for axis in space]
    steps = [whole.steps_of(labelmap)[axis] for axis in space]
    while len(lengths) < 3:
        lengths.insert(0, 1)
        steps.insert(0, min(steps))
    return (lengths[0], lengths[1], lengths[2]), (steps[0], steps[1], steps[2])
