"""Fill holes: what an object encloses becomes part of it."""

from __future__ import annotations

from collections.abc import Iterable

from napari_defectseg.labels import whole
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Box, Change, Edit
from napari_defectseg.labels.labelmap import LabelMap

TOOL = "fill holes"


def fill_holes(
    labelmap: LabelMap, numbers: int | Iterable[int], *, within: Box | None = None
) -> Edit | None:
    """Fill the enclosed background of objects.

    Other objects that lie in a hole stay.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : int or iterable of int
    within : Box or None
        One slice, where a hole only has to be closed in that slice; None: in the volume, where
        it has to be closed on all sides.

    Raises
    ------
    LabelError
        If there is no such object, or none of it in the slice.
    """
    changes: list[Change | None] = []
    decided = []
    taken: dict[int, Draft] = {}
    for number in whole.listed(labelmap, numbers):
        plane = whole.plane_of(labelmap, number)
        draft = taken.setdefault(plane, Draft(labelmap, plane))
        box = whole.place(labelmap, number, within)
        here = draft.read(box)
        holes = whole.holes_of(here == number) & (here == 0)
        if holes.any():
            draft.put(box, holes, number)
            decided.append(number)
    changes = [draft.change() for draft in taken.values()]
    return finish(labelmap, TOOL, changes, decided=decided)
