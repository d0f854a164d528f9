"""`Comparison`: two label maps of one image, difference by difference.

Two objects are the same where they overlap by an IoU of at least one half, one to one
(`match_overlaps`); of these, other classes and other outlines are differences too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.labels import boxes
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Box, Change, Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.measurement.matching import match_overlaps
from napari_defectseg.review.groups import Group, Pairs, exchange

Kind = Literal["only left", "only right", "class", "outline", "several"]
SAME, ALIKE = 0.5, 0.8
"""IoU from which two objects are the same, and from which their outlines are."""
VOXELS = 1 << 22


@dataclass(frozen=True)
class Difference:
    """One place where two label maps differ.

    Parameters
    ----------
    kind : str
        ``"only left"``, ``"only right"``, ``"class"``, ``"outline"``, or ``"several"`` where more
        than one object hangs together on a side.
    left, right : int
        Object numbers, the first of several; 0 where there is none.
    box : Box
        Around both.
    words : str
        As a person reads it.
    iou : float
        0 where one is missing.
    lefts, rights : tuple of int
        All objects of both sides, where there are several.
    """

    kind: Kind
    left: int
    right: int
    box: Box
    words: str
    iou: float = 0.0
    lefts: tuple[int, ...] = ()
    rights: tuple[int, ...] = ()


@dataclass
class Comparison:
    """The differences of two label maps, and which of them are settled.

    Parameters
    ----------
    left : LabelMap
        The one that is corrected.
    right : LabelMap
        Another model's, another person's, an earlier one; never changed.
    matched : int
        Objects that both have, alike or not.
    differences : tuple of Difference
        From top to bottom.
    """

    left: LabelMap
    right: LabelMap
    matched: int
    differences: tuple[Difference, ...]
    settled: set[int] = field(default_factory=set)
    at: int = -1
    """Place of the difference that is looked at; -1: none yet."""

    @property
    def current(self) -> Difference | None:
        """The difference that is looked at."""
        return self.differences[self.at] if self.at >= 0 else None

    @property
    def open(self) -> list[int]:
        """Places of the differences that are not settled."""
        return [i for i in range(len(self.differences)) if i not in self.settled]

    def counts(self) -> dict[str, int]:
        """Return how many differences there are of each kind, settled ones with them."""
        found = dict.fromkeys(("only left", "only right", "class", "outline"), 0)
        for one in self.differences:
            found[one.kind] = found.get(one.kind, 0) + 1
        return found

    def next(self) -> Difference | None:
        """Go to the next difference that is not settled; behind the last comes the first."""
        return self._go([*[i for i in self.open if i > self.at], *self.open])

    def back(self) -> Difference | None:
        """Go to the one before."""
        before = [i for i in reversed(self.open) if i < self.at]
        return self._go([*before, *reversed(self.open)])

    def take(self, side: Literal["left", "right"]) -> Edit | None:
        """Settle the current difference and return the edit of the left map that does it.

        Raises
        ------
        LabelError
            If no difference is looked at, or the left map has changed there since.
        """
        if self.current is None:
            raise LabelError("No difference is looked at.", hint="Go to the next one first.")
        edit = take(self.left, self.right, self.current, side)
        self.settled.add(self.at)
        return edit

    def _go(self, places: list[int]) -> Difference | None:
        if not places:
            return None
        self.at = places[0]
        return self.current


def compare(left: LabelMap, right: LabelMap, *, same: float = SAME) -> Comparison:
    """Return where two label maps of one image differ.

    Parameters
    ----------
    left, right : LabelMap
        Of the same shape and axes; classes are compared by name.
    same : float
        IoU from which two objects are the same.

    Raises
    ------
    LabelError
        If the maps do not fit together.
    """
    return drive(compare_steps(left, right, same=same))


def compare_steps(left: LabelMap, right: LabelMap, *, same: float = SAME) -> Steps[Comparison]:
    """Do what `compare` does, as steps."""
    _check(left, right)
    lefts, rights, common = yield from overlaps_steps(left, right)
    sizes = left.index.sizes[lefts], right.index.sizes[rights]
    iou = common / (sizes[0] + sizes[1] - common)
    pairs = match_overlaps(lefts, rights, iou, same)
    found = [
        difference
        for a, b, value in zip(
            pairs.truth.tolist(), pairs.predicted.tolist(), pairs.value.tolist(), strict=True
        )
        if (difference := _of_pair(left, right, a, b, value)) is not None
    ]
    taken_left, taken_right = set(pairs.truth.tolist()), set(pairs.predicted.tolist())
    for number in left.object_classes.keys() - taken_left:
        words = f"only here: {_name(left, number)}"
        found.append(Difference("only left", number, 0, left.index.box(number), words))
    for number in right.object_classes.keys() - taken_right:
        words = f"only in the other: {_name(right, number)}"
        found.append(Difference("only right", 0, number, right.index.box(number), words))
    found.sort(key=lambda one: (tuple(side.start for side in one.box), one.left, one.right))
    return Comparison(left, right, len(pairs), tuple(found))


def take(
    left: LabelMap, right: LabelMap, difference: Difference, side: Literal["left", "right"]
) -> Edit | None:
    """Return the edit of the left map that settles a difference.

    Taking left marks what is there as checked. Taking right deletes, draws, renames or redraws
    the object; pixels that other objects of the left map have stay theirs.

    Parameters
    ----------
    left : LabelMap
        Not changed.
    right : LabelMap
    difference : Difference
    side : {"left", "right"}

    Raises
    ------
    LabelError
        If the object is no longer there, or no room is left for the other's.
    """
    if side == "left":
        kept = difference.lefts or tuple(filter(None, (difference.left,)))
        return accept(left, kept) if kept else None
    if difference.kind == "several":
        group = Group(difference.lefts, difference.rights)
        return exchange(left, right, group, "take the other")
    if difference.kind == "only left":
        return delete(left, difference.left)
    return _take_right(left, right, difference)


def difference_map(left: LabelMap, right: LabelMap, box: Box | None = None) -> NDArray[np.uint8]:
    """Return 0 where the class masks agree, 1 where only left has something, 2 only right, 3 other.

    Parameters
    ----------
    left, right : LabelMap
    box : Box or None
        None: everywhere.

    Returns
    -------
    ndarray of uint8
        In the shape of the box.
    """
    _check(left, right)
    names = list(dict.fromkeys([*left.classes.names, *right.classes.names]))
    around = boxes.whole(left.shape) if box is None else box
    out = np.zeros(boxes.shape_of(around), np.uint8)
    for slab in boxes.slabs(around, VOXELS):
        here, there = _ranks(left, names, slab), _ranks(right, names, slab)
        part = out[boxes.inside(slab, around)]
        part[(here != there)] = 3
        part[(here > 0) & (there == 0)] = 1
        part[(here == 0) & (there > 0)] = 2
    return out


def _check(left: LabelMap, right: LabelMap) -> None:
    if left.shape != right.shape or left.axes != right.axes:
        raise LabelError(
            f"Labels of shape {left.shape} ({''.join(left.axes)}) cannot be compared with labels "
            f"of shape {right.shape} ({''.join(right.axes)})."
        )


def _ranks(labelmap: LabelMap, names: list[str], slab: Box) -> NDArray[np.int64]:
    """Return which of the classes `names` are at each pixel, one bit a name."""
    ranks = np.zeros(256, np.int64)
    for item in labelmap.classes:
        ranks[item.value] = names.index(item.name) + 1
    lookup = ranks[labelmap.class_lookup()]
    # Overlapping classes are compared as the set of those that are there.
    sets = np.zeros(labelmap.planes[0][slab].shape, np.int64)
    for plane in labelmap.planes:
        rank = lookup[plane[slab]]
        sets |= np.where(rank > 0, 1 << rank, 0)
    return sets


def overlaps_steps(left: LabelMap, right: LabelMap, *, across: bool = True) -> Steps[Pairs]:
    """Return pairs of object numbers that share pixels, and how many, as steps.

    Parameters
    ----------
    left, right : LabelMap
    across : bool
        Objects of classes that may overlap too; False: only those of one plane.
    """
    counts: dict[int, int] = {}
    width = right.next_label
    slabs = boxes.slabs(boxes.whole(left.shape), VOXELS)
    for done, slab in enumerate(slabs):
        yield Step(done, len(slabs), "Comparing")
        for place, here in enumerate(left.planes):
            for there in right.planes if across else right.planes[place : place + 1]:
                both = (here[slab] > 0) & (there[slab] > 0)
                keys = here[slab][both].astype(np.int64) * width + there[slab][both]
                for key, count in zip(*np.unique(keys, return_counts=True), strict=True):
                    counts[int(key)] = counts.get(int(key), 0) + int(count)
    keys = np.array(sorted(counts), np.int64)
    common = np.array([counts[int(key)] for key in keys], np.int64)
    return keys // width, keys % width, common


def _of_pair(left: LabelMap, right: LabelMap, a: int, b: int, iou: float) -> Difference | None:
    box = boxes.join(left.index.box(a), right.index.box(b))
    here, there = _name(left, a), _name(right, b)
    if here != there:
        return Difference("class", a, b, box, f"{here} here, {there} in the other", iou)
    if iou < ALIKE:
        words = f"other outline: they share {100 * iou:.0f} %"
        return Difference("outline", a, b, box, words, iou)
    return None


def _name(labelmap: LabelMap, number: int) -> str:
    return labelmap.classes.by_value(labelmap.class_of(number)).name


def _take_right(left: LabelMap, right: LabelMap, difference: Difference) -> Edit | None:
    """Draw the right object in place of the left one; it keeps the left one's number."""
    value = _value_in(left, _name(right, difference.right))
    target = left.plane_of(value)
    box = right.index.box(difference.right)
    wanted = right.planes[right.plane_of(right.class_of(difference.right))][box]
    mask = wanted == difference.right
    drafts = {target: Draft(left, target)}
    classes: dict[int, int] = {}
    number = difference.left
    if number:
        source = left.plane_of(left.class_of(number))
        draft = drafts.setdefault(source, Draft(left, source))
        own = left.index.box(number)
        draft.put(own, left.planes[source][own] == number, 0)
        classes[number] = value
    else:
        number = drafts[target].new_object(value)
    free = mask & (drafts[target].read(box) == 0)
    if not free.any():
        raise LabelError(
            "Where the other object lies, there are objects already.",
            hint="Delete these first, or take what is here.",
        )
    drafts[target].put(box, free, number)
    changes: list[Change | None] = []
    for draft in drafts.values():
        changes.append(draft.change())
        classes |= draft.classes
    return finish(left, "take the other", changes, classes=classes, decided={number})


def _value_in(labelmap: LabelMap, name: str) -> int:
    for item in labelmap.classes:
        if item.name == name:
            return item.value
    raise LabelError(
        f"The labels have no class {name!r}.",
        hint=f"They have {', '.join(labelmap.classes.names)}.",
    )
