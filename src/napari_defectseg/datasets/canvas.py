"""`Canvas`: foreign objects drawn one after the other become a mask and instances."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_defectseg.core.classes import BACKGROUND, UNLABELLED
from napari_defectseg.datasets.foreign import Truth
from napari_defectseg.datasets.meaning import Meaning

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Shape:
    """One object of foreign labels.

    Parameters
    ----------
    key : str
        Key of its mark.
    rows, columns : ndarray of int
        Its pixels in the plane.
    plane : tuple of int
        Index of the plane, for volumes and movies.
    ignored : bool
        Whether the labels say that this place does not count.
    group : str
        Shapes of one group are one object.
    """

    key: str
    rows: Array
    columns: Array
    plane: tuple[int, ...] = ()
    ignored: bool = False
    group: str = ""


@dataclass
class Canvas:
    """Draws shapes, large ones first, so that small ones stay visible on top.

    Parameters
    ----------
    shape : tuple of int
        Of the mask, without classes.
    meaning : Meaning
    where : str
        The file, for messages.
    """

    shape: tuple[int, ...]
    meaning: Meaning
    where: str
    _shapes: list[Shape] = field(default_factory=list)

    def add(self, shape: Shape) -> None:
        """Take one more object."""
        self._shapes.append(shape)

    def truth(self) -> Truth:
        """Return what was drawn, and a note where objects lost pixels to others."""
        exclusive = self.meaning.classes.exclusive
        front = () if exclusive else (len(self.meaning.classes),)
        mask = np.zeros(front + self.shape, np.uint8)
        objects = np.zeros(front + self.shape, np.int32)
        numbers: dict[tuple[str, int], int] = {}
        lost = count = 0
        for shape in sorted(self._shapes, key=lambda each: -each.rows.size):
            value = self._value(shape)
            at = self._place(shape, value)
            if exclusive:
                before = mask[at]
                lost += int(np.count_nonzero((before != BACKGROUND) & (before != value)))
            number = 0
            if value in self.meaning.classes.values:
                number = numbers.get((shape.group, value), 0) if shape.group else 0
                count += not number
                number = numbers.setdefault((shape.group or f"#{count}", value), number or count)
            mask[at] = 1 if number and not exclusive else value
            objects[at] = number
        return Truth(mask, objects if count else None, self._told(lost))

    def _value(self, shape: Shape) -> int:
        known = self.meaning.value(shape.key, self.where)
        return UNLABELLED if shape.ignored else known

    def _place(self, shape: Shape, value: int) -> tuple[Any, ...]:
        at: tuple[Any, ...] = (*shape.plane, shape.rows, shape.columns)
        if self.meaning.classes.exclusive:
            return at
        values = self.meaning.classes.values
        return (values.index(value) if value in values else slice(None), *at)

    def _told(self, lost: int) -> tuple[str, ...]:
        if not lost:
            return ()
        told = (
            f"{self.where}: {lost} pixels belong to objects of two classes; the smaller object "
            "has them. Overlapping classes keep both."
        )
        return (told,)
