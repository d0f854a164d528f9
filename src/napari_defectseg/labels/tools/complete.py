"""Complete: a person has looked through a region, and nothing is missing in it."""

from __future__ import annotations

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Edit
from napari_defectseg.labels.labelmap import LabelMap

TOOL, BACK = "region complete", "region not complete"


def complete(labelmap: LabelMap, box: Box) -> Edit | None:
    """Say that a region was looked through: what is in it is all there is.

    Objects whose whole lies in the region become checked with it.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    box : Box
        Cut to the image.

    Returns
    -------
    Edit or None
        None if a complete region holds it already.

    Raises
    ------
    LabelError
        If nothing of the region lies in the image.
    """
    inside = boxes.meet(box, boxes.whole(labelmap.shape))
    if boxes.is_empty(inside):
        raise LabelError("The region lies outside the image.")
    if is_complete(labelmap, inside):
        return None
    held = frozenset(
        sides for sides in labelmap.complete if boxes.holds(inside, boxes.of_sides(sides))
    )
    checked = frozenset(objects_within(labelmap, inside)) - labelmap.checked
    region = frozenset({boxes.sides_of(inside)})
    return Edit(TOOL, checked=checked, completed=region, reopened=held)


def reopen(labelmap: LabelMap, box: Box) -> Edit | None:
    """Take the word back for every complete region that meets a box; None if there is none."""
    met = frozenset(
        sides
        for sides in labelmap.complete
        if not boxes.is_empty(boxes.meet(boxes.of_sides(sides), box))
    )
    return Edit(BACK, reopened=met) if met else None


def is_complete(labelmap: LabelMap, box: Box) -> bool:
    """Whether one complete region holds all of a box."""
    return any(boxes.holds(boxes.of_sides(sides), box) for sides in labelmap.complete)


def objects_within(labelmap: LabelMap, box: Box) -> list[int]:
    """Return the objects whose box lies in a region as a whole."""
    index = labelmap.index
    return [n for n in labelmap.object_classes if boxes.holds(box, index.box(n))]
