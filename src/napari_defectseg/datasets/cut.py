"""Image, mask and objects of a region, checked against the classes of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.classes import BACKGROUND, UNLABELLED, ClassMap
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.datasets.manifest import Event, Region, region_of
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap

Mask = np.ndarray[Any, np.dtype[np.uint8]]
Instances = np.ndarray[Any, np.dtype[np.int32]]


@dataclass(frozen=True)
class Cut:
    """What one pair is made of.

    Parameters
    ----------
    image : CalibratedImage
        The region's pixels, in memory.
    mask : ndarray of uint8
        Class values; where classes may overlap 0 and 1 with the classes in front.
    instances : ndarray of int32 or None
        Objects in the same layout.
    region : tuple of (start, stop) or None
        Where it was cut out; None: everything.
    """

    image: CalibratedImage
    mask: Mask
    instances: Instances | None
    region: Region | None

    @property
    def mask_axes(self) -> Axes:
        """Axes of mask and objects."""
        axes = self.image.label_axes
        return axes if self.mask.ndim == len(axes) else ("c", *axes)


def cut(
    image: CalibratedImage,
    labels: LabelMap | np.ndarray[Any, Any],
    classes: ClassMap,
    *,
    region: Sequence[slice] | None = None,
    instances: np.ndarray[Any, Any] | None = None,
) -> Cut:
    """Return the image and truth of a region.

    Parameters
    ----------
    image : CalibratedImage
    labels : LabelMap or ndarray
        Labels of the whole image, or of the region alone. An array holds class values
        (``0`` background, ``255`` unlabelled), or 0 and 1 with the classes in front where
        classes may overlap; true and false are taken for a single class.
    classes : ClassMap
        The classes of the dataset.
    region : sequence of slice, optional
        One an axis of the mask.
    instances : ndarray of int, optional
        Objects in the layout of the mask; those of a `LabelMap` are taken by themselves.

    Notes
    -----
    Pixels that the image has no finite value for count as unlabelled.

    Raises
    ------
    DatasetError
        If shapes, classes or values do not fit; the sentence says which.
    """
    place = None if region is None else region_of(region, image.label_shape)
    part = image if place is None else _cut_image(image, place)
    if isinstance(labels, LabelMap):
        _same_classes(labels.classes, classes)
        instances = _planes(labels) if instances is None else instances
        labels = labels.class_mask()
    mask = class_mask(_fit(labels, image, part, place, classes), classes)
    objects = None if instances is None else _fit(instances, image, part, place, classes)
    pixels = replace(part, data=part.read(), levels=())
    return Cut(
        pixels,
        _hide_missing(mask, pixels),
        None if objects is None else _int32(objects),
        place,
    )


def class_mask(array: np.ndarray[Any, Any], classes: ClassMap) -> Mask:
    """Return `array` as a mask of uint8 with the values of `classes`.

    Raises
    ------
    DatasetError
        If it holds other values.
    """
    if array.dtype == bool:
        if len(classes) > 1 and classes.exclusive:
            raise DatasetError(
                f"A mask of true and false does not say which of {', '.join(classes.names)} is "
                "meant.",
                hint="Give class values instead.",
            )
        value = classes.values[0] if classes.exclusive else 1
        return array.astype(np.uint8) * np.uint8(value)
    if array.dtype.kind not in "iu":
        raise DatasetError(f"A mask holds whole numbers; this one holds {array.dtype}.")
    allowed = {BACKGROUND, UNLABELLED, *(classes.values if classes.exclusive else (1,))}
    strange = sorted(set(np.unique(array).tolist()) - allowed)
    if strange:
        known = ", ".join(f"{item.value} {item.name}" for item in classes)
        raise DatasetError(
            f"The mask holds {', '.join(map(str, strange[:5]))}, which is no class of this "
            f"dataset ({known if classes.exclusive else '0 and 1 in each class plane'}).",
            hint="0 is background and 255 unlabelled.",
        )
    return array.astype(np.uint8)


def count_pixels(mask: Mask, classes: ClassMap) -> dict[str, int]:
    """Return the pixels of each class, of ``background``, and ``unlabelled``.

    Where classes overlap, background and unlabelled count pixels that are so in every plane.
    """
    if classes.exclusive:
        each = {c.name: int(np.count_nonzero(mask == c.value)) for c in classes}
        background, unlabelled = mask == BACKGROUND, mask == UNLABELLED
    else:
        planes = zip(classes, mask, strict=True)
        each = {c.name: int(np.count_nonzero(plane == 1)) for c, plane in planes}
        background, unlabelled = (mask == BACKGROUND).all(0), (mask == UNLABELLED).all(0)
    return {
        **each,
        "background": int(np.count_nonzero(background)),
        "unlabelled": int(np.count_nonzero(unlabelled)),
    }


def new_event(made: Cut, classes: ClassMap, **known: Any) -> Event:
    """Return the event that announces a new pair; `known` are its other fields."""
    image = made.image
    return Event(
        what="added",
        axes="".join(image.axes),
        shape=image.shape,
        pixel_size=image.calibration.spacing,
        unit=image.calibration.unit,
        pixel_size_source=image.calibration.source,
        pixels=count_pixels(made.mask, classes),
        **known,
    )


def _cut_image(image: CalibratedImage, place: Region) -> CalibratedImage:
    spans = zip(image.label_axes, place, strict=True)
    at = {name: slice(start, stop) for name, (start, stop) in spans}
    return replace(image, data=image.read(**at), levels=())


def _fit(
    array: np.ndarray[Any, Any],
    image: CalibratedImage,
    part: CalibratedImage,
    place: Region | None,
    classes: ClassMap,
) -> np.ndarray[Any, Any]:
    front = () if classes.exclusive else (len(classes),)
    shape = tuple(array.shape)
    if shape == front + part.label_shape:
        return np.asarray(array)
    if place is not None and shape == front + image.label_shape:
        inside = tuple(slice(start, stop) for start, stop in place)
        return np.asarray(array)[(slice(None),) * len(front) + inside]
    planes = "" if classes.exclusive else f" with {len(classes)} class planes in front"
    raise DatasetError(
        f"The labels have the shape {shape}; {image.name} needs {part.label_shape}{planes}."
    )


def _same_classes(given: ClassMap, wanted: ClassMap) -> None:
    if given.exclusive != wanted.exclusive or [(c.value, c.name) for c in given] != [
        (c.value, c.name) for c in wanted
    ]:
        raise DatasetError(
            f"The labels have the classes {_spell(given)}; the dataset has {_spell(wanted)}.",
            hint="Give the labels the classes of the dataset, or use another dataset.",
        )


def _spell(classes: ClassMap) -> str:
    overlap = "" if classes.exclusive else " (overlapping)"
    return ", ".join(f"{item.value} {item.name}" for item in classes) + overlap


def _planes(labels: LabelMap) -> Instances:
    return labels.planes[0] if labels.classes.exclusive else np.stack(labels.planes)


def _int32(array: np.ndarray[Any, Any]) -> Instances:
    limits = np.iinfo(np.int32)
    if array.dtype.kind not in "iu" or int(array.min()) < 0 or int(array.max()) > limits.max:
        raise DatasetError("Objects are numbered with whole numbers from 0 to 2147483647.")
    return array.astype(np.int32)


def _hide_missing(mask: Mask, image: CalibratedImage) -> Mask:
    if image.dtype.kind != "f":
        return mask
    pixels = np.asarray(image.data)
    missing = ~np.isfinite(pixels)
    if "c" in image.axes:
        missing = missing.any(axis=image.axes.index("c"))
    if missing.any():
        mask = mask.copy()
        mask[..., missing] = UNLABELLED
    return mask
