"""Paint: a stroke becomes an object, or a part of the object it began on."""

from __future__ import annotations

from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stroke import Stroke, draw_into

TOOL = "brush"


def paint(
    labelmap: LabelMap,
    stroke: Stroke,
    class_value: int,
    *,
    number: int | None = None,
    protect: bool = False,
) -> Edit | None:
    """Draw with the brush.

    A stroke that begins on an object of the class (or, in a volume, right above or below one)
    extends it; any other is a new object. Objects of the same class that the stroke passes stay
    as they are and are not merged; objects of other classes give way, unless classes may overlap.
    What the stroke leaves beyond them, without contact to the object, is an object of its own.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    stroke : Stroke
    class_value : int
        The class to draw.
    number : int or None
        The object to extend, whatever the stroke began on; None: decided as above.
    protect : bool
        Go around objects that a person has checked, unless the stroke begins on one.

    Raises
    ------
    LabelError
        If `number` is not an object of that class.
    """
    labelmap.classes.by_value(class_value)
    draft = Draft(labelmap, labelmap.plane_of(class_value))
    draw_into(draft, stroke, class_value, number=number, protect=protect)
    return draft.edit(TOOL)
