"""Trace: the line between two clicks, along the ridge that the image shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.linework import line_stroke
from napari_defectseg.labels.polyline import Pixels
from napari_defectseg.labels.ridge import path_along
from napari_defectseg.labels.stroke import draw_into

TOOL = "trace"
WIDTH = 3.0
ROOM = 24
"""The way may go so far beyond the box around two clicks, or half their distance if more."""
MOST = 4_000_000
MOST_3D = 400_000
"""Pixels, and voxels, of a crop; more take longer than a hand waits."""
Read = Callable[[Box], np.ndarray[Any, Any]]
"""Gives the grey values of the image in a box of the plane."""


def trace(
    labelmap: LabelMap,
    points: Sequence[tuple[int, ...]],
    read: Read,
    class_value: int,
    *,
    width: float = WIDTH,
    protect: bool = False,
) -> Edit | None:
    """Draw a line along the ridge between clicked points.

    The cheapest path over the image, where a pixel costs the less the more it looks like the
    middle of a bright or dark line. It is drawn as a stroke: begun on an object of the class it
    extends that, and other objects of the class stay.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    points : sequence of tuple of int
        Two or more, in indices of the plane, in order; all in one frame.
    read : callable
        Gives the grey values of the image in a box of the plane.
    class_value : int
        The class to draw.
    width : float
        Of the line, in pixels of the finest axis.
    protect : bool
        Go around objects that a person has checked, unless it begins on one.

    Raises
    ------
    LabelError
        If there are fewer than two points, they are too far apart or in different frames.
    """
    labelmap.classes.by_value(class_value)
    if not width >= 1:
        raise LabelError(f"A line {width} px wide cannot be drawn; choose 1 px or more.")
    places = [tuple(int(i) for i in point) for point in points]
    way = traced(labelmap, places, read)
    stroke = line_stroke(labelmap, way, width, places[0])
    draft = Draft(labelmap, labelmap.plane_of(class_value))
    draw_into(draft, stroke, class_value, number=None, protect=protect)
    return draft.edit(TOOL)


def traced(labelmap: LabelMap, points: Sequence[tuple[int, ...]], read: Read) -> Pixels:
    """Return the pixels of the line through clicked points, in indices of the plane."""
    _refuse(labelmap, points)
    found = [_leg(labelmap, one, two, read) for one, two in pairwise(points)]
    return np.concatenate(found)


def _refuse(labelmap: LabelMap, points: Sequence[tuple[int, ...]]) -> None:
    if len(points) < 2:
        raise LabelError("A line needs two points or more.")
    for point in points:
        if not all(0 <= i < n for i, n in zip(point, labelmap.shape, strict=True)):
            raise LabelError("A point lies outside the image.")
    if "t" in labelmap.axes and len({point[labelmap.axes.index("t")] for point in points}) > 1:
        raise LabelError("The points lie in different frames.", hint="Click in one frame.")


def _leg(labelmap: LabelMap, one: tuple[int, ...], two: tuple[int, ...], read: Read) -> Pixels:
    """Return the way between two points: in their slice, or where they have none, in space."""
    low, high = np.minimum(one, two), np.maximum(one, two)
    thick = [a for a in range(len(one)) if labelmap.axes[a] in "yx" or low[a] < high[a]]
    margin = max(ROOM, int((high - low).max()) // 2)
    room = np.array([margin if axis in thick else 0 for axis in range(len(one))])
    sides = zip((low - room).tolist(), (high + room + 1).tolist(), labelmap.shape, strict=True)
    box = tuple(slice(max(0, first), min(n, stop)) for first, stop, n in sides)
    if int(np.prod(boxes.shape_of(box), dtype=np.int64)) > (MOST if len(thick) == 2 else MOST_3D):
        raise LabelError(
            "The points are too far apart to find the way between them.",
            hint="Click points in between.",
        )
    grey = np.nan_to_num(np.asarray(read(box), np.float32))
    shape = tuple(grey.shape[a] for a in thick)
    ends = [tuple(point[a] - box[a].start for a in thick) for point in (one, two)]
    steps = whole.steps_of(labelmap)
    way = path_along(grey.reshape(shape), *ends, steps=tuple(steps[a] for a in thick))
    assert way is not None  # nothing is closed
    found = np.tile(np.array(one, np.int64), (len(way), 1))
    found[:, thick] = way + [box[a].start for a in thick]
    return found
