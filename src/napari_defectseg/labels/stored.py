"""`StoredLabels`: objects on the disk, found block by block; never all in memory."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.seams import BlockLabels
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.boxes import Box, cut, sides_within
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.provenance import Provenance
from napari_defectseg.images.view import AxisView
from napari_defectseg.labels.decode import DecodeSettings

CLASS = "c"
Counts: TypeAlias = dict[tuple[int, ...], int]
"""Labelled pixels of each plane that has any."""
Finding: TypeAlias = Generator[str, None, tuple[NDArray[np.uint8], int, Counts]]
"""Yields words; returns class value by object, how many were left out, and labelled pixels."""
BYTES = 16
"""What finding objects takes for each pixel of a block: values, numbers, runs."""


@dataclass(frozen=True, eq=False)
class StoredLabels:
    """The objects of an image that is larger than the memory.

    Parameters
    ----------
    planes : tuple of AxisView
        Object numbers (int32) as in a `LabelMap`: one plane for exclusive classes, else one a
        class.
    mask : AxisView
        Class values (uint8); overlapping classes have one mask each in front.
    numbers : AxisView
        Object numbers in the same form.
    class_of : ndarray of uint8
        Class value of each number; 0 for the background.
    classes : ClassMap
    axes : tuple of str
        Axes of a plane.
    calibration : Calibration
    fullest : tuple of int
        Index (all axes but the last two of a plane) of the plane with most labelled pixels.
    left_out : int
        Objects that were too small.
    provenance : Provenance or None
    """

    planes: tuple[AxisView, ...]
    mask: AxisView
    numbers: AxisView
    class_of: NDArray[np.uint8]
    classes: ClassMap
    axes: Axes
    calibration: Calibration
    fullest: tuple[int, ...] = ()
    left_out: int = 0
    provenance: Provenance | None = None
    checked: frozenset[int] = frozenset()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a plane."""
        return self.planes[0].shape

    def __len__(self) -> int:
        return int(self.class_of.size) - 1

    def class_mask(self) -> AxisView:
        """Return the class values; a part is read when it is asked for."""
        return self.mask

    def counts(self) -> dict[int, int]:
        """Return the number of objects of each class value."""
        found = np.bincount(self.class_of[1:], minlength=256)
        return {value: int(found[value]) for value in self.classes.values}


@dataclass(frozen=True, eq=False)
class Places:
    """Where class values are read from, and numbers and the final mask written to.

    Parameters
    ----------
    values : array-like of uint8
        Class values, shape (*axes), or (class, *axes) with 0 and 1.
    labels, mask : array-like
        Of the same number of axes, int32 and uint8.
    stored : tuple of str
        Axes of `labels` and `mask`, ``c`` among them where classes overlap.
    """

    values: Any
    labels: Any
    mask: Any
    stored: Axes


def find_stored_steps(
    places: Places,
    classes: ClassMap,
    axes: Axes,
    calibration: Calibration,
    settings: DecodeSettings,
    *,
    memory: int,
    provenance: Provenance | None = None,
) -> Steps[StoredLabels]:
    """Find the objects of class values on the disk, block by block; one step a block.

    They are those of `decode`, number by number: joined across blocks, holes filled, small ones
    left out, frame by frame along t.

    Parameters
    ----------
    places : Places
    classes : ClassMap
    axes : tuple of str
        Axes without the class.
    calibration : Calibration
    settings : DecodeSettings
    memory : int
        Bytes that blocks may take.
    provenance : Provenance, optional

    Raises
    ------
    LabelError
        If there are too many objects to number.
    """
    frames = list(_frames(places, classes, axes, memory))
    total = sum(frame.steps(settings) for frame in frames)
    done, left_out, found = 0, 0, [np.zeros(1, np.uint8)]
    filled: Counts = {}
    several = not classes.exclusive and len(classes) > 1
    for frame in frames:
        first = sum(part.size for part in found)
        steps = frame.find(settings, first)
        while True:
            try:
                text = next(steps)
            except StopIteration as end:
                values, small, counts = end.value
                break
            yield Step(done, total, text)
            done += 1
        found.append(values)
        left_out += small
        for at, count in counts.items():
            filled[at] = filled.get(at, 0) + count
    stored, order = places.stored, (CLASS, *axes) if not classes.exclusive else axes
    planes = [
        AxisView(places.labels, stored, axes, {} if classes.exclusive else {CLASS: n})
        for n in range(1 if classes.exclusive else len(classes))
    ]
    mask = AxisView(places.mask, stored, order)
    if several:
        yield Step(done, total, "counting labelled pixels")
        filled = _in_any(mask, memory)
    return StoredLabels(
        tuple(planes),
        mask,
        AxisView(places.labels, stored, order),
        np.concatenate(found),
        classes,
        axes,
        calibration,
        _fullest(filled, planes[0].shape[:-2]),
        left_out,
        provenance,
    )


def _in_any(mask: AxisView, memory: int) -> Counts:
    """Return the pixels of each plane that belong to one class at least."""
    counts: Counts = {}
    shape, rows = mask.shape[1:], max(1, memory // (4 * mask.shape[0] * mask.shape[-1]))
    for at in np.ndindex(*shape[:-2]):
        for start in range(0, shape[-2], rows):
            part = mask[(slice(None), *at, slice(start, start + rows))]
            count = int(np.count_nonzero(part.any(axis=0)))
            if count:
                counts[at] = counts.get(at, 0) + count
    return counts


def _fullest(filled: Counts, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the plane with most labelled pixels; the middle one where nothing is labelled."""
    if not shape:
        return ()
    best = max(filled.values(), default=0)
    if not best:
        middle = int(np.prod(shape)) // 2
        return tuple(int(n) for n in np.unravel_index(middle, shape))
    return min(at for at, count in filled.items() if count == best)


@dataclass(eq=False)
class _Frame:
    """One frame of one plane: values, and where numbers and mask go.

    Parameters
    ----------
    values, labels, mask : AxisView
        Over the spatial axes.
    own : tuple of int
        Class values in the order of the class map; 1 where classes overlap.
    value : int or None
        Class value of all its objects, where classes overlap.
    time : tuple of int or None
        Place of the time axis among all, and the frame's own.
    sides : tuple of int
        Of the blocks that it is gone through in.
    """

    values: AxisView
    labels: AxisView
    mask: AxisView
    own: tuple[int, ...]
    value: int | None
    time: tuple[int, int] | None
    sides: tuple[int, ...]

    def steps(self, settings: DecodeSettings) -> int:
        """Return how many blocks `find` goes through."""
        blocks = len(list(cut(self.values.shape, self.sides)))
        return blocks * (2 + (len(self.own) if settings.fill_holes else 0))

    def find(self, settings: DecodeSettings, first: int) -> Finding:
        """Write the objects, numbered from `first` on."""
        holes: list[_Holes] = []
        if settings.fill_holes:
            for value in self.own:
                holes.append(_Holes(self.values.shape, self.sides, value))
                for box in cut(self.values.shape, self.sides):
                    yield "looking for holes"
                    holes[-1].add(np.asarray(self.values[box]))
                holes[-1].finish()
        labels = BlockLabels(self.values.shape, self.sides, connectivity=settings.connectivity)
        for index, box in enumerate(labels.boxes):
            yield "finding objects"
            labels.add(_filled(np.asarray(self.values[box]), holes, index))
        numbering = labels.numbering(min_size=settings.min_size)
        number = np.where(numbering.number > 0, numbering.number + np.int32(first - 1), np.int32(0))
        counts: Counts = {}
        for index, box in enumerate(labels.boxes):
            yield "numbering objects"
            values = _filled(np.asarray(self.values[box]), holes, index)
            drawn = labels.draw(index, values, number)
            values[drawn == 0] = 0
            self.labels[box], self.mask[box] = drawn, values
            self._count(values, box, counts)
        known = numbering.values[1:]
        if self.value is not None:
            known = np.full(known.size, self.value, np.uint8)
        return known, numbering.left_out, counts

    def _count(self, values: NDArray[np.uint8], box: Box, counts: Counts) -> None:
        each = np.count_nonzero(values, axis=(-2, -1))
        for at, count in np.ndenumerate(each):
            place = [part.start + n for part, n in zip(box, at, strict=False)]
            if self.time is not None:
                place.insert(*self.time)
            if count:
                counts[tuple(place)] = counts.get(tuple(place), 0) + int(count)


class _Holes:
    """The background that objects of one class enclose, found block by block."""

    def __init__(self, shape: tuple[int, ...], sides: tuple[int, ...], own: int) -> None:
        self.own = own
        # An axis that is one pixel thick does not count: a plane has holes of its own.
        self._keep = [axis for axis, length in enumerate(shape) if length > 1]
        self._labels: BlockLabels | None = None
        if len(self._keep) > 1:
            thin = tuple(shape[axis] for axis in self._keep)
            step = tuple(sides[axis] for axis in self._keep)
            self._labels = BlockLabels(thin, step, connectivity=1)
        self._inside = np.zeros(1, bool)

    def add(self, values: NDArray[np.uint8]) -> None:
        """Take the next block of class values."""
        if self._labels is not None:
            self._labels.add(self._outside(values))

    def finish(self) -> None:
        """Find out which parts do not reach the edge, after all blocks were added."""
        if self._labels is not None:
            found = self._labels.numbering()
            enclosed = ~found.cut
            enclosed[0] = False
            self._inside = enclosed[found.number]

    def fill(self, index: int, values: NDArray[np.uint8], into: NDArray[np.uint8]) -> None:
        """Fill the holes of a block of class values in a copy of it."""
        if self._labels is not None:
            found = self._labels.draw(index, self._outside(values), self._inside)
            into[found.reshape(values.shape) & (into == 0)] = self.own

    def _outside(self, values: NDArray[np.uint8]) -> NDArray[np.bool_]:
        thin = tuple(values.shape[axis] for axis in self._keep)
        outside: NDArray[np.bool_] = (values != self.own).reshape(thin)
        return outside


def _filled(values: NDArray[np.uint8], holes: list[_Holes], index: int) -> NDArray[np.uint8]:
    result = np.array(values, np.uint8)
    for one in holes:
        one.fill(index, values, result)
    return result


def _frames(places: Places, classes: ClassMap, axes: Axes, memory: int) -> Iterator[_Frame]:
    """Yield the frames in the order in which objects are numbered: class by class, then time."""
    front: Axes = axes if classes.exclusive else (CLASS, *axes)
    space = tuple(name for name in axes if name != "t")
    times = int(places.values.shape[front.index("t")]) if "t" in axes else 0
    for plane in range(1 if classes.exclusive else len(classes)):
        at = {} if classes.exclusive else {CLASS: plane}
        for time in range(max(times, 1)):
            where = {**at, "t": time} if times else at
            labels = AxisView(places.labels, places.stored, space, where)
            fitting = [min(a, b) for a, b in zip(labels.chunks, labels.shape, strict=True)]
            yield _Frame(
                AxisView(places.values, front, space, where),
                labels,
                AxisView(places.mask, places.stored, space, where),
                classes.values if classes.exclusive else (1,),
                None if classes.exclusive else classes.values[plane],
                (axes.index("t"), time) if times else None,
                sides_within(labels.shape, fitting, max(memory // BYTES, 1)),
            )
