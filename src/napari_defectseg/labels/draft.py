"""`Draft`: where a tool tries out its change before it becomes an `Edit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from napari_defectseg.labels import boxes
from napari_defectseg.labels.connect import neighbours
from napari_defectseg.labels.edit import Box, Change, Edit, Mask, Numbers, PlainChange
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.pieces import pieces_apart


class Draft:
    """A change of one label plane in the making; the label map itself stays as it is.

    Parameters
    ----------
    labelmap : LabelMap
    plane : int
        Index of the plane to change.
    first_label : int, optional
        First number for new objects; default: the map's next.
    """

    def __init__(self, labelmap: LabelMap, plane: int = 0, first_label: int | None = None) -> None:
        self.labelmap = labelmap
        self.plane = plane
        self.classes: dict[int, int] = {}
        self.decided: set[int] = set()
        self.near = neighbours(labelmap.axes)
        self._next = labelmap.next_label if first_label is None else first_label
        self._values = labelmap.planes[plane]
        self._box: Box | None = None
        self._after: Numbers | None = None

    @property
    def next_label(self) -> int:
        """The number the next new object will get."""
        return self._next

    def start_at(self, number: int) -> None:
        """Let new objects have numbers from `number` on; never ones that were given before."""
        self._next = max(self._next, number)

    def new_object(self, class_value: int) -> int:
        """Return a number for a new object of a class."""
        number = self._next
        self._next += 1
        self.classes[number] = class_value
        return number

    def class_of(self, number: int) -> int:
        """Return the class of an object of the map or of this draft."""
        if number in self.classes:
            return self.classes[number]
        return self.labelmap.object_classes[number]

    def read(self, box: Box) -> Numbers:
        """Return a copy of the numbers in a box as they will be."""
        block = self._values[box].copy()
        if self._box is not None and self._after is not None:
            common = boxes.meet(box, self._box)
            if not boxes.is_empty(common):
                block[boxes.inside(common, box)] = self._after[boxes.inside(common, self._box)]
        return block

    def put(self, box: Box, mask: Mask, number: int) -> None:
        """Give the true pixels of `mask` in `box` to an object (0: to the background)."""
        self._cover(box)
        assert self._box is not None
        assert self._after is not None
        self._after[boxes.inside(box, self._box)][mask] = number

    def _cover(self, box: Box) -> None:
        if self._box is not None and boxes.holds(self._box, box):
            return
        around = box if self._box is None else boxes.join(self._box, box)
        self._after = self.read(around)
        self._box = around

    def split_apart(
        self, numbers: Iterable[int], box: Box, cut: Mask, grown: Box | None = None
    ) -> None:
        """Make own objects of what fell off `numbers` when the pixels `cut` of `box` were taken.

        The largest piece keeps the number; pieces that the cut does not touch belong to it too.
        `grown` is a box that holds what the objects won in this draft, if they won something.
        """
        for number in sorted(set(numbers)):
            reach = self._reach(number)
            reach = reach if grown is None else boxes.join(reach, grown)
            for where, piece in pieces_apart(self.read, number, box, cut, reach, self.near):
                new = self.new_object(self.class_of(number))
                self.put(where, piece, new)
                if number in self.labelmap.checked or number in self.decided:
                    self.decided.add(new)

    def _reach(self, number: int) -> Box:
        """Return a box that holds an object that lost pixels."""
        if self.labelmap.index.size(number):
            return self.labelmap.index.box(number)
        assert self._box is not None
        return self._box

    def change(self) -> Change | None:
        """Return the pixels that differ, in the smallest box; None if there are none."""
        if self._box is None or self._after is None:
            return None
        before = self._values[self._box]
        differs = before != self._after
        box = boxes.tight(differs)
        if box is None:
            return None
        mask = np.ascontiguousarray(differs[box])
        return PlainChange(
            self.plane,
            boxes.shifted(box, self._box),
            mask,
            before=before[box][mask],
            after=self._after[box][mask],
        )

    def edit(self, tool: str) -> Edit | None:
        """Return the finished edit; None if nothing changes."""
        return finish(
            self.labelmap, tool, (self.change(),), classes=self.classes, decided=self.decided
        )


def finish(
    labelmap: LabelMap,
    tool: str,
    changes: Iterable[Change | None],
    *,
    classes: dict[int, int] | None = None,
    decided: Iterable[int] = (),
    undecided: Iterable[int] = (),
) -> Edit | None:
    """Return the edit of some changes, with the table brought up to date.

    Objects that lose their last pixel leave the table and are no longer checked.

    Parameters
    ----------
    labelmap : LabelMap
        As it is before.
    tool : str
        In words for the undo button.
    changes : iterable of Change or None
        Pixels; None is left out.
    classes : dict of int to int, optional
        Class values of new objects and of objects that change class.
    decided, undecided : iterable of int
        Objects to mark as checked, or as not checked; others keep their mark.

    Returns
    -------
    Edit or None
        None if neither a pixel nor the table changes.
    """
    kept = tuple(change for change in changes if change is not None and change.size)
    balance = _balance(kept)
    table = labelmap.object_classes
    gone = frozenset(n for n in balance if n and labelmap.index.size(n) + balance[n] == 0)
    after: dict[int, int | None] = dict.fromkeys(n for n in gone if n in table)
    after |= {
        number: value
        for number, value in (classes or {}).items()
        if table.get(number) != value and (number in table or balance[number] > 0)
        if number not in gone
    }
    checked = frozenset(decided) - labelmap.checked - gone
    checked = frozenset(n for n in checked if n in table or n in after)
    unchecked = (frozenset(undecided) | gone) & labelmap.checked
    if not (kept or after or checked or unchecked):
        return None
    before = {number: table.get(number) for number in after}
    return Edit(tool, kept, before, after, frozenset(checked), unchecked)


def _balance(changes: tuple[Change, ...]) -> Counter[int]:
    """Return how many pixels each object gains."""
    balance: Counter[int] = Counter()
    for change in changes:
        for values, sign in ((change.before, -1), (change.after, 1)):
            ends = np.append(np.flatnonzero(values[1:] != values[:-1]) + 1, values.size)
            lengths = np.diff(ends, prepend=0)
            numbers, places = np.unique(values[ends - 1], return_inverse=True)
            pixels = np.bincount(places, lengths).astype(np.int64)
            for number, count in zip(numbers.tolist(), pixels.tolist(), strict=True):
                balance[number] += sign * count
    return balance
