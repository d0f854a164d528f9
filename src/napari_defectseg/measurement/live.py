"""`LiveTable`: the table of a label map under the brush, at the cost of what an edit touches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.progress import Steps, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.labels import boxes
from napari_defectseg.labels.edit import Box, Edit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement import moments
from napari_defectseg.measurement.collect import Found, Summing, collect_steps, join
from napari_defectseg.measurement.inputs import Inputs
from napari_defectseg.measurement.objects import Objects
from napari_defectseg.measurement.plane import ArrayPlane
from napari_defectseg.measurement.regions import Spacing, take_in
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.measurement.slabs import cut_into_slabs
from napari_defectseg.measurement.source import from_labelmap
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.measurement.tabulate import local_columns, looks_around, tabulate

OVERHEAD = 50_000
"""What one object costs beside its box, in pixels of a plain pass."""
FEW = 500
"""Objects whose neighbours are all looked at anew in a few hundredths of a second."""
QUICK = 4_000_000
"""Pixels that are measured in a few hundredths of a second."""


class LiveTable:
    """The table that `measure_regions` gives for a label map, kept true from edit to edit.

    After an edit only the objects that it touches are looked at, in their boxes. The numbers
    are those of a new measurement of everything.

    Parameters
    ----------
    labelmap : LabelMap
        Followed, never changed.
    image, spacing, unit, space, scores, settings
        As for `measure_regions`.

    Raises
    ------
    MeasurementError, CalibrationError
        If the inputs do not belong together.
    """

    def __init__(
        self,
        labelmap: LabelMap,
        *,
        image: CalibratedImage | NDArray[Any] | None = None,
        spacing: Spacing | None = None,
        unit: str | None = None,
        space: ReferenceSpace | None = None,
        scores: Any = None,
        settings: MeasureSettings | None = None,
    ) -> None:
        self.labelmap = labelmap
        self.settings = settings or MeasureSettings()
        self._source = take_in(labelmap, image, spacing, unit)
        self._inputs = Inputs.of(self._source, image, space, scores, self.settings)
        self._objects: Objects | None = None
        self._table: RegionTable | None = None
        self._revision = -1

    @property
    def table(self) -> RegionTable:
        """The table; everything is measured where none was made yet or an edit was missed."""
        if self._table is None or self._revision != self.labelmap.revision:
            return self.measure()
        return self._table

    def measure(self) -> RegionTable:
        """Measure everything and return the table."""
        return drive(self.measure_steps())

    def measure_steps(self) -> Steps[RegionTable]:
        """Measure everything, with a step before each slab; may run in a worker's thread.

        If the labels are edited meanwhile, what is returned may be half of each state and is
        not kept: compare `labelmap.revision`, or ask for `table`, which then measures again.
        """
        revision = self.labelmap.revision
        # Numbers and classes are those of now; pixel size, region and grey values stay.
        source = from_labelmap(self.labelmap, self._source.calibration)
        objects = yield from collect_steps(source, self._inputs)
        objects = objects.with_columns(local_columns(objects))
        table = tabulate(objects, source, self._inputs, self.settings)
        if self.labelmap.revision == revision:
            self._objects, self._table, self._revision = objects, table, revision
        return table

    def is_quick(self, edit: Edit) -> bool:
        """Return whether `update` takes a few hundredths of a second at most.

        Ask once the edit is applied. Where it is not quick, run `measure_steps` in a worker: so
        after every edit of many objects if columns such as the gap to the nearest neighbour are
        wanted, which an edit changes for objects that it does not touch.
        """
        objects = self._objects
        if objects is not None and len(objects) > FEW and looks_around(objects):
            return False
        if self._misses_one:
            return self._all_pixels <= QUICK
        return min(_cost(self._places(edit)), self._all_pixels) <= QUICK

    def update(self, edit: Edit) -> RegionTable:
        """Return the table after `edit`, which has just been applied to the label map.

        An undo is an edit like others (`Edit.inverse`). If an edit in between was missed,
        everything is measured.
        """
        if self._misses_one:
            return self.measure()
        touched = _touched(edit)
        if touched:
            places = self._places(edit)
            if _cost(places) > self._all_pixels:
                return self.measure()
            self._objects = self._remeasured(touched, places)
            self._table = tabulate(self._objects, self._source, self._inputs, self.settings)
        self._revision = self.labelmap.revision
        return self.table

    @property
    def _misses_one(self) -> bool:
        return self._objects is None or self._revision != self.labelmap.revision - 1

    @property
    def _all_pixels(self) -> int:
        return len(self.labelmap.planes) * self.labelmap.planes[0].size

    def _places(self, edit: Edit) -> dict[int, Box]:
        """Return a box that holds each touched object now: where it was, and what was added."""
        objects = self._objects
        assert objects is not None
        found: dict[int, Box] = {}
        rows = np.flatnonzero(np.isin(objects.label, _touched(edit)))
        low, high = objects.low[rows], objects.high[rows] + 1
        if "t" in objects.axes:
            frame = objects.frame[rows, None]
            low, high = np.hstack([frame, low]), np.hstack([frame + 1, high])
        for number, start, stop in zip(objects.label[rows].tolist(), low, high, strict=True):
            box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
            found[number] = boxes.join(found.get(number, box), box)
        for change in edit.changes:
            for number in np.unique(change.after).tolist():
                found[number] = boxes.join(found.get(number, change.box), change.box)
        found.pop(0, None)
        return found

    def _remeasured(self, touched: list[int], places: Mapping[int, Box]) -> Objects:
        assert self._objects is not None
        gone = np.flatnonzero(np.isin(self._objects.label, touched))
        found = [part for number in touched for part in self._measure(number, places.get(number))]
        if not found:
            return self._objects.with_rows(gone, None)
        found.sort(key=lambda part: (part.frame, part.plane))
        new = join(self._source, self._inputs, found)
        return self._objects.with_rows(gone, new.with_columns(local_columns(new)))

    def _measure(self, number: int, box: Box | None) -> list[Found]:
        """Return what there is of an object in a box, frame by frame."""
        value = self.labelmap.object_classes.get(number)
        if box is None or value is None:
            return []
        if "t" not in self.labelmap.axes:
            return self._measure_part(number, value, None, box)
        frames = range(box[0].start, box[0].stop)
        parts = [self._measure_part(number, value, frame, box[1:]) for frame in frames]
        return [part for found in parts for part in found]

    def _measure_part(self, number: int, value: int, frame: int | None, box: Box) -> list[Found]:
        """Return the object in one frame, if it is there; while summed it is number 1."""
        shape = self.labelmap.shape if frame is None else self.labelmap.shape[1:]
        plane = self.labelmap.plane_of(value)
        summing = Summing(self._inputs, frame, shape, np.array([0, value], np.uint8))
        labels = ArrayPlane(self.labelmap.planes[plane])
        for slab in cut_into_slabs(box):
            runs = labels.runs(frame, slab)
            summing.add(runs.with_values((runs.value == number).astype(np.int32)), slab)
        found = summing.found(plane, np.array([0, number], np.int64))
        found.whole[:, moments.LABEL] = number
        return [found] if found.label.size else []


def _touched(edit: Edit) -> list[int]:
    """Return the objects whose pixels or class change, in order; marks do not count."""
    return sorted(set(edit.classes_after).union(*(change.objects for change in edit.changes)))


def _cost(places: Mapping[int, Box]) -> int:
    """Return what measuring objects in these boxes costs, in pixels of a plain pass."""
    return sum(OVERHEAD + int(np.prod(boxes.shape_of(box))) for box in places.values())
