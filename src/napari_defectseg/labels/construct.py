"""Label maps from masks and from numbered objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import BACKGROUND, UNLABELLED, ClassMap
from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.labels.edit import Numbers
from napari_defectseg.labels.found import FoundObjects
from napari_defectseg.labels.index import ObjectIndex
from napari_defectseg.labels.labelmap import LabelMap

Array = np.ndarray[Any, Any]


def from_mask(
    mask: Array,
    classes: ClassMap,
    axes: Axes,
    calibration: Calibration,
    *,
    connectivity: int | None = None,
    min_size: float = 0.0,
    provenance: Provenance | None = None,
) -> LabelMap:
    """Return the connected objects of a mask.

    Parameters
    ----------
    mask : ndarray of uint8 or bool
        Class values, shape (*axes), 0 background, 255 unlabelled; for classes that may overlap
        0, 1 and 255, shape (class, *axes).
    classes : ClassMap
    axes : tuple of str
        Axes of a plane. Objects are found frame by frame along t.
    calibration : Calibration
    connectivity : int or None
        How many axes a step between neighbours may take; None: all.
    min_size : float
        Smaller objects (pixels, voxels) are left out.
    provenance : Provenance, optional

    Raises
    ------
    LabelError
        If the shape does not fit, or a value is no class.
    """
    stack = _stack(mask, classes, axes)
    planes: list[Numbers] = []
    table: dict[int, int] = {}
    index = ObjectIndex(len(axes))
    left_out = 0
    unlabelled: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    for layer, values in zip(stack, _class_values(classes), strict=True):
        hidden = layer == UNLABELLED
        if hidden.any():
            layer = np.where(hidden, BACKGROUND, layer)
            unlabelled = hidden if unlabelled is None else unlabelled | hidden
        plane, found, small = _objects(layer, axes, connectivity, min_size, index)
        planes.append(plane)
        left_out += small
        table |= {number: values[value] for number, value in found.items()}
    return LabelMap(
        tuple(planes),
        table,
        classes,
        axes,
        calibration,
        unlabelled=unlabelled,
        provenance=provenance,
        left_out=left_out,
        _index=index,
    )


def from_instances(
    instances: Array,
    object_classes: Mapping[int, int],
    classes: ClassMap,
    axes: Axes,
    calibration: Calibration,
    *,
    unlabelled: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
    provenance: Provenance | None = None,
) -> LabelMap:
    """Return a label map of objects that are numbered already.

    Parameters
    ----------
    instances : ndarray of integers
        Object numbers, shape (*axes), 0 background; one plane a class in front,
        (class, *axes), for classes that may overlap. Copied.
    object_classes : mapping of int to int
        Class value of each object; numbers that are not drawn are left out.
    classes, axes, calibration
        As for `from_mask`.
    unlabelled : ndarray of bool, optional
        Where nobody has looked.
    provenance : Provenance, optional

    Raises
    ------
    LabelError
        If the shape does not fit, an object has no class, or lies in the plane of another.
    """
    stack = _stack(instances, classes, axes)
    table: dict[int, int] = {}
    for place, layer in enumerate(stack):
        for number in np.unique(layer).tolist():
            value = object_classes.get(number)
            if number == BACKGROUND:
                continue
            if number < 0 or value not in classes.values:
                raise LabelError(f"Object {number} has no class that is known ({value}).")
            if number in table or (not classes.exclusive and classes.values[place] != value):
                raise LabelError(f"Object {number} lies in the plane of another class.")
            table[number] = int(value)
    planes = tuple(np.array(layer, np.int32) for layer in stack)
    return LabelMap(
        planes, table, classes, axes, calibration, unlabelled=unlabelled, provenance=provenance
    )


def _stack(array: Array, classes: ClassMap, axes: Axes) -> list[Array]:
    if not classes.exclusive and array.ndim == len(axes) and len(classes) == 1:
        array = array[np.newaxis]
    layers = [array] if classes.exclusive else list(array)
    wanted = 1 if classes.exclusive else len(classes)
    if len(layers) != wanted or any(layer.ndim != len(axes) for layer in layers):
        raise LabelError(
            f"An array of shape {array.shape} does not hold {wanted} planes with axes "
            f"{''.join(axes)}."
        )
    return layers


def _class_values(classes: ClassMap) -> list[dict[int, int]]:
    if classes.exclusive:
        return [{value: value for value in classes.values}]
    return [{1: value, value: value} for value in classes.values]


def _objects(
    layer: Array, axes: Axes, connectivity: int | None, min_size: float, index: ObjectIndex
) -> tuple[Numbers, dict[int, int], int]:
    plane = np.zeros(layer.shape, np.int32)
    table: dict[int, int] = {}
    left_out = 0
    for place, (frame, numbers) in enumerate(
        zip(frames(layer, axes), frames(plane, axes), strict=True)
    ):
        found = FoundObjects.of(frame, connectivity=connectivity, min_size=min_size)
        first = index.sizes.size
        drawn = numbers if numbers.flags.c_contiguous else np.zeros(numbers.shape, np.int32)
        found.draw(drawn, first)
        if drawn is not numbers:
            numbers[...] = drawn
        low, high = (corners[1:, 3 - frame.ndim :] for corners in (found.low, found.high))
        if "t" in axes:
            low = np.insert(low, axes.index("t"), place, axis=1)
            high = np.insert(high, axes.index("t"), place + 1, axis=1)
        index.extend(low, high, found.sizes[1:])
        numbered = range(first, first + len(found))
        table |= dict(zip(numbered, found.values[1:].tolist(), strict=True))
        left_out += found.left_out
    return plane, table, left_out


def frames(array: Array, axes: Axes) -> Iterator[Array]:
    """Yield views of the frames of a series; the array itself where there is no time axis."""
    if "t" in axes:
        yield from np.moveaxis(array, axes.index("t"), 0)
    else:
        yield array
