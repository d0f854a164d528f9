"""Outline: box, polygon and lasso; what a closed line holds becomes an object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from skimage.draw import polygon as polygon_pixels

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stroke import Stroke, draw_into

Kind: TypeAlias = Literal["box", "polygon", "lasso"]
Corners: TypeAlias = Sequence[Sequence[float]]


def draw_outline(
    labelmap: LabelMap,
    corners: Corners,
    class_value: int,
    *,
    kind: Kind = "lasso",
    flat: tuple[int, int] | None = None,
    protect: bool = False,
) -> Edit | None:
    """Draw what a closed line holds.

    It is decided about as `paint` does: begun on an object of the class it extends it, otherwise
    it is a new object; objects of the same class stay as they are.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    corners : sequence of points
        In indices of the plane, in order, all in one slice. A box is two opposite corners, or
        four; a line is closed by itself.
    class_value : int
        The class to draw.
    kind : {"box", "polygon", "lasso"}
        For the undo button, and for what two corners mean.
    flat : tuple of int or None
        The two axes of the slice; None: the last two.
    protect : bool
        Go around objects that a person has checked, unless the first corner lies on one.

    Raises
    ------
    LabelError
        If the line holds no pixel of the image, or runs through several slices.
    """
    labelmap.classes.by_value(class_value)
    stroke = outlined(labelmap, corners, flat=flat, box=kind == "box")
    draft = Draft(labelmap, labelmap.plane_of(class_value))
    draw_into(draft, stroke, class_value, number=None, protect=protect)
    return draft.edit(kind)


def outlined(
    labelmap: LabelMap,
    corners: Corners,
    *,
    flat: tuple[int, int] | None = None,
    box: bool = False,
) -> Stroke:
    """Return the pixels that a closed line holds, as a stroke; see `draw_outline`.

    A pixel is held where its centre is.
    """
    points = np.asarray(corners, float)
    ndim = len(labelmap.shape)
    rows, columns = flat or (ndim - 2, ndim - 1)
    if points.ndim != 2 or points.shape[1] != ndim or len(points) < 2 + (not box):
        raise LabelError("An outline needs three corners or more, a box two.")
    place = np.rint(points[0]).astype(int)
    for axis in range(ndim):
        if axis not in (rows, columns) and np.ptp(np.rint(points[:, axis])) > 0:
            raise LabelError("The outline runs through several slices.", hint="Draw it in one.")
    ring = points[:, [rows, columns]]
    if box:
        low, high = ring.min(axis=0), ring.max(axis=0)
        # The rim half a pixel outside: all between the corners, these included, is held.
        low, high = np.rint(low) - 0.5 + 1e-9, np.rint(high) + 0.5 - 1e-9
        ring = np.array([low, (low[0], high[1]), high, (high[0], low[1])])
    shape = (labelmap.shape[rows], labelmap.shape[columns])
    y, x = polygon_pixels(ring[:, 0], ring[:, 1], shape)
    hidden = [axis for axis in range(ndim) if axis not in (rows, columns)]
    if not y.size or any(not 0 <= place[axis] < labelmap.shape[axis] for axis in hidden):
        raise LabelError("The outline holds no pixel of the image.", hint="Draw it larger.")
    sides = [slice(int(i), int(i) + 1) for i in place]
    sides[rows] = slice(int(y.min()), int(y.max()) + 1)
    sides[columns] = slice(int(x.min()), int(x.max()) + 1)
    lengths = [side.stop - side.start for side in sides]
    index = [np.zeros(y.size, int)] * ndim
    index[rows], index[columns] = y - sides[rows].start, x - sides[columns].start
    mask = np.zeros(lengths, bool)
    mask[tuple(index)] = True
    return Stroke(tuple(sides), mask, tuple(int(i) for i in place))
