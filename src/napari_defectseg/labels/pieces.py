"""Whether an object that lost pixels fell apart, found without looking at all of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from napari_defectseg.labels import boxes
from napari_defectseg.labels.connect import parts_of
from napari_defectseg.labels.edit import Box, Mask, Numbers

FIRST_MARGIN = 8
"""How far around the cut the first look goes, in pixels; each further look goes twice as far."""


def pieces_apart(
    read: Callable[[Box], Numbers], number: int, box: Box, cut: Mask, reach: Box, near: Mask
) -> list[tuple[Box, Mask]]:
    """Return the pieces that are no longer connected with the rest of an object.

    The neighbourhood of the cut is labelled; it grows until at most one piece that touches the
    cut goes on beyond it. So a nick in a network of pores costs the nick, and a piece that came
    off costs the piece.

    Parameters
    ----------
    read : callable
        Gives the numbers in a box as they are after the cut.
    number : int
        The object.
    box : Box
        Box of the cut.
    cut : ndarray of bool
        The pixels of `box` that were taken from it.
    reach : Box
        A box that holds the whole object.
    near : ndarray of bool
        The neighbourhood of a pixel.

    Returns
    -------
    list of (Box, ndarray of bool)
        All pieces but the one that goes on, or all but the largest; of what hung together only:
        an object that was in two places before may stay so.
    """
    margin = FIRST_MARGIN
    while True:
        around = boxes.grown(boxes.meet(box, reach), margin, reach)
        if boxes.is_empty(around):
            return []
        own = read(around) == number
        numbered, _ = parts_of(own, near)
        touching = _touching(numbered, around, box, ndimage.binary_dilation(np.pad(cut, 1), near))
        if touching.size <= 1:
            return []
        groups = _groups(own, numbered, around, box, cut, touching, near)
        going_on = _open_pieces(numbered, around, reach, touching)
        if all(len(going_on & group) <= 1 for group in groups):
            return _all_but_one_each(numbered, around, groups, going_on)
        margin *= 2


def _groups(
    own: Mask,
    numbered: Numbers,
    around: Box,
    box: Box,
    cut: Mask,
    touching: Numbers,
    near: Mask,
) -> list[set[int]]:
    """Return the pieces that hung together before the cut; others were apart already and stay."""
    before = own.copy()
    common = boxes.meet(box, around)
    before[boxes.inside(common, around)] |= cut[boxes.inside(common, box)]
    joined, _ = parts_of(before, near)
    groups: dict[int, set[int]] = {}
    pieces = own & np.isin(numbered, touching)
    for piece, group in set(zip(numbered[pieces].tolist(), joined[pieces].tolist(), strict=True)):
        groups.setdefault(group, set()).add(piece)
    return list(groups.values())


def _touching(numbered: Numbers, around: Box, box: Box, spread: Mask) -> Numbers:
    """Return the pieces under the cut, which was spread by one pixel beyond its box."""
    outer = tuple(slice(side.start - 1, side.stop + 1) for side in box)
    common = boxes.meet(outer, around)
    found = np.unique(numbered[boxes.inside(common, around)][spread[boxes.inside(common, outer)]])
    return found[found > 0]


def _open_pieces(numbered: Numbers, around: Box, reach: Box, touching: Numbers) -> set[int]:
    found: set[int] = set()
    for axis, (side, limit) in enumerate(zip(around, reach, strict=True)):
        if side.start > limit.start:
            found |= set(np.unique(np.take(numbered, 0, axis)).tolist())
        if side.stop < limit.stop:
            found |= set(np.unique(np.take(numbered, -1, axis)).tolist())
    return found & set(touching.tolist())


def _all_but_one_each(
    numbered: Numbers, around: Box, groups: list[set[int]], going_on: set[int]
) -> list[tuple[Box, Mask]]:
    sizes = np.bincount(numbered.reshape(-1))
    leaving: set[int] = set()
    for group in groups:
        stays = min(going_on & group or group, key=lambda piece: (-sizes[piece], piece))
        leaving |= group - {stays}
    found = []
    for piece, where in enumerate(ndimage.find_objects(numbered), start=1):
        if piece in leaving and where is not None:
            found.append((boxes.shifted(where, around), numbered[where] == piece))
    return found
