"""Replacement of a whole label map by another one, as one edit."""

from __future__ import annotations

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes, survey
from napari_defectseg.labels.edit import Box, Change, Edit, Numbers, PlainChange
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.pack import smaller

LATER = 1 << 24
"""Changes of planes up to so many pixels are packed once they are not the last any more."""


def difference(old: LabelMap, new: LabelMap, tool: str) -> Edit | None:
    """Return the edit that makes `old` equal to `new`; None if they are equal.

    It is made slab by slab and held packed, so it needs a fraction of a plane's memory. Regions
    that were complete and are touched are complete no longer: nobody has seen what is there now.

    Parameters
    ----------
    old, new : LabelMap
        Of the same shape, axes and classes.
    tool : str
        In words for the undo button.

    Raises
    ------
    LabelError
        If the maps do not fit.
    """
    check_fits(old, new)
    changes = _changes(old, new)
    numbers = _other_classes(old, new)
    before, after = old.object_classes, new.object_classes
    checked = frozenset(new.checked - old.checked)
    unchecked = frozenset(old.checked - new.checked)
    if not (changes or numbers or checked or unchecked):
        return None
    reopened = frozenset(
        sides
        for sides in old.complete
        if any(not boxes.is_empty(boxes.meet(c.box, boxes.of_sides(sides))) for c in changes)
    )
    return Edit(
        tool,
        changes,
        {n: before.get(n) for n in numbers},
        {n: after.get(n) for n in numbers},
        checked,
        unchecked,
        reopened=reopened,
        decided=False,
    )


def _other_classes(old: LabelMap, new: LabelMap) -> list[int]:
    """Return the objects that are in one map alone, or have another class in the other."""
    size = max(old.next_label, new.next_label)
    before, after = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    before[: old.next_label] = old.class_lookup()
    after[: new.next_label] = new.class_lookup()
    numbers: list[int] = np.flatnonzero(before != after).tolist()
    return numbers


def check_fits(old: LabelMap, new: LabelMap) -> None:
    """Raise `LabelError` if a map cannot take the place of another one."""
    if old.shape != new.shape or old.axes != new.axes:
        raise LabelError(
            f"Labels of shape {new.shape} ({''.join(new.axes)}) cannot replace labels of shape "
            f"{old.shape} ({''.join(old.axes)})."
        )
    if old.classes.values != new.classes.values or old.classes.exclusive != new.classes.exclusive:
        raise LabelError(
            f"Labels of the classes {', '.join(new.classes.names)} cannot replace labels of the "
            f"classes {', '.join(old.classes.names)}."
        )


def _changes(old: LabelMap, new: LabelMap) -> tuple[Change, ...]:
    found: list[Change] = []
    for plane, (here, there) in enumerate(zip(old.planes, new.planes, strict=True)):
        for slab in boxes.slabs(boxes.whole(old.shape)):
            change = _change(plane, slab, here[slab], there[slab])
            if change is not None:
                found.append(smaller(change) if here.size > LATER else change)
    return tuple(found)


def _change(plane: int, slab: Box, here: Numbers, there: Numbers) -> PlainChange | None:
    before, after = (survey.four(np.ascontiguousarray(part)) for part in (here, there))
    low, high = np.array(before.shape), np.zeros(4, np.int64)
    count = survey.compare(before, after, low, high)
    if not count:
        return None
    ndim = here.ndim
    mask = np.empty(tuple(high - low), bool)
    values = np.empty(count, np.int32), np.empty(count, np.int32)
    survey.collect(before, after, low, mask, *values)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low[-ndim:], high[-ndim:], strict=True))
    return PlainChange(plane, boxes.shifted(box, slab), mask.reshape(mask.shape[-ndim:]), *values)
