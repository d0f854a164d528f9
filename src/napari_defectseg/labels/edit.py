"""`Edit`: one undoable change of labels; `Change`: its part in one box of one plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

Box = tuple[slice, ...]
"""One slice an axis, with start and stop, without step."""
Sides = tuple[tuple[int, int], ...]
"""A box as start and stop of each axis: can be kept in sets."""
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Numbers = np.ndarray[Any, np.dtype[np.int32]]


class Change(Protocol):
    """What was there and what is there now, in one box of one plane."""

    @property
    def plane(self) -> int:
        """Index of the label plane."""

    @property
    def box(self) -> Box:
        """A box around the change, one slice an axis of the plane."""

    @property
    def mask(self) -> Mask:
        """Which pixels of the box change."""

    @property
    def before(self) -> Numbers:
        """Object numbers of those pixels before, in C order."""

    @property
    def after(self) -> Numbers:
        """Object numbers of those pixels afterwards, in C order."""

    @property
    def size(self) -> int:
        """Number of pixels that change."""

    @property
    def objects(self) -> frozenset[int]:
        """Numbers of all objects in `before` and `after`."""

    def inverse(self) -> Change:
        """Return the change back."""


@dataclass(frozen=True, eq=False)
class PlainChange:
    """A change held as arrays; see `Change` for the fields."""

    plane: int
    box: Box
    mask: Mask
    before: Numbers
    after: Numbers

    @property
    def size(self) -> int:
        """Number of pixels that change."""
        return int(self.before.size)

    @cached_property
    def objects(self) -> frozenset[int]:
        """Numbers of all objects in `before` and `after`."""
        seen = set(np.unique(self.before).tolist()) | set(np.unique(self.after).tolist())
        return frozenset(seen - {0})

    def inverse(self) -> PlainChange:
        """Return the change back."""
        return PlainChange(self.plane, self.box, self.mask, self.after, self.before)


@dataclass(frozen=True, eq=False)
class Edit:
    """What changed, by which tool, by whom and when.

    Parameters
    ----------
    tool : str
        In words for the undo button: ``"brush"``, ``"merge"``, ``"split"``, …
    changes : tuple of Change
        Pixels, in boxes that do not overlap within a plane; none where only the table changes.
    classes_before, classes_after : mapping of int to int or None
        Class value of every object that appears, vanishes or changes class; None: not there.
    checked, unchecked : frozenset of int
        Objects that this edit marks as checked, or no longer checked.
    completed, reopened : frozenset of Sides
        Regions of which this edit says that nothing is missing in them, or says so no longer.
    decided : bool
        True if a person did it; false for predictions and thresholds. What a person decided is
        kept when the scores are decoded again.
    person, when : str
        Who, and ISO 8601 UTC.
    """

    tool: str
    changes: tuple[Change, ...] = ()
    classes_before: Mapping[int, int | None] = field(default_factory=dict)
    classes_after: Mapping[int, int | None] = field(default_factory=dict)
    checked: frozenset[int] = frozenset()
    unchecked: frozenset[int] = frozenset()
    completed: frozenset[Sides] = frozenset()
    reopened: frozenset[Sides] = frozenset()
    decided: bool = True
    person: str = ""
    when: str = ""

    @cached_property
    def objects(self) -> frozenset[int]:
        """Every object this edit touches."""
        seen = set(self.classes_after) | self.checked | self.unchecked
        return frozenset(seen.union(*(change.objects for change in self.changes)))

    @property
    def size(self) -> int:
        """Number of pixels that change."""
        return sum(change.size for change in self.changes)

    @property
    def boxes(self) -> tuple[tuple[int, Box], ...]:
        """Plane and box of each change: what has to be drawn again."""
        return tuple((change.plane, change.box) for change in self.changes)

    def inverse(self) -> Edit:
        """Return the edit that undoes this one."""
        return replace(
            self,
            changes=tuple(change.inverse() for change in self.changes),
            classes_before=self.classes_after,
            classes_after=self.classes_before,
            checked=self.unchecked,
            unchecked=self.checked,
            completed=self.reopened,
            reopened=self.completed,
        )
