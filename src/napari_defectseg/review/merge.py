"""`Merge`: the work of two people on one image, put together.

Objects of both maps that overlap make a group. Where only the other person has decided about a
group, their objects are taken; where only one's own hand was there, or nobody's, everything stays;
where both have decided and do not agree, it is a difference to decide.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Edit, Sides
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.replacing import check_fits, difference
from napari_defectseg.review.compare import Comparison, Difference, overlaps_steps
from napari_defectseg.review.groups import Group, groups_of, number_for
from napari_defectseg.review.touched import Touched

TOOL = "merge edits"
EVERY = 200
"""Groups between two steps."""


@dataclass(frozen=True)
class Merge:
    """What comes of merging another person's edits into one's own.

    Parameters
    ----------
    edit : Edit or None
        Of one's own map: all that the other has decided alone; None where that is nothing.
    comparison : Comparison
        What both have decided in different ways, difference by difference; to be looked at
        once the edit is applied.
    who : str
        The other person, or people.
    taken, agreed : int
        Places where the other's decision is taken, and objects that both have alike.
    """

    edit: Edit | None
    comparison: Comparison
    who: str
    taken: int
    agreed: int

    @property
    def sentence(self) -> str:
        """In words, for example: 3 places decided by Ada alone are taken; 1 is left to decide."""
        left = len(self.comparison.differences)
        verb = "is" if self.taken == 1 else "are"
        places = f"{self.taken} {'place' if self.taken == 1 else 'places'}"
        said = f"{places} decided by {self.who} alone {verb} taken"
        if not left:
            return f"{said}; you do not contradict each other anywhere."
        conflicts = "1 place is" if left == 1 else f"{left} places are"
        return f"{said}; {conflicts} left to decide, where you both decided differently."


def merge(mine: History, theirs: History) -> Merge:
    """Return what another person's history of the same image adds to one's own.

    Parameters
    ----------
    mine, theirs : History
        Neither is changed: push `Merge.edit` into `mine`.

    Raises
    ------
    LabelError
        If the labels are of other shapes, axes or classes.
    """
    return drive(merge_steps(mine, theirs))


def merge_steps(mine: History, theirs: History) -> Steps[Merge]:
    """Do what `merge` does, as steps."""
    left, right = mine.labelmap, theirs.labelmap
    check_fits(left, right)
    if left.classes.names != right.classes.names:
        raise LabelError(
            f"Your classes are {', '.join(left.classes.names)}; the other's are "
            f"{', '.join(right.classes.names)}.",
            hint="Give them the same names first.",
        )
    groups = groups_of(left, right, (yield from overlaps_steps(left, right, across=False)))
    ours, other = Touched(mine), Touched(theirs)
    who = " and ".join(other.people) or "the other person"
    taken: list[Group] = []
    conflicts: list[Group] = []
    for done, group in enumerate(groups):
        if done % EVERY == 0:
            yield Step(done, len(groups), "Merging")
        if group.same or not _decided(other, group.rights, group, left, right):
            continue
        both = _decided(ours, group.lefts, group, left, right)
        (conflicts if both else taken).append(group)
    found = sorted(
        (_conflict(group, left, right, who) for group in conflicts),
        key=lambda one: (tuple(side.start for side in one.box), one.left, one.right),
    )
    agreed = [group for group in groups if group.same]
    comparison = Comparison(left, right, len(agreed), tuple(found))
    edit = _edit(left, right, taken, agreed, [one.box for one in found])
    return Merge(edit, comparison, who, len(taken), len(agreed))


def _decided(
    touched: Touched, numbers: tuple[int, ...], group: Group, left: LabelMap, right: LabelMap
) -> bool:
    if touched.about(list(numbers)):
        return True
    return any(touched.at(*place) for place in group.differing(left, right))


def _edit(
    left: LabelMap, right: LabelMap, taken: list[Group], agreed: list[Group], open_: list[Box]
) -> Edit | None:
    merged = left.copy()
    for group in taken:
        _put(merged, left, right, group)
    # What the other has checked of what both have alike is checked.
    merged.checked |= {g.lefts[0] for g in agreed if g.rights[0] in right.checked}
    change = difference(left, merged, TOOL)
    completed = frozenset(_whole(right.complete - left.complete, open_))
    if change is None:
        return Edit(TOOL, completed=completed) if completed else None
    # Nothing changes in one's own complete regions: there, both have decided.
    return replace(change, decided=True, reopened=frozenset(), completed=completed)


def _put(merged: LabelMap, left: LabelMap, right: LabelMap, group: Group) -> None:
    """Put the right objects of a group in place of the left ones."""
    for number in group.lefts:
        box = left.index.box(number)
        plane = merged.planes[left.plane_of(left.class_of(number))]
        np.putmask(plane[box], plane[box] == number, 0)
        merged.object_classes.pop(number, None)
        merged.checked.discard(number)
    for number in group.rights:
        box, value = right.index.box(number), right.class_of(number)
        source = right.planes[right.plane_of(value)][box]
        name = number_for(group, number, merged.next_label)
        merged.planes[merged.plane_of(value)][box][source == number] = name
        merged.object_classes[name] = value
        merged.last_label = max(merged.last_label, name)
        if number in right.checked:
            merged.checked.add(name)


def _whole(regions: Iterable[Sides], open_: list[Box]) -> list[Sides]:
    """Return the regions in which nothing is left to decide."""
    return [
        sides
        for sides in regions
        if all(boxes.is_empty(boxes.meet(boxes.of_sides(sides), box)) for box in open_)
    ]


def _conflict(group: Group, left: LabelMap, right: LabelMap, who: str) -> Difference:
    box = group.box(left, right)
    lefts, rights = group.lefts, group.rights
    if not rights:
        words = f"you have {_told(left, lefts)}, {who} nothing"
        kind = "only left" if len(lefts) == 1 else "several"
    elif not lefts:
        words = f"{who} has {_told(right, rights)}, you nothing"
        kind = "only right" if len(rights) == 1 else "several"
    else:
        words = f"you have {_told(left, lefts)}, {who} {_told(right, rights)}"
        kind = "several" if not group.pair else "outline"
        if group.pair and left.class_of(lefts[0]) != right.class_of(rights[0]):
            kind = "class"
        elif group.pair:
            words = f"{_told(left, lefts)}: you and {who} have other outlines"
    first = (lefts[0] if lefts else 0, rights[0] if rights else 0)
    return Difference(kind, *first, box, words, lefts=lefts, rights=rights)  # type: ignore[arg-type]


def _told(labelmap: LabelMap, numbers: tuple[int, ...]) -> str:
    if len(numbers) > 1:
        return f"{len(numbers)} objects"
    return labelmap.classes.by_value(labelmap.class_of(numbers[0])).name
