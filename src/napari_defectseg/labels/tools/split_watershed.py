"""Split at the neck: a watershed of the distance to the rim parts touching objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.morphology import h_maxima
from skimage.segmentation import watershed

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import whole
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Edit, Mask, Numbers
from napari_defectseg.labels.labelmap import LabelMap

TOOL = "split"
SHALLOWEST = 0.25
"""A neck must be narrower than both sides by this many pixels in radius; less is raster noise."""
Distances = np.ndarray[Any, np.dtype[np.float64]]


def split_watershed(
    labelmap: LabelMap,
    number: int,
    *,
    seeds: Sequence[tuple[int, ...]] | None = None,
    parts: int = 2,
    within: Box | None = None,
) -> Edit | None:
    """Split an object where it is narrow.

    The largest part keeps the number.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    number : int
    seeds : sequence of tuple of int, optional
        One point in each part, in indices of the plane. None: the `parts` places farthest from
        the rim that are parted by the deepest neck (Soille 2004, h-maxima of the distance map).
    parts : int
        How many parts to look for without seeds; symmetrical objects may give more.
    within : Box or None
        One slice, or None for the volume. Distances are physical where voxels are not cubes.

    Raises
    ------
    LabelError
        If there is no neck, or the seeds do not lie in the object.
    """
    box = whole.place(labelmap, number, within)
    mask = whole.pixels(labelmap, number, box)
    keep = whole.thick_axes(mask.shape)
    solid = whole.flat(mask)
    steps = [whole.steps_of(labelmap)[axis] for axis in keep] or [1.0]
    distance = ndimage.distance_transform_edt(np.pad(solid, 1), sampling=steps)
    distance = distance[(slice(1, -1),) * solid.ndim]
    if seeds is None:
        markers = _deepest(distance, parts, min(steps), number)
    else:
        markers = _planted(seeds, box, keep, solid, number)
    numbered = watershed(-distance, markers, mask=solid)
    return _edit(labelmap, number, box, numbered.reshape(mask.shape))


def _deepest(distance: Distances, parts: int, step: float, number: int) -> Numbers:
    """Return the markers of the largest h that still leaves `parts` maxima."""
    low, high = SHALLOWEST * step, float(distance.max())
    best = _markers(distance, low)
    if best.max() < parts:
        raise LabelError(
            f"Object {number} has no neck to split at.",
            hint="Click a point in each part, or draw a line across it.",
        )
    while high - low > 0.05 * step and best.max() > parts:
        middle = (low + high) / 2
        found = _markers(distance, middle)
        if found.max() >= parts:
            low, best = middle, found
        else:
            high = middle
    return best


def _markers(distance: Distances, height: float) -> Numbers:
    around = np.ones((3,) * distance.ndim, bool)
    numbered, _ = ndimage.label(h_maxima(distance, height), around)
    return np.asarray(numbered, np.int32)


def _planted(
    seeds: Sequence[tuple[int, ...]], box: Box, keep: tuple[int, ...], solid: Mask, number: int
) -> Numbers:
    markers = np.zeros(solid.shape, np.int32)
    for count, seed in enumerate(seeds, start=1):
        place = tuple(int(seed[axis]) - box[axis].start for axis in keep)
        inside = all(0 <= i < n for i, n in zip(place, solid.shape, strict=True))
        if not inside or not solid[place] or markers[place]:
            raise LabelError(
                f"Point {count} does not lie in object {number}, or another one does already.",
                hint="Click one point in each part.",
            )
        markers[place] = count
    if len(seeds) < 2:
        raise LabelError("Splitting needs two points or more.")
    return markers


def _edit(labelmap: LabelMap, number: int, box: Box, numbered: Numbers) -> Edit | None:
    draft = Draft(labelmap, whole.plane_of(labelmap, number))
    draft.decided.add(number)
    whole.give_parts(draft, number, box, numbered)
    return draft.edit(TOOL)
