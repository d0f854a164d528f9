"""Scores → mask → objects: thresholds, smallest object, holes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.labels.construct import frames, from_mask
from napari_defectseg.labels.found import FoundObjects
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.whole import holes_of
from napari_defectseg.labels.winner import choose, pick

Task: TypeAlias = Literal["exclusive", "binary", "multilabel"]
Scores: TypeAlias = Any
"""Probabilities (channel, *axes): numpy, or anything lazy that slices to numpy (zarr)."""
Values = np.ndarray[Any, np.dtype[np.uint8]]
DEFAULT = 0.5
SLAB = 1 << 24


@dataclass(frozen=True)
class DecodeSettings:
    """How scores become objects.

    Parameters
    ----------
    thresholds : mapping of str to float or None
        Least probability by class name. A class that is missing, or None: 0.5, or for exclusive
        classes the best class wins.
    min_size : float
        Smaller objects are left out; pixels, or voxels in 3D.
    fill_holes : bool
        Fill background that an object encloses.
    connectivity : int or None
        How many axes a step between neighbours may take; None: all (8 in 2D, 26 in 3D).
    """

    thresholds: Mapping[str, float | None] = field(default_factory=dict)
    min_size: float = 0.0
    fill_holes: bool = False
    connectivity: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.thresholds.items():
            if value is not None and not 0 <= value <= 1:
                raise LabelError(
                    f"The threshold of {name} is {value}.", hint="Choose one from 0 to 1."
                )
        if not self.min_size >= 0:
            raise LabelError(f"The smallest object has {self.min_size} px; it cannot be negative.")


def decode(
    scores: Scores,
    classes: ClassMap,
    axes: Axes,
    calibration: Calibration,
    *,
    task: Task,
    settings: DecodeSettings | None = None,
    provenance: Provenance | None = None,
) -> LabelMap:
    """Return the objects that scores show.

    Parameters
    ----------
    scores : array-like of float, shape (channel, *axes)
        Probabilities. Exclusive: the background, then the classes in order (or the classes
        alone, where the model has no background); binary: one channel; multi-label: one a class.
    classes : ClassMap
    axes : tuple of str
        Axes without the channel, for example ``("t", "y", "x")``. Objects are found frame by
        frame along t and in three dimensions along z; their numbers are unique over all.
    calibration : Calibration
    task : {"exclusive", "binary", "multilabel"}
    settings : DecodeSettings, optional
    provenance : Provenance, optional

    Returns
    -------
    LabelMap

    Raises
    ------
    LabelError
        If channels, classes and task do not fit, or a threshold names no class.
    """
    settings = settings or DecodeSettings()
    mask = class_values(scores, classes, task, settings)
    if settings.fill_holes:
        _fill(mask, classes, axes, task)
    return from_mask(
        mask,
        classes,
        axes,
        calibration,
        connectivity=settings.connectivity,
        min_size=settings.min_size,
        provenance=provenance,
    )


def decode_mask(
    scores: Scores,
    classes: ClassMap,
    *,
    task: Task,
    settings: DecodeSettings | None = None,
    axes: Axes | None = None,
) -> Values:
    """Return the mask that scores show: `decode`'s objects as class values.

    Parameters
    ----------
    scores, classes, task, settings
        As for `decode`.
    axes : tuple of str, optional
        Axes without the channel; default: the last of t, z, y, x. Only holes and the smallest
        object depend on them.

    Returns
    -------
    ndarray of uint8
        Class values, shape (*axes); multi-label: 0 and 1, shape (class, *axes).

    Raises
    ------
    LabelError
        As for `decode`.
    """
    settings = settings or DecodeSettings()
    if settings.min_size <= 1 and not settings.fill_holes:
        return class_values(scores, classes, task, settings)
    ndim = len(scores.shape) - 1
    names = axes or ("t", "z", "y", "x")[-ndim:]
    mask = class_values(scores, classes, task, settings)
    if settings.fill_holes:
        _fill(mask, classes, names, task)
    for plane in mask if task == "multilabel" else [mask]:
        for frame in frames(plane, names):
            found = FoundObjects.of(
                frame, connectivity=settings.connectivity, min_size=settings.min_size
            )
            kept = np.zeros(frame.shape, np.uint8)
            found.draw_classes(kept)
            frame[...] = kept
    return mask


def object_scores(labelmap: LabelMap, scores: Scores) -> dict[int, float]:
    """Return the mean probability of its own class for each object.

    Parameters
    ----------
    labelmap : LabelMap
    scores : array-like of float, shape (channel, *axes)
        As for `decode`.
    """
    size = labelmap.next_label
    total, count = np.zeros(size), np.zeros(size, np.int64)
    first = int(scores.shape[0]) - len(labelmap.classes)
    lookup = labelmap.class_lookup()
    for slab in _slabs(labelmap.shape):
        for channel, item in enumerate(labelmap.classes, start=first):
            numbers = labelmap.planes[labelmap.plane_of(item.value)][slab]
            own = lookup[numbers] == item.value
            chosen = numbers[own]
            probabilities = np.asarray(scores[(channel, *slab)])[own]
            total += np.bincount(chosen, probabilities, size)
            count += np.bincount(chosen, minlength=size)
    return {
        number: float(total[number] / count[number])
        for number in labelmap.object_classes
        if count[number]
    }


def class_values(scores: Scores, classes: ClassMap, task: Task, settings: DecodeSettings) -> Values:
    """Return the class of each pixel, before holes are filled and small objects left out.

    Parameters
    ----------
    scores, classes, task, settings
        As for `decode`; a block of the scores gives the same block of the mask.

    Returns
    -------
    ndarray of uint8
        As for `decode_mask`.

    Raises
    ------
    LabelError
        As for `decode`.
    """
    _check(tuple(scores.shape), classes, task, settings)
    shape = tuple(int(n) for n in scores.shape[1:])
    wanted = [settings.thresholds.get(name) for name in classes.names]
    overlapping = task == "multilabel"
    mask = np.empty((len(classes), *shape) if overlapping else shape, np.uint8)
    for slab in _slabs(shape):
        part = np.asarray(scores[(slice(None), *slab)])
        if overlapping:
            for channel, value in enumerate(wanted):
                limit = DEFAULT if value is None else value
                mask[channel][slab] = part[channel] >= limit
        elif task == "binary":
            limit = DEFAULT if wanted[0] is None else wanted[0]
            mask[slab] = (part[0] >= limit).view(np.uint8) * np.uint8(classes.values[0])
        else:
            mask[slab] = _best(part, classes.values, wanted)
    return mask


def _best(
    part: np.ndarray[Any, Any], values: tuple[int, ...], wanted: list[float | None]
) -> Values:
    """Return the class value of the best class, or 0, for each pixel."""
    flat = np.ascontiguousarray(part, np.float32).reshape(part.shape[0], -1)
    limits = np.array([np.nan if value is None else value for value in wanted], np.float32)
    out = np.empty(flat.shape[1], np.uint8)
    choose(flat, np.array(values, np.uint8), limits, out)
    return out.reshape(part.shape[1:])


def _slabs(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    row = max(1, int(np.prod(shape[1:])))
    step = max(1, SLAB // row)
    for start in range(0, shape[0], step):
        yield (slice(start, min(start + step, shape[0])), *(slice(0, n) for n in shape[1:]))


def _check(shape: tuple[int, ...], classes: ClassMap, task: Task, settings: DecodeSettings) -> None:
    for name in settings.thresholds:
        classes.by_name(name)
    count, channels = len(classes), shape[0]
    allowed = {"exclusive": (count, count + 1), "binary": (1,), "multilabel": (count,)}[task]
    if channels not in allowed or (task == "binary" and count != 1):
        raise LabelError(
            f"Scores with {channels} channels do not fit {count} {task} classes "
            f"({', '.join(classes.names)})."
        )
    if (task == "multilabel" and classes.exclusive) or (
        task == "exclusive" and not classes.exclusive
    ):
        raise LabelError(f"The classes say that they are not {task}, but the model is.")


def _fill(mask: Values, classes: ClassMap, axes: Axes, task: Task) -> None:
    """Fill holes in place, class by class and frame by frame; other classes in them stay."""
    planes = mask if task == "multilabel" else [mask] * len(classes)
    for plane, value in zip(planes, classes.values, strict=True):
        own = 1 if task == "multilabel" else value
        for frame in frames(plane, axes):
            frame[holes_of(frame == own) & (frame == 0)] = own


def own_scores(
    scores: np.ndarray[Any, Any], mask: Values, classes: ClassMap, task: Task
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return for each pixel the score of the class that it has, 0 for the background.

    Parameters
    ----------
    scores : ndarray of float, shape (channel, *axes)
    mask : ndarray of uint8
        From `class_values`.
    classes, task
        As for `decode`.

    Returns
    -------
    ndarray of float32, shape of `mask`
    """
    found = np.ascontiguousarray(scores[scores.shape[0] - len(classes) :], np.float32)
    if task == "multilabel":
        return np.where(mask > 0, found, np.float32(0))
    out = np.empty(mask.size, np.float32)
    values = np.array(classes.values, np.uint8)
    pick(found.reshape(len(found), -1), values, np.ascontiguousarray(mask).reshape(-1), out)
    return out.reshape(mask.shape)
