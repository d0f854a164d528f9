"""`LabelMap`: the truth under the brush."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.labels.edit import Edit

Plane = np.ndarray[Any, np.dtype[np.int32]]


@dataclass
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
    revision : int
        Number of edits applied so far.
    provenance : Provenance or None
    """

    planes: tuple[Plane, ...]
    object_classes: dict[int, int]
    classes: ClassMap
    axes: Axes
    calibration: Calibration
    checked: set[int] = field(default_factory=set)
    unlabelled: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    revision: int = 0
    provenance: Provenance | None = None

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
        return max(self.object_classes, default=0) + 1

    def plane_of(self, class_value: int) -> int:
        """Return the index of the plane that holds objects of a class."""
        return 0 if self.classes.exclusive else self.classes.values.index(class_value)

    def class_mask(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return the mask derived from the objects.

        Returns
        -------
        ndarray of uint8
            Class values in the shape of a plane; for overlapping classes 0 and 1 with the
            classes in front ``(class, …)``. 255 where unlabelled.
        """
        lookup = np.zeros(self.next_label, np.uint8)
        for number, value in self.object_classes.items():
            lookup[number] = value
        if self.classes.exclusive:
            mask = lookup[self.planes[0]]
            if self.unlabelled is not None:
                mask[self.unlabelled] = 255
            return mask
        stacked = np.stack([(plane > 0).astype(np.uint8) for plane in self.planes])
        if self.unlabelled is not None:
            stacked[:, self.unlabelled] = 255
        return stacked

    def counts(self) -> dict[int, int]:
        """Return the number of objects of each class value."""
        found = dict.fromkeys(self.classes.values, 0)
        for value in self.object_classes.values():
            found[value] += 1
        return found

    def apply(self, edit: Edit) -> None:
        """Change the planes and the table as `edit` says; `revision` grows by one.

        Raises
        ------
        LabelError
            If what is here is not what the edit was made for.
        """
        plane = self.planes[edit.plane]
        here = plane[edit.box]
        if not np.array_equal(here[edit.mask], edit.before):
            raise LabelError(
                f"{edit.tool} was made for another state of the labels and was not applied."
            )
        here[edit.mask] = edit.after
        self._update_table(edit.classes_after)
        self.checked -= edit.unchecked
        self.checked |= edit.checked
        self.revision += 1

    def _update_table(self, classes_after: Mapping[int, int | None]) -> None:
        for number, value in classes_after.items():
            if value is None:
                self.object_classes.pop(number, None)
                self.checked.discard(number)
            else:
                self.object_classes[number] = value
