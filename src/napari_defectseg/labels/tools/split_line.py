"""Split along a line that was drawn across an object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Edit, Mask
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.parting import give_back
from napari_defectseg.labels.pieces import pieces_apart
from napari_defectseg.labels.polyline import Points, trace

TOOL = "split"


def split_line(
    labelmap: LabelMap,
    number: int,
    points: Sequence[Sequence[float]],
    *,
    within: Box | None = None,
    axis: int | None = None,
) -> Edit | None:
    """Part an object along a drawn line; no pixel is lost.

    The largest part keeps the number. Pixels under the line go to the part they touch.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    number : int
    points : sequence of points
        Corners of the line, in indices of the plane, all in one slice.
    within : Box or None
        One slice, where the object is parted in that slice alone; None: the cut goes straight
        through the volume, at right angles to the slice in which the line was drawn.
    axis : int or None
        In a volume the axis across that slice; None: the first along which the line rests.

    Raises
    ------
    LabelError
        If there is no such object, the line does not lie in one slice, or does not part it.
    """
    place = whole.place(labelmap, number, within)
    line, box = _line(labelmap, points, place, axis)
    cut = np.broadcast_to(line, boxes.shape_of(box)) & whole.pixels(labelmap, number, box)
    draft = Draft(labelmap, whole.plane_of(labelmap, number))
    if cut.any():
        draft.put(box, cut, 0)
        for where, piece in pieces_apart(draft.read, number, box, cut, place, draft.near):
            new = draft.new_object(draft.class_of(number))
            draft.put(where, piece, new)
    if not draft.classes:
        raise LabelError(
            f"The line does not part object {number}.",
            hint="Draw it from one side to the other, beyond the rim on both sides.",
        )
    give_back(draft, number, box, cut, place)
    draft.decided |= {number, *draft.classes}
    return draft.edit(TOOL)


def _line(
    labelmap: LabelMap, points: Sequence[Sequence[float]], place: Box, axis: int | None
) -> tuple[Mask, Box]:
    """Return the pixels under the line and their box, as long as the object across the slice."""
    corners = np.asarray(points, float)
    if corners.ndim != 2 or len(corners) < 2 or corners.shape[1] != len(labelmap.shape):
        raise LabelError("A line to split along needs two points or more.")
    flat = _drawn_along(labelmap, corners, place, axis)
    pixels = trace(corners[:, flat])
    low = np.array([place[axis].start for axis in flat])
    high = np.array([place[axis].stop for axis in flat])
    pixels = pixels[((pixels >= low) & (pixels < high)).all(axis=1)]
    if not len(pixels):
        raise LabelError("The line does not cross the object.", hint="Draw it across the object.")
    first, last = pixels.min(axis=0), pixels.max(axis=0)
    box, lengths, index = list(place), [1] * len(place), [np.zeros(len(pixels), int)] * len(place)
    for column, side in enumerate(flat):
        box[side] = slice(int(first[column]), int(last[column]) + 1)
        lengths[side] = box[side].stop - box[side].start
        index[side] = pixels[:, column] - first[column]
    mask = np.zeros(lengths, bool)
    mask[tuple(index)] = True
    return mask, tuple(box)


def _drawn_along(labelmap: LabelMap, corners: Points, place: Box, axis: int | None) -> list[int]:
    """Return the two axes of the slice that the line was drawn in."""
    still = [side for side in range(corners.shape[1]) if np.ptp(np.rint(corners[:, side])) == 0]
    across = {side for side in still if labelmap.axes[side] == "t"}
    if any(not place[side].start <= round(corners[0, side]) < place[side].stop for side in across):
        raise LabelError("The line was drawn in another frame than the object's.")
    resting = [side for side in still if side not in across]
    if sum(name != "t" for name in labelmap.axes) == 3 and resting:
        across.add(axis if axis in resting else resting[0])
    flat = [side for side in range(corners.shape[1]) if side not in across]
    if len(flat) != 2:
        raise LabelError("The line runs through several slices.", hint="Draw it in one slice.")
    return flat
