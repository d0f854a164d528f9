"""`Stroke`: where the brush went; how it draws and erases in a draft."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.connect import parts_of
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Mask, Numbers
from napari_defectseg.labels.labelmap import LabelMap


@dataclass(frozen=True, eq=False)
class Stroke:
    """Where the brush went.

    Parameters
    ----------
    box : Box
        A box in the axes of a plane, inside it. A brush *in the slice* has a box of one slice.
    mask : ndarray of bool
        The pixels of the box under the brush.
    start : tuple of int or None
        Where the stroke began, in indices of the plane; None: not known.
    """

    box: Box
    mask: Mask
    start: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.mask.shape != boxes.shape_of(self.box):
            raise LabelError(
                f"The stroke has the shape {self.mask.shape}, its box {boxes.shape_of(self.box)}."
            )

    @classmethod
    def of(cls, mask: Mask, start: tuple[int, ...] | None = None) -> Stroke:
        """Return the stroke of a mask in the shape of a whole plane."""
        box = boxes.tight(mask) or tuple(slice(0, 0) for _ in mask.shape)
        return cls(box, np.ascontiguousarray(mask[box]), start)


def draw_into(
    draft: Draft, stroke: Stroke, class_value: int, *, number: int | None, protect: bool
) -> None:
    """Draw a stroke into a draft; see `paint`."""
    labelmap = draft.labelmap
    if number is not None and labelmap.class_of(number) != class_value:
        raise LabelError(f"Object {number} has another class than the brush.")
    target = number or object_under(labelmap, stroke, class_value)
    here = draft.read(stroke.box)
    aimed = number_under(draft, stroke)
    kept = _kept(draft, here, class_value, {aimed} if protect else None)
    taken = stroke.mask & ~kept & (here != (target or -1))
    if not taken.any():
        return
    losers = set(np.unique(here[taken]).tolist()) - {0}
    _give(draft, stroke, taken, target, class_value)
    draft.split_apart(losers, stroke.box, taken)


def object_under(labelmap: LabelMap, stroke: Stroke, class_value: int) -> int | None:
    """Return the object of a class that a stroke began on, or right above or below; or None."""
    if stroke.start is None:
        return None
    plane = labelmap.planes[labelmap.plane_of(class_value)]
    places = [stroke.start]
    if "z" in labelmap.axes:
        axis = labelmap.axes.index("z")
        for step in (-1, 1):
            beside = list(stroke.start)
            beside[axis] += step
            places.append(tuple(beside))
    for place in places:
        if all(0 <= i < n for i, n in zip(place, plane.shape, strict=True)):
            number = int(plane[place])
            if number and labelmap.object_classes.get(number) == class_value:
                return number
    return None


def checked_under(labelmap: LabelMap, stroke: Stroke, plane: int) -> frozenset[int]:
    """Return the objects that a person has checked and that have pixels under a stroke."""
    under = np.unique(labelmap.planes[plane][stroke.box][stroke.mask]).tolist()
    return frozenset(under) & labelmap.checked


def number_under(draft: Draft, stroke: Stroke) -> int:
    """Return the object that a stroke began on, of whatever class; 0: none."""
    plane = draft.labelmap.planes[draft.plane]
    if stroke.start is None or not all(
        0 <= i < n for i, n in zip(stroke.start, plane.shape, strict=True)
    ):
        return 0
    return int(plane[stroke.start])


def _kept(draft: Draft, here: Numbers, class_value: int, aimed: set[int] | None) -> Mask:
    """Return what the brush goes around: its own class, and what is checked but not `aimed` at.

    Without protection `aimed` is None.
    """
    checked = set() if aimed is None else draft.labelmap.checked - aimed
    stay = [
        number
        for number in np.unique(here).tolist()
        if number and (draft.class_of(number) == class_value or number in checked)
    ]
    return np.isin(here, stay)


def _give(draft: Draft, stroke: Stroke, taken: Mask, target: int | None, class_value: int) -> None:
    parts, count = parts_of(taken, draft.near)
    near: set[int] = set()
    if target is not None:
        near = _in_contact(draft, stroke, parts, target)
        draft.decided.add(target)
    for part in range(1, count + 1):
        if part in near:
            owner = target
        else:
            owner = draft.new_object(class_value)
            draft.decided.add(owner)
        assert owner is not None
        draft.put(stroke.box, parts == part, owner)


def _in_contact(draft: Draft, stroke: Stroke, parts: Numbers, target: int) -> set[int]:
    """Return the parts of the stroke that touch the object, also one slice above or below."""
    limit = boxes.whole(draft.labelmap.shape)
    around = boxes.grown(stroke.box, 1, limit)
    reach = ndimage.binary_dilation(draft.read(around) == target, draft.near)
    return set(np.unique(parts[reach[boxes.inside(stroke.box, around)]]).tolist()) - {0}


def erase_into(draft: Draft, stroke: Stroke, *, class_value: int | None, protect: bool) -> None:
    """Erase a stroke in a draft; see `erase`."""
    labelmap = draft.labelmap
    here = draft.read(stroke.box)
    under = set(np.unique(here[stroke.mask]).tolist()) - {0}
    meant = {n for n in under if class_value is None or draft.class_of(n) == class_value}
    # Who erases on checked objects alone, or begins on one, means them.
    guarded = labelmap.checked - {number_under(draft, stroke)} if protect else set()
    losers = sorted(meant - guarded or meant)
    taken = stroke.mask & np.isin(here, losers)
    if taken.any():
        draft.put(stroke.box, taken, 0)
        draft.decided |= {n for n in losers if n in labelmap.object_classes}
        draft.split_apart(losers, stroke.box, taken)
