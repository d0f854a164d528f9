"""`Labelled`: the objects of a class mask, found as runs and numbered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.label import classes_of_runs, full_connectivity, number_runs
from napari_defectseg.components.runs import Runs, find_runs
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.plane import RunPlane


@dataclass(frozen=True)
class Labelled:
    """Objects of a mask.

    Parameters
    ----------
    plane : RunPlane
    class_of : ndarray of uint8
        Class value of each number.
    classes : ClassMap or None
        As given, or ``class 1``, ``class 2`` … where several values were found.
    unlabelled : ndarray of bool or None
        Where nobody has looked.
    notes : tuple of str
        What a person should know about how the mask was read.
    """

    plane: RunPlane
    class_of: NDArray[np.uint8]
    classes: ClassMap | None
    unlabelled: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()


def label_mask(
    array: NDArray[Any], axes: Axes, classes: ClassMap | None, connectivity: int | None
) -> Labelled:
    """Find and number the objects of a mask, frame by frame.

    Parameters
    ----------
    array : ndarray of bool or class values
    axes : tuple of str
    classes : ClassMap or None
    connectivity : int or None

    Raises
    ------
    MeasurementError
        If a value is no class.
    LabelError
        If the connectivity means nothing.
    """
    mask = array if array.dtype == np.bool_ else array.astype(np.uint8, copy=False)
    frames = [find_runs(frame) for frame in (mask if "t" in axes else mask[None])]
    unlabelled: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()
    values, blank = _values(frames)
    if blank and not values and classes is None:
        frames = [runs.with_values(np.ones(len(runs), np.uint8)) for runs in frames]
        notes = ("The mask holds 0 and 255 alone: 255 was taken for objects, not for unlabelled.",)
    elif mask.dtype != np.bool_:
        classes = _known(values, classes)
        if blank:
            frames = [runs.without(UNLABELLED) for runs in frames]
            unlabelled = mask == UNLABELLED
            notes = ("All of the mask is unlabelled (255).",) if unlabelled.all() else ()
    near = full_connectivity(len(axes) - ("t" in axes), connectivity)
    plane, class_of = _numbered(mask.shape, frames, near)
    return Labelled(plane, class_of, classes, unlabelled, notes)


def _values(frames: Sequence[Runs]) -> tuple[list[int], bool]:
    """Return the class values that occur, and whether 255 does."""
    seen = np.zeros(256, bool)
    for runs in frames:
        seen[runs.value] = True
    found = np.flatnonzero(seen).tolist()
    return [value for value in found if value != UNLABELLED], bool(seen[UNLABELLED])


def _known(values: list[int], classes: ClassMap | None) -> ClassMap | None:
    if classes is None:
        return None if values in ([], [1]) else _numbered_classes(values)
    strange = sorted(set(values) - set(classes.values))
    if strange:
        raise MeasurementError(
            f"The mask holds the value {strange[0]}, which is no class.",
            hint=f"Known: {', '.join(f'{c.value} {c.name}' for c in classes)}.",
        )
    return classes


def _numbered_classes(values: list[int]) -> ClassMap:
    named = ClassMap.of([f"class {value}" for value in range(1, max(values) + 1)])
    return ClassMap(tuple(item for item in named if item.value in values))


def _numbered(
    shape: tuple[int, ...], frames: Sequence[Runs], connectivity: int
) -> tuple[RunPlane, NDArray[np.uint8]]:
    numbered, values, total = [], [np.zeros(1, np.uint8)], 0
    for runs in frames:
        names, count = number_runs(runs, connectivity)
        values.append(classes_of_runs(runs, names, count)[1:])
        numbered.append(runs.with_values(names + np.int32(total)))
        total += count
    return RunPlane(shape, tuple(numbered)), np.concatenate(values)
