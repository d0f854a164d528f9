"""Protect: a new prediction or threshold goes around what a person has decided."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from napari_defectseg.labels import boxes, overlap
from napari_defectseg.labels.connect import neighbours, parts_of
from napari_defectseg.labels.edit import Box, Edit, Mask
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.refused import Refused
from napari_defectseg.labels.replacing import check_fits
from napari_defectseg.labels.stable import keep_numbers

THIN = 2.0
"""What stays of an object at most so many pixels from a decided one is its rim."""
SLENDER = 0.5
"""So is what reaches less far from it than this share of its own width (area^1/2, volume^1/3)."""


def redecode(
    history: History, new: LabelMap, name: str, *, protect: bool = True, fold: bool = False
) -> Edit | None:
    """Replace the objects by newly found ones, around what a person has decided; one edit.

    Checked objects keep pixels, class and number. Where a person took something away, nothing
    comes back. New objects go around both, and what would be left of them as a mere rim is left
    out. Objects that are the same as before keep their numbers.

    Parameters
    ----------
    history : History
    new : LabelMap
        From `decode`; of the same shape, axes and classes. Taken over: do not use it afterwards.
    name : str
        For the undo button: ``"prediction"``, ``"threshold"``, …
    protect : bool
        False: checked objects give way too; numbers are kept all the same.
    fold : bool
        As for `History.replace`.

    Returns
    -------
    Edit or None
        None if nothing changed.

    Raises
    ------
    LabelError
        If the maps do not fit each other.
    """
    old = history.labelmap
    check_fits(old, new)
    if protect:
        go_around(old, new, history.refused())
    keep_numbers(old, new, history.first_free(name, fold))
    return history.replace(new, name, fold=fold)


def go_around(old: LabelMap, new: LabelMap, refused: Sequence[Refused | None]) -> None:
    """Put the checked objects of `old` into `new`, which makes room; see `redecode`.

    The numbers of the checked objects change to ones that are free in `new`;
    `stable.keep_numbers` gives them back.

    Parameters
    ----------
    old : LabelMap
        Not changed.
    new : LabelMap
        Changed in place.
    refused : sequence of Refused or None
        One a plane.
    """
    table = dict(new.object_classes)
    checked: set[int] = set()
    for plane, place in enumerate(refused):
        kept = _kept(old, plane)
        if not kept.any() and place is None:
            continue
        touched = _make_room(old, new, plane, kept, place)
        _tidy(old, new, plane, kept, place, touched, table)
        checked |= _draw(old, new, plane, kept, table)
    _drop_missing(new, table)
    new.restart(table, checked)


def _kept(old: LabelMap, plane: int) -> Mask:
    """Return which numbers of a plane a person has checked."""
    kept = np.zeros(old.next_label, bool)
    kept[[n for n in old.checked if old.plane_of(old.object_classes[n]) == plane]] = True
    return kept


def _make_room(old: LabelMap, new: LabelMap, plane: int, kept: Mask, place: Refused | None) -> Mask:
    """Clear what is decided; return which new objects lost pixels, by number."""
    covered = np.zeros(new.next_label, np.int64)
    values = new.planes[plane]
    if kept.any():
        overlap.take_out(old.planes[plane].reshape(-1), values.reshape(-1), kept, covered)
    if place is not None:
        here = values[place.box]
        covered += np.bincount(here[place.mask], minlength=covered.size)
        here[place.mask] = 0
    covered[0] = 0
    touched: Mask = covered > 0
    return touched


def _tidy(
    old: LabelMap,
    new: LabelMap,
    plane: int,
    kept: Mask,
    place: Refused | None,
    touched: Mask,
    table: dict[int, int],
) -> None:
    """Leave out the rims of touched objects; what fell apart gets numbers of its own."""
    if not touched.any():
        return
    values, near = new.planes[plane], neighbours(new.axes)
    limit = boxes.whole(new.shape)
    following = max(table, default=0) + 1
    for number in np.flatnonzero(touched).tolist():
        box = boxes.grown(new.index.box(number), 1, limit)
        here = values[box]
        parts, count = parts_of(here == number, near)
        named = False
        for part in range(1, count + 1):
            mask = parts == part
            if _is_rim(mask, _decided(old, plane, kept, place, box)):
                here[mask] = 0
            elif named:
                here[mask] = following
                table[following] = table[number]
                following += 1
            else:
                named = True


def _decided(old: LabelMap, plane: int, kept: Mask, place: Refused | None, box: Box) -> Mask:
    mask: Mask = kept[old.planes[plane][box]]
    return mask if place is None else mask | place.within(box)


def _is_rim(part: Mask, decided: Mask) -> bool:
    """Whether a part only surrounds what is decided: it is thin for its size."""
    box = boxes.tight(part)
    if box is None or not decided.any():
        return False
    around = boxes.grown(box, 1, boxes.whole(part.shape))
    mask, near = part[around], decided[around]
    if not near.any():
        return False
    reach = float(ndimage.distance_transform_edt(~near)[mask].max())
    width = float(np.count_nonzero(mask)) ** (1 / max(1, sum(n > 1 for n in mask.shape)))
    return bool(reach <= max(THIN, SLENDER * width))


def _draw(old: LabelMap, new: LabelMap, plane: int, kept: Mask, table: dict[int, int]) -> set[int]:
    numbers = np.flatnonzero(kept).tolist()
    names = np.zeros(kept.size, np.int32)
    following = max(table, default=0) + 1
    names[numbers] = np.arange(following, following + len(numbers))
    overlap.put_in(old.planes[plane].reshape(-1), new.planes[plane].reshape(-1), names)
    table.update({int(names[n]): old.object_classes[n] for n in numbers})
    return {int(names[n]) for n in numbers}


def _drop_missing(new: LabelMap, table: dict[int, int]) -> None:
    drawn = np.zeros(max(table, default=0) + 1, bool)
    for plane in new.planes:
        overlap.mark(plane.reshape(-1), drawn)
    for number in [n for n in table if not drawn[n]]:
        del table[number]
