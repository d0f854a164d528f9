"""Erase: what is under the stroke becomes background."""

from __future__ import annotations

from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stroke import Stroke, erase_into

TOOL = "erase"


def erase(
    labelmap: LabelMap, stroke: Stroke, *, class_value: int | None = None, protect: bool = False
) -> Edit | None:
    """Take pixels away; an object that falls apart becomes two.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    stroke : Stroke
    class_value : int or None
        Erase objects of this class only; None: of all. Needed where classes may overlap.
    protect : bool
        Leave objects that a person has checked, unless the stroke begins on one or meets
        nothing else: then they are meant.
    """
    plane = 0 if class_value is None else labelmap.plane_of(class_value)
    draft = Draft(labelmap, plane)
    erase_into(draft, stroke, class_value=class_value, protect=protect)
    return draft.edit(TOOL)
