"""From labels, grey values and scores to `Objects`: frame by frame, slab by slab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement import moments
from napari_defectseg.measurement.grey import Grey
from napari_defectseg.measurement.moments import Sums
from napari_defectseg.measurement.objects import Objects
from napari_defectseg.measurement.source import Source

SLAB = 1 << 20
"""Pixels of a slab: its grey values as float64 stay in the processor's cache."""

Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class Inputs:
    """What belongs to the labels while they are measured.

    Parameters
    ----------
    codes : ndarray of uint8 or None
        In the labels' shape: 0 not counted, 1 counted, 2 counted and at the border;
        None: all is counted.
    grey : Grey or None
    scores : array-like of shape (channel, …) or None
        Probabilities; the channels are the classes in order, perhaps with the background first.
    """

    codes: Codes | None = None
    grey: Grey | None = None
    scores: Any = None

    @property
    def names(self) -> frozenset[str]:
        """Names of the inputs that are there."""
        there = {"image": self.grey is not None, "scores": self.scores is not None}
        return frozenset(name for name, value in there.items() if value)


@dataclass(frozen=True)
class Place:
    """A slab of one frame: its frame, the box it is in, its axis and where it is cut."""

    frame: int
    low: tuple[int, ...]
    high: tuple[int, ...]

    def key(self, moving: bool) -> tuple[int | slice, ...]:
        """Return the index of the slab in an array with the label axes."""
        box = tuple(slice(a, b) for a, b in zip(self.low, self.high, strict=True))
        return (self.frame, *box) if moving else box

    @property
    def offset(self) -> tuple[int, int, int]:
        """Position of the first pixel as (z, y, x)."""
        z, y, x = (0, *self.low)[-3:]
        return z, y, x


def collect(source: Source, inputs: Inputs) -> Objects:
    """Return the sums of all objects, by frame, plane and object number."""
    moving = "t" in source.axes
    frames = source.shape[0] if moving else 1
    shape = source.shape[1:] if moving else source.shape
    found = [
        measure_box(source, inputs, plane, frame, (0,) * len(shape), shape)
        for frame in range(frames)
        for plane in range(len(source.planes))
    ]
    return join(source, inputs, found)


Found = tuple[int, int, NDArray[np.int64], NDArray[np.float64]]
"""Frame, plane, whole-number sums and real sums of the objects in it."""


def measure_box(
    source: Source,
    inputs: Inputs,
    plane: int,
    frame: int,
    low: tuple[int, ...],
    high: tuple[int, ...],
) -> Found:
    """Return the sums of what lies in one box of one plane and frame."""
    moving = "t" in source.axes
    labels = source.planes[plane]
    sums = Sums(len(source.class_of[plane]) - 1)
    channel_of = _channels(source, inputs.scores, plane)
    for place in _slabs(frame, low, high):
        key = place.key(moving)
        part = _volume(labels[key])
        codes = None if inputs.codes is None else _volume(inputs.codes[key])
        grey = None
        if inputs.grey is not None:
            grey = _volume(inputs.grey.read(dict(zip(source.axes, key, strict=True))))
        sums.add(part, place.offset, codes, grey)
        if channel_of is not None:
            scores = np.asarray(inputs.scores[(slice(None), *key)], np.float32)
            sums.add_scores(part, codes, scores.reshape(-1, *part.shape), channel_of)
    whole, real = sums.rows()
    if inputs.codes is None:
        _mark_cut(whole, source.shape[1:] if moving else source.shape)
    return frame, plane, whole, real


def join(source: Source, inputs: Inputs, found: list[Found]) -> Objects:
    """Return what was found in boxes as objects, in the order given."""
    sizes = [len(whole) for _, _, whole, _ in found]
    frame = np.repeat(np.array([item[0] for item in found], np.int64), sizes)
    plane = np.repeat(np.array([item[1] for item in found], np.int64), sizes)
    whole = np.concatenate([item[2] for item in found])
    real = np.concatenate([item[3] for item in found])
    label = whole[:, moments.LABEL].copy()
    values = np.zeros(len(label), np.uint8)
    for index in range(len(source.planes)):
        here = plane == index
        values[here] = source.class_of[index][label[here]]
        names = source.names[index]
        if names is not None:
            label[here] = names[label[here]]
    more = {"time"} if "t" in source.axes else set()
    more |= {"classes"} if source.classes is not None else set()
    return Objects(
        label,
        frame,
        plane,
        values,
        whole,
        real,
        source.axes,
        source.calibration,
        source.classes,
        inputs.names | more,
    )


def border_codes(space: ReferenceSpace | None, source: Source) -> Codes | None:
    """Return what is counted: 0 no, 1 yes, 2 yes and at the border; None where all is.

    A pixel is at the border if a neighbour that shares a face with it in the same frame is
    not counted, or outside the array.

    Raises
    ------
    MeasurementError
        If the reference space has another shape than the labels.
    """
    whole = space is None or (space.roi is None and space.exclude is None)
    if whole and source.unlabelled is None:
        return None
    inside = np.ones(source.shape, bool) if space is None or whole else _fit(space, source)
    if source.unlabelled is not None:
        inside &= ~source.unlabelled
    inner = inside.copy()
    for axis in range(1 if "t" in source.axes else 0, inside.ndim):
        here, there = np.moveaxis(inner, axis, 0), np.moveaxis(inside, axis, 0)
        here[:-1] &= there[1:]
        here[1:] &= there[:-1]
        here[0] = here[-1] = False
    codes = inside.astype(np.uint8)
    codes += inside & ~inner
    return codes


def _fit(space: ReferenceSpace, source: Source) -> NDArray[np.bool_]:
    mask = space.mask()
    if mask.shape == source.shape:
        return mask
    if "t" in source.axes and mask.shape == source.shape[1:]:
        return np.broadcast_to(mask, source.shape).copy()
    raise MeasurementError(
        f"The region that is counted has the shape {mask.shape}, the labels have {source.shape}."
    )


def check_scores(scores: Any, source: Source) -> Any:
    """Return `scores` if they fit the labels and their classes.

    Raises
    ------
    MeasurementError
        If they do not.
    """
    shape = tuple(int(n) for n in scores.shape)
    classes = len(source.classes) if source.classes is not None else 1
    if shape[1:] != source.shape or shape[0] not in (classes, classes + 1):
        raise MeasurementError(
            f"The scores have the shape {shape}; {classes} channels (or one more for the "
            f"background) of {source.shape} were expected."
        )
    return scores


def _channels(source: Source, scores: Any, plane: int) -> NDArray[np.int16] | None:
    if scores is None:
        return None
    of_value = np.full(256, -1, np.int16)
    count = len(source.classes) if source.classes is not None else 1
    background = int(scores.shape[0]) - count
    if source.classes is None:
        of_value[0] = background
    else:
        for index, value in enumerate(source.classes.values):
            of_value[value] = index + background
    return of_value[source.class_of[plane]]


def _slabs(frame: int, low: tuple[int, ...], high: tuple[int, ...]) -> Iterator[Place]:
    lengths = [max(b - a, 1) for a, b in zip(low, high, strict=True)]
    thick = max(1, SLAB // int(np.prod(lengths[1:])))
    for start in range(low[0], high[0], thick):
        stop = min(start + thick, high[0])
        yield Place(frame, (start, *low[1:]), (stop, *high[1:]))


def _volume(part: NDArray[Any]) -> NDArray[Any]:
    array = np.ascontiguousarray(part)
    return array.reshape((1, *array.shape)) if array.ndim == 2 else array


def _mark_cut(whole: NDArray[np.int64], shape: tuple[int, ...]) -> None:
    start = 3 - len(shape)
    low = whole[:, moments.LOW + start : moments.LOW + 3]
    high = whole[:, moments.HIGH + start : moments.HIGH + 3]
    whole[:, moments.CUT] = ((low == 0) | (high == np.array(shape) - 1)).any(axis=1)
