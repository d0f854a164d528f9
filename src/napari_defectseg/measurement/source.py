"""`Source`: numbered objects in one form, whatever they came as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import UNLABELLED, ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.masks import label_mask
from napari_defectseg.measurement.plane import ArrayPlane, Labels, Plane

DENSE = 1 << 22
"""Object numbers up to here (or up to the number of pixels) index a table directly."""


@dataclass(frozen=True)
class Source:
    """Objects to be measured.

    Parameters
    ----------
    planes : tuple of Plane
        Object planes; one, or one a class where classes overlap.
    axes : tuple of str
        Axes of a plane.
    calibration : Calibration
    classes : ClassMap or None
        None: the objects have no classes.
    class_of : tuple of ndarray of uint8
        For each plane the class value of each number in it; 0: none.
    names : tuple of (ndarray of int64 or None)
        For each plane what its numbers are called; None: by themselves.
    unlabelled : ndarray of bool or None
        Where nobody has looked.
    notes : tuple of str
        What a person should know about how the input was read.
    """

    planes: tuple[Plane, ...]
    axes: Axes
    calibration: Calibration
    classes: ClassMap | None
    class_of: tuple[NDArray[np.uint8], ...]
    names: tuple[NDArray[np.int64] | None, ...]
    unlabelled: NDArray[np.bool_] | None = None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a plane."""
        return self.planes[0].shape


def from_labelmap(labels: LabelMap, calibration: Calibration | None = None) -> Source:
    """Return the objects of a label map; its planes are not copied.

    Parameters
    ----------
    labels : LabelMap
    calibration : Calibration or None
        To use instead of the label map's own.
    """
    found = []
    for index, plane in enumerate(labels.planes):
        highest = max(_highest(plane), labels.next_label - 1)
        if labels.classes.exclusive:
            found.append(_lookup(labels.object_classes, highest))
        else:
            found.append(np.full(highest + 1, labels.classes.values[index], np.uint8))
    return Source(
        tuple(map(ArrayPlane, labels.planes)),
        labels.axes,
        calibration or labels.calibration,
        labels.classes,
        tuple(found),
        (None,) * len(labels.planes),
        labels.unlabelled,
    )


def from_array(
    array: NDArray[Any],
    axes: Axes,
    calibration: Calibration,
    *,
    classes: ClassMap | None = None,
    object_classes: Mapping[int, int] | None = None,
    connectivity: int | None = None,
) -> Source:
    """Return the objects of a bare array.

    Arrays of bool and uint8 are masks and are labelled here, and so is any array whose values
    are all class values while no `object_classes` are given. Other whole numbers are object
    numbers. Where `classes` overlap (not exclusive), the first axis of `array` is the class.

    Parameters
    ----------
    array : ndarray of bool or whole numbers
    axes : tuple of str
        Axes without the class axis.
    calibration : Calibration
    classes : ClassMap or None
    object_classes : mapping of int to int or None
        Class value of each object number.
    connectivity : int or None
        For masks.

    Raises
    ------
    MeasurementError
        If the array is neither a mask nor labels, or does not fit the classes.
    """
    _check_whole(array)
    if classes is not None and not classes.exclusive:
        return _from_overlapping(array, axes, calibration, classes, connectivity)
    if object_classes is None and _is_mask(array, classes):
        return _from_mask(array, axes, calibration, classes, connectivity)
    plane, names = _as_labels(array)
    if object_classes is None and classes is not None:
        if len(classes) > 1:
            raise MeasurementError(
                f"{len(classes)} classes were named, but not which object is of which class.",
                hint="Give object_classes, or a mask that holds class values.",
            )
        lookup = np.full(_highest(plane) + 1, classes.values[0], np.uint8)
    else:
        lookup = _lookup_named(object_classes or {}, names, _highest(plane))
    return Source((ArrayPlane(plane),), axes, calibration, classes, (lookup,), (names,))


def _from_mask(
    array: NDArray[Any],
    axes: Axes,
    calibration: Calibration,
    classes: ClassMap | None,
    connectivity: int | None,
) -> Source:
    found = label_mask(array, axes, classes, connectivity)
    return Source(
        (found.plane,),
        axes,
        calibration,
        found.classes,
        (found.class_of,),
        (None,),
        found.unlabelled,
        found.notes,
    )


def _from_overlapping(
    array: NDArray[Any],
    axes: Axes,
    calibration: Calibration,
    classes: ClassMap,
    connectivity: int | None,
) -> Source:
    if array.ndim != len(axes) + 1 or array.shape[0] != len(classes):
        raise MeasurementError(
            f"Overlapping classes need one plane each: {len(classes)} planes in front were "
            f"expected, the shape is {array.shape}."
        )
    parts = []
    for item, channel in zip(classes, array, strict=True):
        if array.dtype in (np.bool_, np.uint8):
            part = _from_mask(channel, axes, calibration, None, connectivity)
        else:
            plane, names = _as_labels(channel)
            lookup = np.zeros(_highest(plane) + 1, np.uint8)
            part = Source((ArrayPlane(plane),), axes, calibration, None, (lookup,), (names,))
        parts.append(replace(part, class_of=(np.full_like(part.class_of[0], item.value),)))
    looked = [part.unlabelled for part in parts if part.unlabelled is not None]
    return Source(
        tuple(part.planes[0] for part in parts),
        axes,
        calibration,
        classes,
        tuple(part.class_of[0] for part in parts),
        tuple(part.names[0] for part in parts),
        np.logical_or.reduce(looked) if looked else None,
    )


def bare_axes(shape: Sequence[int], ndim: int | None) -> Axes:
    """Return the axes of bare labels: yx or zyx, and a t in front of `ndim` spatial axes.

    Raises
    ------
    MeasurementError
        If labels of that shape cannot be.
    """
    spatial = len(shape) if ndim is None and len(shape) < 4 else ndim or 3
    names = axis_names.SPATIAL[-spatial:]
    if spatial not in (2, 3) or len(shape) not in (spatial, spatial + 1):
        raise MeasurementError(
            f"Labels of shape {tuple(shape)} do not fit {spatial} pixel sizes.",
            hint="Give one pixel size for each spatial axis: (y, x) or (z, y, x).",
        )
    return names if len(shape) == spatial else ("t", *names)


def _is_mask(array: NDArray[Any], classes: ClassMap | None) -> bool:
    if array.dtype in (np.bool_, np.uint8):
        return True
    if classes is None or array.size == 0:
        return False
    if array.min() < 0 or array.max() > UNLABELLED:
        return False
    seen = set(np.flatnonzero(np.bincount(array.reshape(-1).astype(np.int64))).tolist())
    return seen <= {0, UNLABELLED, *classes.values}


def _check_whole(array: NDArray[Any]) -> None:
    if array.dtype.kind not in "bui":
        raise MeasurementError(
            f"Labels are whole numbers; these are {array.dtype}.",
            hint="Apply a threshold to probabilities first, or round the labels.",
        )
    if array.dtype.kind == "i" and array.size and array.min() < 0:
        raise MeasurementError(f"Labels are 0 or more; {array.min()} was found.")


def _as_labels(array: NDArray[Any]) -> tuple[Labels, NDArray[np.int64] | None]:
    if _highest(array) <= max(DENSE, array.size):
        return np.ascontiguousarray(array, np.int32), None
    names, inverse = np.unique(array, return_inverse=True)
    if names[0] != 0:
        names, inverse = np.insert(names, 0, 0), inverse + 1
    return inverse.reshape(array.shape).astype(np.int32), names.astype(np.int64)


def _highest(array: NDArray[Any]) -> int:
    return int(array.max(initial=0))


def _lookup(classes: Mapping[int, int], highest: int) -> NDArray[np.uint8]:
    lookup = np.zeros(highest + 1, np.uint8)
    numbers = np.fromiter(classes.keys(), np.int64, len(classes))
    values = np.fromiter(classes.values(), np.uint8, len(classes))
    here = (numbers >= 0) & (numbers <= highest)
    lookup[numbers[here]] = values[here]
    return lookup


def _lookup_named(
    classes: Mapping[int, int], names: NDArray[np.int64] | None, highest: int
) -> NDArray[np.uint8]:
    if names is None:
        return _lookup(classes, highest)
    return np.array([classes.get(int(name), 0) for name in names], np.uint8)
