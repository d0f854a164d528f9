"""`Touched`: where a person has decided something in a history."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Change, Mask
from napari_defectseg.labels.history import History
from napari_defectseg.labels.pack import plain


class Touched:
    """Asked object by object whether a person's hand was there.

    A person has decided about pixels that an edit of theirs changed, about checked objects, and
    about everything in a complete region; predictions and thresholds decide nothing.

    Parameters
    ----------
    history : History
        Read only.
    """

    def __init__(self, history: History) -> None:
        self._labelmap = history.labelmap
        decided = [edit for edit in history.entries if edit.decided]
        self.people = tuple(sorted({edit.person for edit in decided if edit.person}))
        self.edits = len(decided)
        self._changes: list[Change] = [change for edit in decided for change in edit.changes]
        sides = [boxes.sides_of(change.box) for change in self._changes]
        ndim = len(self._labelmap.axes)
        self._sides: NDArray[np.int64] = np.array(sides, np.int64).reshape(-1, ndim, 2)
        self._planes = np.array([change.plane for change in self._changes], np.int64)

    def about(self, numbers: list[int]) -> bool:
        """Whether one of these objects of the map is checked."""
        return not self._labelmap.checked.isdisjoint(numbers)

    def at(self, plane: int, box: Box, mask: Mask) -> bool:
        """Whether a true pixel of `mask` in `box` of a plane was decided about."""
        for sides in self._labelmap.complete:
            common = boxes.meet(box, boxes.of_sides(sides))
            if not boxes.is_empty(common) and mask[boxes.inside(common, box)].any():
                return True
        low = np.array([side.start for side in box])
        high = np.array([side.stop for side in box])
        near = (self._sides[:, :, 0] < high) & (self._sides[:, :, 1] > low)
        for place in np.flatnonzero(near.all(axis=1) & (self._planes == plane)):
            change = plain(self._changes[place])
            common = boxes.meet(box, change.box)
            theirs = change.mask[boxes.inside(common, change.box)]
            if (theirs & mask[boxes.inside(common, box)]).any():
                return True
        return False
