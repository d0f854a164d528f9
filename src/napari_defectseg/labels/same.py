"""Which object of another frame is the same one."""

from __future__ import annotations

import numpy as np

from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Mask, Numbers

SAME = 0.3
"""An object there is the same one if it shares this much of the smaller of both."""


def same_object(draft: Draft, here: Numbers, mask: Mask, taken: set[int]) -> int:
    """Return the object that is the same one in this frame; 0: none.

    Parameters
    ----------
    draft : Draft
    here : ndarray of int32
        Numbers in a box of the frame.
    mask : ndarray of bool, shape of `here`
        The object in the frame beside.
    taken : set of int
        Objects that are spoken for.
    """
    numbers, counts = np.unique(here[mask], return_counts=True)
    size = int(np.count_nonzero(mask))
    best, most = 0, 0.0
    for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        if number and number not in taken and number in draft.labelmap.object_classes:
            share = count / min(size, draft.labelmap.index.size(number))
            if share >= SAME and share > most:
                best, most = number, share
    return best
