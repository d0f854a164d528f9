"""What tools that work on whole objects share: which objects, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import ndimage

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Mask, Numbers
from napari_defectseg.labels.labelmap import LabelMap


def listed(labelmap: LabelMap, numbers: int | Iterable[int]) -> list[int]:
    """Return the numbers, each once and in order.

    Raises
    ------
    LabelError
        If one of them is not an object of the map.
    """
    wanted = [numbers] if isinstance(numbers, int) else [int(number) for number in numbers]
    for number in wanted:
        labelmap.class_of(number)
    return list(dict.fromkeys(wanted))


def plane_of(labelmap: LabelMap, number: int) -> int:
    """Return the index of the plane that an object lies in."""
    return labelmap.plane_of(labelmap.class_of(number))


def place(labelmap: LabelMap, number: int, within: Box | None) -> Box:
    """Return a box around the object, or around its part in `within`.

    Raises
    ------
    LabelError
        If the object has no pixel there.
    """
    box = labelmap.index.box(number)
    if within is None:
        return box
    common = boxes.meet(box, within)
    if boxes.is_empty(common):
        raise LabelError(f"Object {number} is not in this slice.")
    return common


def pixels(labelmap: LabelMap, number: int, box: Box) -> Mask:
    """Return which pixels of a box belong to an object."""
    mask: Mask = labelmap.planes[plane_of(labelmap, number)][box] == number
    return mask


def steps_of(labelmap: LabelMap) -> tuple[float, ...]:
    """Return the length of a pixel along each axis of a plane, 1 along time."""
    spatial = iter(labelmap.calibration.steps)
    return tuple(1.0 if name == "t" else next(spatial) for name in labelmap.axes)


def thick_axes(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the axes along which a block is more than one pixel thick."""
    return tuple(axis for axis, length in enumerate(shape) if length > 1)


def flat(mask: Mask) -> Mask:
    """Return a block without the axes along which it is one pixel thick (a slice becomes 2D)."""
    keep = thick_axes(mask.shape)
    if not keep:
        return mask.reshape(1)
    return mask.reshape(tuple(mask.shape[axis] for axis in keep))


def holes_of(mask: Mask) -> Mask:
    """Return the background that a mask encloses; axes one pixel thick do not count."""
    solid = flat(mask)
    if solid.ndim == 1:
        return np.zeros_like(mask)
    outside = ~np.pad(solid, 1)
    numbered, _ = ndimage.label(outside)
    inner = (numbered > 0) & (numbered != numbered[(0,) * solid.ndim])
    holes: Mask = inner[(slice(1, -1),) * solid.ndim].reshape(mask.shape)
    return holes


def give_parts(draft: Draft, number: int, box: Box, numbered: Numbers) -> None:
    """Give every part but the largest a number of its own."""
    sizes = np.bincount(numbered.reshape(-1))[1:]
    largest = int(np.argmax(sizes)) + 1
    for part in range(1, sizes.size + 1):
        if part != largest and sizes[part - 1]:
            new = draft.new_object(draft.class_of(number))
            draft.decided.add(new)
            draft.put(box, numbered == part, new)
