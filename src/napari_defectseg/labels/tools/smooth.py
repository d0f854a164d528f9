"""Smooth: the rim of an object is evened out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import ndimage

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.connect import parts_of
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Box, Edit, Mask
from napari_defectseg.labels.labelmap import LabelMap

TOOL = "smooth"
REACH = 3.0
"""The Gaussian is cut off after this many standard deviations."""


def smooth(
    labelmap: LabelMap,
    numbers: int | Iterable[int],
    *,
    radius: float = 1.5,
    within: Box | None = None,
) -> Edit | None:
    """Even out the rim of objects: spurs go, notches fill, straight edges stay where they are.

    The mask is blurred with a Gaussian and cut at one half (one step of mean curvature flow,
    Merriman, Bence & Osher 1992). Other objects are not touched; an object that would vanish
    stays as it is; one that falls apart becomes two.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : int or iterable of int
    radius : float
        Standard deviation of the Gaussian in pixels of the finest axis; as long in space along
        the others. Details narrower than about this go.
    within : Box or None
        One slice, smoothed by itself; None: the volume.

    Raises
    ------
    LabelError
        If there is no such object, none of it in the slice, or the radius is not positive.
    """
    if not radius > 0:
        raise LabelError(f"A radius of {radius} px smooths nothing; choose a positive one.")
    drafts: dict[int, Draft] = {}
    classes: dict[int, int] = {}
    decided: set[int] = set()
    next_label = labelmap.next_label
    for number in whole.listed(labelmap, numbers):
        plane = whole.plane_of(labelmap, number)
        draft = drafts.setdefault(plane, Draft(labelmap, plane))
        draft.start_at(next_label)
        _smooth_one(draft, number, radius, within)
        next_label = draft.next_label
        classes |= draft.classes
        decided |= draft.decided
    changes = [draft.change() for draft in drafts.values()]
    return finish(labelmap, TOOL, changes, classes=classes, decided=decided)


def _smooth_one(draft: Draft, number: int, radius: float, within: Box | None) -> None:
    labelmap = draft.labelmap
    inner = whole.place(labelmap, number, within)
    sigmas = _sigmas(labelmap, radius, within)
    limit = boxes.whole(labelmap.shape) if within is None else within
    margin = int(np.ceil(REACH * max(sigmas)))
    box = boxes.meet(boxes.grown(inner, margin, limit), _frame(labelmap, inner))
    here = draft.read(box)
    own = here == number
    blurred = ndimage.gaussian_filter(
        own.astype(np.float32), sigmas, mode="nearest", truncate=REACH
    )
    result = (blurred >= 0.5) & (own | (here == 0))
    result = _attached(result, own & result, draft.near)
    lost, won = own & ~result, result & ~own
    if not result.any() or not (lost.any() or won.any()):
        return
    draft.put(box, won, number)
    draft.put(box, lost, 0)
    draft.decided.add(number)
    draft.split_apart([number], box, lost, grown=box)


def _sigmas(labelmap: LabelMap, radius: float, within: Box | None) -> tuple[float, ...]:
    """Return the standard deviation along each axis: none along time, nor across a slice."""
    steps = whole.steps_of(labelmap)
    lengths = boxes.shape_of(within or boxes.whole(labelmap.shape))
    spatial = [
        name != "t" and not (within is not None and length == 1)
        for name, length in zip(labelmap.axes, lengths, strict=True)
    ]
    finest = min((s for s, use in zip(steps, spatial, strict=True) if use), default=1.0)
    return tuple(
        radius * finest / step if use else 0.0 for step, use in zip(steps, spatial, strict=True)
    )


def _frame(labelmap: LabelMap, box: Box) -> Box:
    """Return the box of everything in the frame of `box`."""
    around = list(boxes.whole(labelmap.shape))
    if "t" in labelmap.axes:
        axis = labelmap.axes.index("t")
        around[axis] = box[axis]
    return tuple(around)


def _attached(result: Mask, kept: Mask, near: Mask) -> Mask:
    """Return the parts of the result that hold something of what was there before."""
    numbered, count = parts_of(result, near)
    hold = np.zeros(count + 1, bool)
    hold[np.unique(numbered[kept])] = True
    hold[0] = False
    attached: Mask = hold[numbered]
    return attached
