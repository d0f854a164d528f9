"""`Edit`: one undoable change of labels, in one box of one plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Box = tuple[slice, ...]


@dataclass(frozen=True)
class Edit:
    """What was there, what is there now, where, by which tool, by whom and when.

    Parameters
    ----------
    tool : str
        In words for the undo button: ``"brush"``, ``"merge"``, ``"split"``, …
    plane : int
        Index of the label plane.
    box : tuple of slice
        The smallest box around the change, one slice an axis of the plane.
    mask : ndarray of bool
        Which pixels of the box change.
    before, after : ndarray of int32, shape (n,)
        Object numbers of those pixels in C order.
    classes_before, classes_after : mapping of int to int or None
        Class value of every object that appears, vanishes or changes class; None: not there.
    checked, unchecked : frozenset of int
        Objects that this edit marks as checked, or no longer checked.
    person, when : str
        Who, and ISO 8601 UTC.
    """

    tool: str
    plane: int
    box: Box
    mask: np.ndarray[Any, np.dtype[np.bool_]]
    before: np.ndarray[Any, np.dtype[np.int32]]
    after: np.ndarray[Any, np.dtype[np.int32]]
    classes_before: Mapping[int, int | None] = field(default_factory=dict)
    classes_after: Mapping[int, int | None] = field(default_factory=dict)
    checked: frozenset[int] = frozenset()
    unchecked: frozenset[int] = frozenset()
    person: str = ""
    when: str = ""

    @property
    def objects(self) -> frozenset[int]:
        """Every object this edit touches."""
        seen = set(np.unique(self.before).tolist()) | set(np.unique(self.after).tolist())
        return frozenset((seen | set(self.classes_after)) - {0})

    @property
    def size(self) -> int:
        """Number of pixels that change."""
        return int(self.before.size)

    def inverse(self) -> Edit:
        """Return the edit that undoes this one."""
        return Edit(
            self.tool,
            self.plane,
            self.box,
            self.mask,
            before=self.after,
            after=self.before,
            classes_before=self.classes_after,
            classes_after=self.classes_before,
            checked=self.unchecked,
            unchecked=self.checked,
            person=self.person,
            when=self.when,
        )
