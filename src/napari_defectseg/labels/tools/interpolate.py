"""Interpolate: what lies between painted slices is filled by the shapes on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import ndimage

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Edit, Mask
from napari_defectseg.labels.labelmap import LabelMap

TOOL = "fill between slices"
MARGIN = 2
Distances = np.ndarray[Any, np.dtype[np.float32]]


def interpolate(
    labelmap: LabelMap, numbers: int | Iterable[int], *, axis: int | None = None
) -> Edit | None:
    """Fill the slices between those in which an object was painted.

    Between two slices the signed distances to the rim are mixed in proportion (Raya & Udupa
    1990), after both shapes were moved to where their centre would be, so that a slanting pore is
    filled even if its sections do not overlap. Other objects are never drawn over.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : int or iterable of int
        Several become one object under the number and class of the first.
    axis : int or None
        Axis of the plane across the slices; None: z.

    Raises
    ------
    LabelError
        If there is no slice between the painted ones, or the objects lie in different frames or
        in planes of different classes.
    """
    across = _across(labelmap, axis)
    wanted = whole.listed(labelmap, numbers)
    if not wanted:
        raise LabelError("No object is selected.", hint="Select what was painted in two slices.")
    box = _place(labelmap, wanted)
    draft = Draft(labelmap, whole.plane_of(labelmap, wanted[0]))
    before = draft.read(box)
    own = np.isin(before, wanted)
    filled = own.copy()
    for index, mask in _between(own, across, _steps(labelmap)):
        along = _at(across, index, own.ndim)
        filled[along] = mask & (before[along] == 0)
    if np.array_equal(filled, own):
        raise LabelError(
            f"Nothing is left out between the slices of object {wanted[0]}.",
            hint="Paint it in two slices with a gap between them.",
        )
    draft.put(box, filled & (before != wanted[0]), wanted[0])
    draft.decided.add(wanted[0])
    return draft.edit(TOOL)


def _across(labelmap: LabelMap, axis: int | None) -> int:
    if axis is not None and labelmap.axes[axis] != "t":
        return axis
    if axis is not None or "z" not in labelmap.axes:
        raise LabelError(
            "There are no slices to fill between.", hint="In a movie, repeat it in other frames."
        )
    return labelmap.axes.index("z")


def _place(labelmap: LabelMap, wanted: list[int]) -> Box:
    if len({whole.plane_of(labelmap, number) for number in wanted}) > 1:
        raise LabelError(
            "Objects of different classes that may overlap cannot become one.",
            hint="Give them the same class first.",
        )
    box = labelmap.index.box(wanted[0])
    for number in wanted[1:]:
        box = boxes.join(box, labelmap.index.box(number))
    limit = list(boxes.whole(labelmap.shape))
    if "t" in labelmap.axes:
        time = labelmap.axes.index("t")
        if box[time].stop - box[time].start > 1:
            raise LabelError("The objects lie in different frames.", hint="Choose one frame.")
        limit[time] = box[time]
    return boxes.grown(box, MARGIN, tuple(limit))


def _steps(labelmap: LabelMap) -> list[float]:
    return [
        1.0 if name == "t" else step
        for name, step in zip(labelmap.axes, whole.steps_of(labelmap), strict=True)
    ]


def _at(axis: int, index: int, ndim: int) -> tuple[Any, ...]:
    place: list[Any] = [slice(None)] * ndim
    place[axis] = index
    return tuple(place)


def _between(own: Mask, axis: int, steps: list[float]) -> Iterator[tuple[int, Mask]]:
    """Yield index and shape of each slice that lies between painted ones."""
    others = tuple(side for side in range(own.ndim) if side != axis)
    painted = np.flatnonzero(own.any(axis=others)).tolist()
    flat = [steps[side] for side in others]
    for first, last in pairwise(painted):
        if last - first < 2:
            continue
        one, two = (own[_at(axis, index, own.ndim)] for index in (first, last))
        near, far = signed_distance(one, flat), signed_distance(two, flat)
        way = np.array(ndimage.center_of_mass(two)) - np.array(ndimage.center_of_mass(one))
        for index in range(first + 1, last):
            share = (index - first) / (last - first)
            mixed = (1 - share) * _moved(near, share * way)
            mixed += share * _moved(far, (share - 1) * way)
            yield index, mixed > 0


def signed_distance(mask: Mask, steps: list[float]) -> Distances:
    """Return how far each pixel is from the rim, positive inside, in the unit of `steps`.

    The rim lies half a pixel from the centres on both sides.
    """
    inner = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=steps)
    inner = inner[(slice(1, -1),) * mask.ndim]
    outer = ndimage.distance_transform_edt(~mask, sampling=steps)
    half = min(steps) / 2
    distance: Distances = np.where(mask, inner - half, half - outer).astype(np.float32)
    return distance


def _moved(distance: Distances, way: np.ndarray[Any, np.dtype[np.float64]]) -> Distances:
    if np.abs(way).max() < 1e-6:
        return distance
    moved: Distances = ndimage.shift(distance, way, order=1, mode="nearest")
    return moved
