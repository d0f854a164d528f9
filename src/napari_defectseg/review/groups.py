"""`Group`: objects of two label maps that hang together by overlap, and their exchange."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from napari_defectseg.labels import boxes
from napari_defectseg.labels.draft import Draft, finish
from napari_defectseg.labels.edit import Box, Edit, Mask
from napari_defectseg.labels.labelmap import LabelMap

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Left number, right number, and how many pixels they share."""


@dataclass(frozen=True)
class Group:
    """All objects that overlap each other, directly or by others between them.

    No object outside shares a pixel with one inside, so a whole group can be exchanged without
    touching anything else.

    Parameters
    ----------
    lefts, rights : tuple of int
        Object numbers in the left and in the right map.
    same : bool
        One object on each side, with the same pixels and class.
    """

    lefts: tuple[int, ...]
    rights: tuple[int, ...]
    same: bool = False

    def box(self, left: LabelMap, right: LabelMap) -> Box:
        """Return a box around all of them."""
        found = [left.index.box(n) for n in self.lefts]
        found += [right.index.box(n) for n in self.rights]
        around = found[0]
        for one in found[1:]:
            around = boxes.join(around, one)
        return around

    def differing(self, left: LabelMap, right: LabelMap) -> Iterator[tuple[int, Box, Mask]]:
        """Yield plane, box and the pixels at which the two sides are not alike."""
        around = self.box(left, right)
        other_class = self.pair and self._classes(left, right)
        for plane, (here, there) in enumerate(zip(left.planes, right.planes, strict=True)):
            ours = np.isin(here[around], self.lefts)
            theirs = np.isin(there[around], self.rights)
            mask = (ours | theirs) if other_class or not self.pair else ours != theirs
            if mask.any():
                yield plane, around, mask

    @property
    def pair(self) -> bool:
        """Whether there is one object on each side."""
        return len(self.lefts) == len(self.rights) == 1

    def _classes(self, left: LabelMap, right: LabelMap) -> bool:
        return left.class_of(self.lefts[0]) != right.class_of(self.rights[0])


def groups_of(left: LabelMap, right: LabelMap, pairs: Pairs) -> list[Group]:
    """Return every object of both maps in its group, in the order of the left numbers.

    Parameters
    ----------
    left, right : LabelMap
    pairs : Pairs
        Every two objects that share pixels.
    """
    here, there = sorted(left.object_classes), sorted(right.object_classes)
    rows = np.searchsorted(np.array(here, np.int64), pairs[0])
    columns = np.searchsorted(np.array(there, np.int64), pairs[1]) + len(here)
    size = len(here) + len(there)
    links = coo_array((np.ones(rows.size, np.int8), (rows, columns)), shape=(size, size))
    count, part_of = connected_components(links, directed=False)
    lefts: list[list[int]] = [[] for _ in range(count)]
    rights: list[list[int]] = [[] for _ in range(count)]
    for place, part in enumerate(part_of.tolist()):
        if place < len(here):
            lefts[part].append(here[place])
        else:
            rights[part].append(there[place - len(here)])
    shared = {(int(a), int(b)): int(n) for a, b, n in zip(*pairs, strict=True)}
    return [
        Group(tuple(a), tuple(b), _same(left, right, a, b, shared))
        for a, b in zip(lefts, rights, strict=True)
    ]


def exchange(left: LabelMap, right: LabelMap, group: Group, tool: str) -> Edit | None:
    """Return the edit that puts a group's right objects in place of its left ones.

    Parameters
    ----------
    left : LabelMap
        Not changed.
    right : LabelMap
        Of the same classes.
    group : Group
    tool : str
        For the undo button.
    """
    drafts: dict[int, Draft] = {}
    first = left.next_label
    for number in group.lefts:
        box = left.index.box(number)
        plane = left.plane_of(left.class_of(number))
        draft = drafts.setdefault(plane, Draft(left, plane))
        draft.put(box, left.planes[plane][box] == number, 0)
    classes: dict[int, int] = {}
    for number in group.rights:
        value = right.class_of(number)
        plane = left.plane_of(value)
        draft = drafts.setdefault(plane, Draft(left, plane))
        box = right.index.box(number)
        ours = number_for(group, number, first)
        first += int(ours == first)
        draft.put(box, right.planes[plane][box] == number, ours)
        classes[ours] = value
    changes = [draft.change() for draft in drafts.values()]
    return finish(left, tool, changes, classes=classes, decided=classes)


def number_for(group: Group, number: int, free: int) -> int:
    """Return the number that a right object gets: its own, its partner's, or a free one."""
    if number in group.lefts:
        return number
    return group.lefts[0] if group.pair else free


def _same(
    left: LabelMap, right: LabelMap, a: list[int], b: list[int], shared: dict[tuple[int, int], int]
) -> bool:
    if not len(a) == len(b) == 1:
        return False
    common = shared[a[0], b[0]]
    alike = left.index.size(a[0]) == right.index.size(b[0]) == common
    return alike and left.class_of(a[0]) == right.class_of(b[0])
