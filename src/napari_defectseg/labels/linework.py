"""Lines as objects: strokes along pixels, their middle and their width."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from napari_defectseg.labels import boxes, whole
from napari_defectseg.labels.edit import Mask
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.polyline import Pixels
from napari_defectseg.labels.stroke import Stroke


def line_stroke(
    labelmap: LabelMap, way: Pixels, width: float, start: tuple[int, ...] | None
) -> Stroke:
    """Return the stroke of a given width along some pixels, in the slice if they lie in one."""
    steps = whole.steps_of(labelmap)
    space = [axis for axis, name in enumerate(labelmap.axes) if name != "t"]
    low, high = way.min(axis=0), way.max(axis=0)
    finest = min(steps[axis] for axis in space)
    flat = [a for a in space if labelmap.axes[a] in "yx" or low[a] < high[a]]
    margin = int(np.ceil(width / 2)) + 1
    limit = boxes.whole(labelmap.shape)
    box = [slice(int(a), int(b) + 1) for a, b in zip(low, high, strict=True)]
    for axis in flat:
        box[axis] = slice(box[axis].start - margin, box[axis].stop + margin)
    place = boxes.meet(tuple(box), limit)
    mask = np.zeros(boxes.shape_of(place), bool)
    mask[tuple((way - [side.start for side in place]).T)] = True
    return Stroke(place, thickened(mask, width * finest, steps), start)


def thickened(mask: Mask, width: float, steps: Sequence[float]) -> Mask:
    """Return everything within half a width of a mask, which is one pixel wide."""
    near = ndimage.distance_transform_edt(~mask, sampling=steps)
    thick: Mask = near <= max(0.0, (width - min(steps)) / 2) + 1e-6
    return thick | mask


def middle_of(mask: Mask) -> Mask:
    """Return the middle line of a mask, one pixel wide (Lee et al. 1994 in volumes)."""
    from skimage.morphology import skeletonize

    solid = whole.flat(mask)
    line = skeletonize(solid) if solid.ndim > 1 else solid
    thin: Mask = np.asarray(line, bool).reshape(mask.shape)
    return thin


def half_widths(
    mask: Mask, steps: Sequence[float]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return how far each pixel is from the rim, half a pixel more than to the next background."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=steps)
    inner = depth[(slice(1, -1),) * mask.ndim]
    return np.where(mask, inner - min(steps) / 2, 0.0)
