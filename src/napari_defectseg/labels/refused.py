"""`Refused`: where a person took something away, so that no prediction brings it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Edit, Mask, Numbers
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.pack import plain


@dataclass(frozen=True, eq=False)
class Refused:
    """Pixels of one plane that a person made background.

    Parameters
    ----------
    box : Box
        In the axes of the plane.
    mask : ndarray of bool
        The pixels of the box.
    """

    box: Box
    mask: Mask

    def within(self, box: Box) -> Mask:
        """Return which pixels of another box are refused."""
        found = np.zeros(boxes.shape_of(box), bool)
        common = boxes.meet(box, self.box)
        if not boxes.is_empty(common):
            found[boxes.inside(common, box)] = self.mask[boxes.inside(common, self.box)]
        return found


class RefusedPlaces:
    """Where a person's last word was *background*, kept up to date as edits come and go."""

    def __init__(self) -> None:
        self._serials: list[int] = []
        self._places: dict[int, Refused] = {}

    def after(
        self, edits: Sequence[tuple[int, Edit]], labelmap: LabelMap
    ) -> tuple[Refused | None, ...]:
        """Return the refused pixels of each plane; None: nowhere.

        Parameters
        ----------
        edits : sequence of (int, Edit)
            What a person decided and is in force, oldest first, each with a number of its own.
            Edits that were here at the last call already are not looked at again.
        labelmap : LabelMap
            As it is now: what is drawn again is not refused.
        """
        serials = [serial for serial, _ in edits]
        known = len(self._serials)
        if serials[:known] != self._serials:
            known = 0
            self._places.clear()
        for _, edit in edits[known:]:
            self._add(edit)
        self._serials = serials
        return tuple(self._now(plane, values) for plane, values in enumerate(labelmap.planes))

    def _add(self, edit: Edit) -> None:
        for change in map(plain, edit.changes):
            place = self._places.get(change.plane)
            if place is None or not boxes.holds(place.box, change.box):
                if change.after.all() and (
                    place is None or boxes.is_empty(boxes.meet(place.box, change.box))
                ):
                    continue
                place = _grown(place, change.box)
                self._places[change.plane] = place
            place.mask[boxes.inside(change.box, place.box)][change.mask] = change.after == 0

    def _now(self, plane: int, values: Numbers) -> Refused | None:
        place = self._places.get(plane)
        if place is None:
            return None
        return Refused(place.box, place.mask & (values[place.box] == 0))


def _grown(place: Refused | None, box: Box) -> Refused:
    if place is None:
        return Refused(box, np.zeros(boxes.shape_of(box), bool))
    around = boxes.join(place.box, box)
    return Refused(around, place.within(around))
