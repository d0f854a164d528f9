"""Join: lines that belong together become one, and the gaps between them are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Edit, Mask
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.linework import half_widths, line_stroke

TOOL = "join"
Points = np.ndarray[Any, np.dtype[np.int64]]


def join(labelmap: LabelMap, numbers: Iterable[int]) -> Edit | None:
    """Make one line of several and draw the straight bridges between their nearest ends.

    A bridge is as wide as the thinner of the two ends and is not drawn over other objects. Number
    and class are those of the first one named.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : iterable of int
        Two or more.

    Raises
    ------
    LabelError
        If fewer than two are named, or they lie in different frames or planes.
    """
    wanted = whole.listed(labelmap, numbers)
    if len(wanted) < 2:
        raise LabelError("Joining needs two lines or more.", hint="Choose another one as well.")
    if len({whole.plane_of(labelmap, number) for number in wanted}) > 1:
        raise LabelError(
            "Objects of different classes that may overlap cannot be joined.",
            hint="Give them the same class first.",
        )
    if "t" in labelmap.axes:
        time = labelmap.axes.index("t")
        if len({labelmap.index.box(number)[time].start for number in wanted}) > 1:
            raise LabelError("The lines lie in different frames.", hint="Choose one frame.")
    first = wanted[0]
    draft = Draft(labelmap, whole.plane_of(labelmap, first))
    groups = {number: _pixels(labelmap, number) for number in wanted}
    joined = groups.pop(first)
    ends = [first]
    while groups:
        number, one, two = _nearest(labelmap, joined, groups)
        _bridge(draft, first, one, two, _width(labelmap, ends, one, number, two))
        joined = np.concatenate([joined, groups.pop(number)])
        ends.append(number)
    for number in wanted[1:]:
        box = labelmap.index.box(number)
        draft.put(box, whole.pixels(labelmap, number, box), first)
    draft.decided.add(first)
    return draft.edit(TOOL)


def _pixels(labelmap: LabelMap, number: int) -> Points:
    box = labelmap.index.box(number)
    corner = np.array([side.start for side in box], np.int64)
    return np.asarray(np.argwhere(whole.pixels(labelmap, number, box)) + corner, np.int64)


def _nearest(
    labelmap: LabelMap, joined: Points, groups: dict[int, Points]
) -> tuple[int, Points, Points]:
    """Return the nearest other line, and the two pixels where it comes nearest."""
    from scipy.spatial import cKDTree

    steps = np.array(whole.steps_of(labelmap))
    tree = cKDTree(joined * steps)
    best: tuple[float, int, Points, Points] | None = None
    for number, points in groups.items():
        away, which = (np.atleast_1d(found) for found in tree.query(points * steps))
        place = int(np.argmin(away))
        if best is None or away[place] < best[0]:
            best = float(away[place]), number, joined[which[place]], points[place]
    assert best is not None
    return best[1:]


def _width(labelmap: LabelMap, ends: list[int], one: Points, number: int, two: Points) -> float:
    """Return the width of the thinner line near the bridge, in pixels of the finest axis."""
    own = next(n for n in ends if labelmap.planes[whole.plane_of(labelmap, n)][tuple(one)] == n)
    steps = whole.steps_of(labelmap)
    finest = min(s for s, name in zip(steps, labelmap.axes, strict=True) if name != "t")
    return min(_near_width(labelmap, own, one), _near_width(labelmap, number, two)) / finest


def _near_width(labelmap: LabelMap, number: int, place: Points) -> float:
    around = tuple(slice(max(0, int(i) - 8), int(i) + 9) for i in place)
    box = boxes.meet(around, labelmap.index.box(number))
    mask: Mask = whole.pixels(labelmap, number, box)
    return 2 * float(half_widths(mask, whole.steps_of(labelmap)).max())


def _bridge(draft: Draft, number: int, one: Points, two: Points, width: float) -> None:
    count = int(np.abs(two - one).max()) * 2 + 1
    way = np.unique(np.rint(np.linspace(one, two, count)).astype(np.int64), axis=0)
    stroke = line_stroke(draft.labelmap, way, max(1.0, width), None)
    draft.put(stroke.box, stroke.mask & (draft.read(stroke.box) == 0), number)
