"""`LabelMap`: the truth under the brush."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.labels import survey
from napari_defectseg.labels.edit import Box, Edit, PlainChange, Sides
from napari_defectseg.labels.index import ObjectIndex
from napari_defectseg.labels.pack import plain

LARGE = 1 << 18
"""Changes in boxes of so many pixels are written by compiled loops."""
Plane = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True)
class ObjectRecord:
    """One object, for the card that shows it.

    Parameters
    ----------
    number : int
    class_value : int
    size : int
        Pixels or voxels.
    box : tuple of slice
        A box that holds it, in the axes of a plane.
    checked : bool
        Whether a person has decided about it.
    """

    number: int
    class_value: int
    size: int
    box: Box
    checked: bool


@dataclass(eq=False)
class LabelMap:
    """Objects, their classes, and which of them a person has checked.

    The planes are changed in place, by `apply` alone, so that a brush stroke costs what it
    touches and not the size of the volume; `revision` counts the changes.

    Parameters
    ----------
    planes : tuple of ndarray of int32
        One plane for exclusive classes; one a class, in the order of `classes`, where classes
        may overlap. Each has the shape of the image's `label_axes`; 0 is background. A number
        names one object in all planes and frames.
    object_classes : dict of int to int
        Class value of each object.
    classes : ClassMap
    axes : tuple of str
        Axes of a plane, for example ``("z", "y", "x")``.
    calibration : Calibration
    checked : set of int
        Objects a person has decided about.
    unlabelled : ndarray of bool or None
        Where nobody has looked; None: everywhere was looked at.
    complete : set of Sides
        Regions that a person has looked through to the last object. Checked objects say nothing
        of what was missed between them: only here is the map truth.
    revision : int
        Number of edits applied so far.
    provenance : Provenance or None
    last_label : int
        Largest number that was ever given here; numbers of deleted objects are not used again.
    left_out : int
        Objects that were too small when it was made from a mask.
    """

    planes: tuple[Plane, ...]
    object_classes: dict[int, int]
    classes: ClassMap
    axes: Axes
    calibration: Calibration
    checked: set[int] = field(default_factory=set)
    unlabelled: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    complete: set[Sides] = field(default_factory=set)
    revision: int = 0
    provenance: Provenance | None = None
    last_label: int = 0
    left_out: int = 0
    _index: ObjectIndex | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        wanted = 1 if self.classes.exclusive else len(self.classes)
        if len(self.planes) != wanted:
            raise LabelError(f"{wanted} label planes are needed; {len(self.planes)} were given.")
        for plane in self.planes:
            if plane.dtype != np.int32 or plane.ndim != len(self.axes):
                raise LabelError(
                    f"A label plane must be int32 with axes {''.join(self.axes)}; "
                    f"{plane.dtype} of shape {plane.shape} was given."
                )

    @classmethod
    def empty(
        cls, shape: tuple[int, ...], classes: ClassMap, axes: Axes, calibration: Calibration
    ) -> LabelMap:
        """Return a map without objects."""
        count = 1 if classes.exclusive else len(classes)
        planes = tuple(np.zeros(shape, np.int32) for _ in range(count))
        return cls(planes, {}, classes, axes, calibration)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a plane."""
        return tuple(int(n) for n in self.planes[0].shape)

    @property
    def next_label(self) -> int:
        """The smallest number above all objects that are or were here."""
        return max(self.last_label, max(self.object_classes, default=0)) + 1

    @property
    def index(self) -> ObjectIndex:
        """Box and size of each object; built on first use (it looks at everything once)."""
        if self._index is None:
            self._index = ObjectIndex.of(self.planes)
        return self._index

    def record(self, number: int) -> ObjectRecord:
        """Return what there is to say about one object.

        Raises
        ------
        LabelError
            If there is no such object.
        """
        value = self.class_of(number)
        size = self.index.size(number)
        box = self.index.box(number)
        return ObjectRecord(number, value, size, box, number in self.checked)

    def class_of(self, number: int) -> int:
        """Return the class value of an object.

        Raises
        ------
        LabelError
            If there is no such object.
        """
        if number not in self.object_classes:
            raise LabelError(f"There is no object {number}.")
        return self.object_classes[number]

    def copy(self) -> LabelMap:
        """Return a map that can be edited without changing this one."""
        return replace(
            self,
            planes=tuple(plane.copy() for plane in self.planes),
            object_classes=dict(self.object_classes),
            checked=set(self.checked),
            complete=set(self.complete),
            _index=None,
        )

    def restart(self, object_classes: dict[int, int], checked: set[int]) -> None:
        """Take over a table that belongs to planes which were written as a whole.

        For a map in the making alone; a map that is in a history changes by `apply`.
        """
        self.object_classes, self.checked = object_classes, checked
        self.last_label = max(object_classes, default=0)
        self._index = None

    def plane_of(self, class_value: int) -> int:
        """Return the index of the plane that holds objects of a class."""
        return 0 if self.classes.exclusive else self.classes.values.index(class_value)

    def class_mask(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return the mask derived from the objects.

        Returns
        -------
        ndarray of uint8
            Class values in the shape of a plane; for overlapping classes 0 and 1 with the
            classes in front ``(class, …)``. 255 where unlabelled and nothing was drawn.
        """
        if self.classes.exclusive:
            mask = self.class_lookup()[self.planes[0]]
            self._hide(mask, self.planes[0])
            return mask
        stacked = np.stack([(plane > 0).astype(np.uint8) for plane in self.planes])
        for mask, plane in zip(stacked, self.planes, strict=True):
            self._hide(mask, plane)
        return stacked

    def class_lookup(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return the class value of each object number, as an array to index with numbers."""
        numbers = np.fromiter(self.object_classes, np.int64, len(self.object_classes))
        lookup = np.zeros(self.next_label, np.uint8)
        lookup[numbers] = np.fromiter(self.object_classes.values(), np.uint8, numbers.size)
        return lookup

    def _hide(self, mask: np.ndarray[Any, np.dtype[np.uint8]], plane: Plane) -> None:
        if self.unlabelled is not None:
            mask[self.unlabelled & (plane == 0)] = UNLABELLED

    def counts(self) -> dict[int, int]:
        """Return the number of objects of each class value."""
        found = dict.fromkeys(self.classes.values, 0)
        for value in self.object_classes.values():
            found[value] += 1
        return found

    def apply(self, edit: Edit, *, fits: bool = False) -> None:
        """Change the planes and the table as `edit` says; `revision` grows by one.

        Parameters
        ----------
        edit : Edit
        fits : bool
            It was made for this very state just now and need not be compared with it.

        Raises
        ------
        LabelError
            If what is here is not what the edit was made for.
        """
        if not (fits or self._fits(edit)):
            raise LabelError(
                f"{edit.tool} was made for another state of the labels and was not applied."
            )
        for change in edit.changes:
            self._write(plain(change))
        self._update_table(edit.classes_after)
        self.checked -= edit.unchecked
        self.checked |= edit.checked
        self.complete -= edit.reopened
        self.complete |= edit.completed
        self.revision += 1

    def _fits(self, edit: Edit) -> bool:
        table = self.object_classes
        return all(table.get(n) == value for n, value in edit.classes_before.items()) and all(
            _holds(self.planes[change.plane], change) for change in map(plain, edit.changes)
        )

    def _write(self, change: PlainChange) -> None:
        plane = self.planes[change.plane]
        if change.mask.size < LARGE or not plane.flags.c_contiguous:
            plane[change.box][change.mask] = change.after
        else:
            survey.write(
                survey.four(plane),
                survey.corner(change.box),
                survey.four(np.ascontiguousarray(change.mask)),
                change.after,
            )
        self.last_label = max(self.last_label, int(change.after.max(initial=0)))
        if self._index is not None:
            self._index.update(change)

    def _update_table(self, classes_after: Mapping[int, int | None]) -> None:
        for number, value in classes_after.items():
            self.last_label = max(self.last_label, number)
            if value is None:
                self.object_classes.pop(number, None)
                self.checked.discard(number)
            else:
                self.object_classes[number] = value


def _holds(plane: Plane, change: PlainChange) -> bool:
    if change.mask.size < LARGE or not plane.flags.c_contiguous:
        return np.array_equal(plane[change.box][change.mask], change.before)
    start = survey.corner(change.box)
    return survey.holds(
        survey.four(plane), start, survey.four(np.ascontiguousarray(change.mask)), change.before
    )
