"""`Pixels`: where measurements get at the pixels of objects, and at what lies around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.runs import Runs
from napari_defectseg.measurement import gathering, moments
from napari_defectseg.measurement.bodies import Bodies
from napari_defectseg.measurement.inputs import Inputs
from napari_defectseg.measurement.objects import Objects
from napari_defectseg.measurement.plane import ArrayPlane
from napari_defectseg.measurement.slabs import Box, Key, cut_into_slabs
from napari_defectseg.measurement.source import Source

OVERHEAD = 20_000
"""What reading one box costs beside its pixels, in pixels of a plain pass."""
Part = tuple[Runs, NDArray[np.uint8], tuple[int, int, int]]


@dataclass(frozen=True)
class Pixels:
    """What objects were measured from.

    Parameters
    ----------
    source : Source
    inputs : Inputs
    """

    source: Source
    inputs: Inputs

    def bodies(self, objects: Objects) -> Bodies:
        """Return the pixels of objects, in their order.

        Few objects of a large plane are read from their boxes alone.
        """
        # Kept between the two rounds: finding runs takes longer than both of them.
        parts = list(self._parts(objects))
        count = np.zeros(len(objects), np.int64)
        for part, row_of in parts:
            _count(part, row_of, count)
        first = np.concatenate([[0], np.cumsum(count)])
        runs = np.zeros((int(first[-1]), 4), np.int32)
        used = first[:-1].copy()
        for part, row_of in parts:
            _take(part, row_of, used, runs)
        steps = np.ones(3)
        steps[3 - objects.ndim :] = objects.steps
        return Bodies(first, runs, objects.ndim, steps)

    def frame_of(self, objects: Objects, index: int) -> int | None:
        """Return the frame of an object as labels and image are indexed; None without time."""
        return int(objects.frame[index]) if "t" in self.source.axes else None

    def grey(self, frame: int | None, box: Box) -> NDArray[np.float64]:
        """Return the grey values of a box."""
        assert self.inputs.grey is not None
        key: Key = box if frame is None else (frame, *box)
        return np.asarray(self.inputs.grey.read(key), np.float64)

    def labels(self, plane: int, frame: int | None, box: Box) -> NDArray[np.int32]:
        """Return the object numbers of a box, as the source counts them."""
        array = self.source.planes[plane].array
        key: Key = box if frame is None else (frame, *box)
        return np.asarray(array[key])

    def _parts(self, objects: Objects) -> Iterator[tuple[Part, NDArray[np.int32]]]:
        """Yield all parts of every plane and frame, with the row of each number in them."""
        groups = objects.frame * 256 + objects.plane
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            plane, number = int(group % 256), objects.whole[rows, moments.LABEL]
            row_of = np.full(int(number.max()) + 1, -1, np.int32)
            row_of[number] = rows
            frame = self.frame_of(objects, int(rows[0]))
            for box, index in self._boxes(objects, rows, plane):
                part = self._part(plane, frame, box)
                if index is None:
                    yield part, row_of
                else:
                    only = (part[0].value == number[index]).astype(np.int32)
                    alone = np.array([-1, rows[index]], np.int32)
                    yield (part[0].with_values(only), *part[1:]), alone

    def _boxes(
        self, objects: Objects, rows: NDArray[np.int64], plane: int
    ) -> Iterator[tuple[Box, int | None]]:
        """Yield slabs of the plane, or the boxes of single objects where those are less."""
        shape = self.source.shape[-objects.ndim :]
        low, high = objects.low[rows], objects.high[rows] + 1
        cost = int((high - low).prod(axis=1).sum()) + OVERHEAD * rows.size
        if isinstance(self.source.planes[plane], ArrayPlane) and cost < np.prod(shape):
            for index, (start, stop) in enumerate(zip(low, high, strict=True)):
                box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
                for slab in cut_into_slabs(box):
                    yield slab, index
        else:
            for slab in cut_into_slabs(tuple(slice(0, length) for length in shape)):
                yield slab, None

    def _part(self, plane: int, frame: int | None, box: Box) -> Part:
        runs = self.source.planes[plane].runs(frame, box)
        space = np.zeros((0, runs.shape[2]), np.uint8)
        if self.inputs.codes is not None:
            key: Key = box if frame is None else (frame, *box)
            space = np.ascontiguousarray(self.inputs.codes[key]).reshape(-1, runs.shape[2])
        z, y, x = (0, *(side.start for side in box))[-3:]
        return runs, space, (z, y, x)


def _count(part: Part, row_of: NDArray[np.int32], count: NDArray[np.int64]) -> None:
    runs, space, _ = part
    gathering.count_parts(runs.first, runs.start, runs.stop, runs.value, space, row_of, count)


def _take(
    part: Part, row_of: NDArray[np.int32], used: NDArray[np.int64], out: NDArray[np.int32]
) -> None:
    runs, space, offset = part
    gathering.take_parts(
        runs.first,
        runs.start,
        runs.stop,
        runs.value,
        space,
        row_of,
        runs.shape[1],
        np.array(offset, np.int64),
        used,
        out,
    )
