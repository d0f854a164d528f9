"""Accept: a person has looked at objects and found them right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import whole
from napari_defectseg.labels.draft import finish
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.labelmap import LabelMap

TOOL, BACK = "accept", "accept not"


def accept(
    labelmap: LabelMap, numbers: int | Iterable[int], *, checked: bool = True
) -> Edit | None:
    """Mark objects as checked, or take the mark away.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    numbers : int or iterable of int
    checked : bool
        False takes the mark away.

    Raises
    ------
    LabelError
        If there is no such object.
    """
    wanted = whole.listed(labelmap, numbers)
    if checked:
        return finish(labelmap, TOOL, (), decided=wanted)
    return finish(labelmap, BACK, (), undecided=wanted)


def accept_above(
    labelmap: LabelMap,
    scores: Mapping[int, float],
    level: float,
    *,
    class_value: int | None = None,
) -> Edit | None:
    """Mark all objects as checked whose mean score reaches a level, as one edit.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    scores : mapping of int to float
        Mean score of each object, from `decode.object_scores`; objects without one are left out.
    level : float
        From 0 to 1.
    class_value : int or None
        Only objects of this class.

    Raises
    ------
    LabelError
        If the level is not between 0 and 1.
    """
    if not 0 <= level <= 1:
        raise LabelError(f"The score to accept from is {level}.", hint="Choose one from 0 to 1.")
    wanted = [
        number
        for number, value in labelmap.object_classes.items()
        if scores.get(number, -1.0) >= level and class_value in (None, value)
    ]
    return accept(labelmap, wanted)
