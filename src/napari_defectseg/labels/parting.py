"""What tools that part an object share: the pixels of the cut go back to the parts."""

from __future__ import annotations

import numpy as np
from skimage.segmentation import watershed

from napari_defectseg.labels import boxes
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Box, Mask


def give_back(draft: Draft, number: int, box: Box, cut: Mask, place: Box) -> None:
    """Let the parts of an object grow into the cut, so that each stays connected.

    Parameters
    ----------
    draft : Draft
        In which the pixels of the cut were taken away and the parts have numbers of their own.
    number : int
        The object that was parted.
    box, cut : Box, ndarray of bool
        Which pixels were taken away.
    place : Box
        Where the object lies.
    """
    around = boxes.grown(box, 1, place)
    here = draft.read(around)
    under = np.zeros(here.shape, bool)
    under[boxes.inside(box, around)] = cut
    parts = np.where(np.isin(here, [number, *draft.classes]), here, 0)
    grown = watershed(
        np.zeros(here.shape, np.uint8), parts, connectivity=draft.near, mask=(parts > 0) | under
    )
    for part in (number, *draft.classes):
        draft.put(around, under & (grown == part), part)
    rest = under & (grown == 0)
    draft.put(around, rest, number)
