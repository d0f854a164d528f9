"""Merge: several objects become one."""

from __future__ import annotations

from collections.abc import Iterable

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import whole
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Change, Edit
from napari_defectseg.labels.labelmap import LabelMap

TOOL = "merge"


def merge(labelmap: LabelMap, numbers: Iterable[int]) -> Edit | None:
    """Join objects under the number and class of the first one named.

    They need not touch: a line that was found in two pieces is one object for a person.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : iterable of int
        Two or more.

    Raises
    ------
    LabelError
        If fewer than two are named, or they lie in different frames, or in planes of different
        classes that may overlap.
    """
    wanted = whole.listed(labelmap, numbers)
    if len(wanted) < 2:
        raise LabelError("Merging needs two objects or more.", hint="Choose another one as well.")
    _refuse(labelmap, wanted)
    first = wanted[0]
    changes: list[Change | None] = []
    for number in wanted[1:]:
        draft = Draft(labelmap, whole.plane_of(labelmap, number))
        box = labelmap.index.box(number)
        draft.put(box, whole.pixels(labelmap, number, box), first)
        changes.append(draft.change())
    return finish(labelmap, TOOL, changes, decided=[first])


def _refuse(labelmap: LabelMap, numbers: list[int]) -> None:
    if len({whole.plane_of(labelmap, number) for number in numbers}) > 1:
        raise LabelError(
            "Objects of different classes that may overlap cannot be merged.",
            hint="Give them the same class first.",
        )
    if "t" in labelmap.axes:
        axis = labelmap.axes.index("t")
        frames = {labelmap.index.box(number)[axis].start for number in numbers}
        if len(frames) > 1:
            raise LabelError(
                f"The objects lie in different frames ({', '.join(map(str, sorted(frames)))}).",
                hint="Merge objects of one frame.",
            )
