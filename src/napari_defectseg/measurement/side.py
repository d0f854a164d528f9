"""`Side`: truth or prediction in one form, class by class, to be compared with the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.source import Source, from_array, from_labelmap

Masks = LabelMap | NDArray[Any]


@dataclass(frozen=True)
class View:
    """The objects of one class.

    Parameters
    ----------
    labels : ndarray of int32
        Object numbers, those of other classes perhaps among them.
    own : ndarray of bool
        Which numbers are of this class.
    unlabelled : ndarray of bool or None
        Where nobody has looked for this class.
    """

    labels: NDArray[np.int32]
    own: NDArray[np.bool_]
    unlabelled: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Side:
    """Truth or prediction.

    Parameters
    ----------
    views : dict of int to View
        By class value.
    shape : tuple of int
        Without the class axis.
    found : frozenset of int
        Class values that occur.
    notes : tuple of str
    """

    views: dict[int, View]
    shape: tuple[int, ...]
    found: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()

    def view(self, value: int) -> View:
        """Return the objects of a class; none where the class is not there."""
        if value in self.views:
            return self.views[value]
        some = next(iter(self.views.values()))
        return View(some.labels, np.zeros_like(some.own), some.unlabelled)


def read_side(
    masks: Masks, axes: Axes, classes: ClassMap | None, *, planes: bool, connectivity: int | None
) -> Side:
    """Return the objects of each class.

    Parameters
    ----------
    masks : LabelMap or ndarray
    axes : tuple of str
        Axes without the class axis.
    classes : ClassMap or None
        None: every value of a mask is a class; objects without class are of class 1.
    planes : bool
        Whether the first axis of an array is the class.
    connectivity : int or None

    Raises
    ------
    MeasurementError
        If the masks do not fit the classes.
    """
    if isinstance(masks, LabelMap):
        return _of_labelmap(masks, classes or masks.classes)
    uncalibrated = Calibration.uncalibrated(len(axes) - ("t" in axes))
    if not planes:
        exclusive = None if classes is None else ClassMap(classes.classes)
        source = from_array(masks, axes, uncalibrated, classes=exclusive, connectivity=connectivity)
        return _of_source(source, None if classes is None else classes.values, masks.dtype)
    assert classes is not None
    if masks.shape[0] != len(classes):
        raise MeasurementError(
            f"{len(classes)} classes that may overlap need one plane each in front; the shape is "
            f"{masks.shape}."
        )
    views, shape = {}, masks.shape[1:]
    for item, channel in zip(classes, masks, strict=True):
        views[item.value] = _of_channel(channel, axes, uncalibrated, connectivity)
    return Side(views, shape)


def _of_channel(
    channel: NDArray[Any], axes: Axes, uncalibrated: Calibration, connectivity: int | None
) -> View:
    unlabelled = None
    if channel.dtype == np.uint8:
        looked = channel != UNLABELLED
        unlabelled = None if looked.all() else ~looked
        channel = (channel > 0) & looked
    source = from_array(channel, axes, uncalibrated, connectivity=connectivity)
    return View(source.planes[0].array, _own(np.ones_like(source.class_of[0]), 1), unlabelled)


def _of_source(source: Source, values: tuple[int, ...] | None, dtype: np.dtype[Any]) -> Side:
    class_of, notes = source.class_of[0], source.notes
    if source.classes is None:
        class_of = np.maximum(class_of, 1)
    if values is None and dtype not in (np.bool_, np.uint8):
        notes += (f"Whole numbers of type {dtype} were taken for object numbers, not classes.",)
    found = frozenset(np.unique(class_of[1:]).tolist())
    views = {
        value: View(source.planes[0].array, _own(class_of, value), source.unlabelled)
        for value in values or sorted(found) or (1,)
    }
    return Side(views, source.shape, found, notes)


def _own(class_of: NDArray[np.uint8], value: int) -> NDArray[np.bool_]:
    own: NDArray[np.bool_] = class_of == value
    own[0] = False
    return own


def _of_labelmap(labels: LabelMap, classes: ClassMap) -> Side:
    """Return its objects; its classes are found by name, their values may differ."""
    source = from_labelmap(labels)
    strange = set(labels.classes.names) - set(classes.names)
    present = set(labels.object_classes.values())
    strange = {name for name in strange if labels.classes.by_name(name).value in present}
    if strange:
        raise MeasurementError(
            f"There are objects of class {sorted(strange)[0]!r}, which is not compared.",
            hint=f"Compared are {', '.join(classes.names)}.",
        )
    views = {}
    for item in labels.classes:
        if item.name in classes.names:
            index = labels.plane_of(item.value)
            own = _own(source.class_of[index], item.value)
            view = View(source.planes[index].array, own, labels.unlabelled)
            views[classes.by_name(item.name).value] = view
    if not views:
        raise MeasurementError(
            f"None of the classes {', '.join(labels.classes.names)} is compared.",
            hint=f"Compared are {', '.join(classes.names)}.",
        )
    return Side(views, labels.shape)
