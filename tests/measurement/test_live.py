"""A table that follows edits says what a new measurement of everything would say."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.progress import drive
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.labels import boxes
from napari_defectseg.labels.construct import from_mask
from napari_defectseg.labels.edit import Edit
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.tools.merge import merge
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.labels.tools.split_watershed import split_watershed
from napari_defectseg.measurement import live as live_module
from napari_defectseg.measurement.columns.measurement import MEASUREMENTS, Measurement
from napari_defectseg.measurement.live import LiveTable
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import GROUPS, MeasureSettings

SHAPES = {"yx": (12, 14), "zyx": (4, 7, 8), "tyx": (3, 7, 8), "tzyx": (2, 3, 5, 6)}
NAMES = ("void", "loop")
SHARE = Measurement(
    "share", "none", "Area over that of all.", lambda o: o.count / o.count.sum(), local=False
)
TWICE = Measurement(
    "twice", "none", "Twice the share.", lambda o: 2 * o.columns["share"], needs=("share",)
)
SEEDS = st.integers(0, 2**32 - 1)


def map_of(mask: np.ndarray, axes: str, *, exclusive: bool = True):
    steps = (3.0, 2.0, 2.0)[-sum(name != "t" for name in axes) :]
    classes = ClassMap.of(NAMES, exclusive=exclusive)
    return from_mask(mask.astype(np.uint8), classes, tuple(axes), Calibration.of(steps, "nm"))


def random_mask(rng: np.random.Generator, axes: str, exclusive: bool) -> np.ndarray:
    shape = SHAPES[axes] if exclusive else (2, *SHAPES[axes])
    filled = rng.random(shape) < rng.choice([0.1, 0.4, 0.7])
    return rng.integers(1, 3, shape) * filled if exclusive else filled


def assert_same(one, other) -> None:
    assert one.names == other.names
    for name in one.names:
        mine, theirs = one.column(name), other.column(name)
        assert (mine.unit, mine.definition) == (theirs.unit, theirs.definition)
        assert mine.values.dtype.kind == theirs.values.dtype.kind
        np.testing.assert_array_equal(mine.values, theirs.values, err_msg=name)
    assert one.region == other.region
    assert one.warnings == other.warnings
    assert one.classes == other.classes
    assert one.calibration == other.calibration


GROUP_NAMES = [name for name, _ in GROUPS]


class Following(RuleBasedStateMachine):
    """Random tools, undo, redo and replacements on random maps; the table is never wrong."""

    @initialize(axes=st.sampled_from(sorted(SHAPES)), exclusive=st.booleans(), seed=SEEDS)
    def begin(self, axes, exclusive, seed):
        self.rng = np.random.default_rng(seed)
        self.axes, self.exclusive = axes, exclusive
        labelmap = map_of(random_mask(self.rng, axes, exclusive), axes, exclusive=exclusive)
        shape = SHAPES[axes]
        if self.rng.random() < 0.3:
            labelmap.unlabelled = self.rng.random(shape) < 0.1
        self.inputs = {
            "image": self.rng.random(shape) if self.rng.random() < 0.7 else None,
            "scores": self.rng.random((3, *shape)) if self.rng.random() < 0.7 else None,
            "space": None,
            "settings": MeasureSettings(
                border=self.rng.choice(["count", "exclude"]),
                min_size=int(self.rng.integers(3)),
                columns=tuple(self.rng.choice(GROUP_NAMES, self.rng.integers(3), replace=False)),
                axis=(1, 0.5, 2)[: len(axes) - ("t" in axes)],
                blur=0.5,
            ),
        }
        if self.rng.random() < 0.5:
            roi = self.rng.random(shape) < 0.8
            self.inputs["space"] = ReferenceSpace(shape, roi=roi)
        self.history = History(labelmap)
        self.live = LiveTable(labelmap, **self.inputs)
        self.live.measure()
        self.history.listeners.append(self.follow)

    def follow(self, edit):
        self.live.update(edit)

    @property
    def map(self):
        return self.history.labelmap

    def some(self, count):
        numbers = sorted(self.map.object_classes)
        return [int(n) for n in self.rng.permutation(numbers)[:count]]

    def stroke(self):
        sides = []
        for name, length in zip(self.axes, self.map.shape, strict=True):
            start = int(self.rng.integers(length))
            stop = start + 1 if name == "t" else int(self.rng.integers(start, length)) + 1
            sides.append(slice(start, stop))
        start = tuple(side.start for side in sides) if self.rng.random() < 0.7 else None
        return Stroke(tuple(sides), self.rng.random(boxes.shape_of(tuple(sides))) < 0.6, start)

    @rule(value=st.sampled_from((1, 2)))
    def paint(self, value):
        self.history.push(paint(self.map, self.stroke(), value))

    @rule()
    def erase(self):
        self.history.push(erase(self.map, self.stroke()))

    @rule(count=st.integers(1, 4))
    def delete(self, count):
        self.history.push(delete(self.map, self.some(count)))

    @rule()
    def merge(self):
        try:
            self.history.push(merge(self.map, self.some(2)))
        except LabelError:
            return

    @rule()
    def split(self):
        for number in self.some(1):
            try:
                self.history.push(split_watershed(self.map, number))
            except LabelError:
                return

    @rule()
    def change_class(self):
        if self.exclusive:
            before = {n: self.map.object_classes[n] for n in self.some(3)}
            after = {n: 3 - value for n, value in before.items()}
            self.history.push(Edit("class", (), before, after))

    @rule()
    def check(self):
        self.history.push(Edit("check", checked=frozenset(self.some(2)) - self.map.checked))

    @rule()
    def undo(self):
        self.history.undo()

    @rule()
    def redo(self):
        self.history.redo()

    @rule()
    def replace(self):
        new = map_of(
            random_mask(self.rng, self.axes, self.exclusive), self.axes, exclusive=self.exclusive
        )
        self.history.replace(new, "threshold")

    @invariant()
    def table_is_that_of_a_new_measurement(self):
        if hasattr(self, "live"):
            assert_same(self.live.table, measure_regions(self.map, **self.inputs))


class FollowingObjectByObject(Following):
    """The same where measuring everything is never the cheaper way."""

    def follow(self, edit):
        before, live_module.OVERHEAD = live_module.OVERHEAD, -(10**9)
        try:
            self.live.update(edit)
        finally:
            live_module.OVERHEAD = before


TestFollowing = Following.TestCase
TestFollowing.settings = settings(max_examples=10, stateful_step_count=8, deadline=None)
TestFollowingObjectByObject = FollowingObjectByObject.TestCase
TestFollowingObjectByObject.settings = settings(
    max_examples=60, stateful_step_count=12, deadline=None
)


def many_objects(side: int):
    """A plane with `side` × `side` squares of 9 × 9 pixels, 20 apart."""
    mask = np.zeros((20 * side, 20 * side), np.uint8)
    block = np.zeros((20, 20), np.uint8)
    block[5:14, 5:14] = 1
    mask[:] = np.tile(block, (side, side))
    return map_of(mask, "yx")


def disc(centre: tuple[int, int], radius: int, shape: tuple[int, int]) -> Stroke:
    grids = np.ogrid[: shape[0], : shape[1]]
    return Stroke.of((grids[0] - centre[0]) ** 2 + (grids[1] - centre[1]) ** 2 <= radius**2)


def test_a_stroke_among_ten_thousand_objects_is_measured_well_below_50_ms():
    labelmap = many_objects(100)
    image = np.random.default_rng(0).random(labelmap.shape, np.float32)
    live = LiveTable(labelmap, image=image)
    assert len(live.table) == 10_000
    history = History(labelmap, who="")
    seconds = []
    for place in range(5):
        edit = history.push(paint(labelmap, disc((500, 305 + 40 * place), 8, labelmap.shape), 1))
        assert live.is_quick(edit)
        start = time.perf_counter()
        live.update(edit)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.025
    assert_same(live.table, measure_regions(labelmap, image=image))


def test_an_edit_that_was_missed_is_noticed():
    labelmap = many_objects(3)
    live = LiveTable(labelmap)
    assert len(live.table) == 9
    labelmap.apply(delete(labelmap, [1]))
    edit = delete(labelmap, [2])
    labelmap.apply(edit)
    assert len(live.update(edit)) == 7
    labelmap.apply(delete(labelmap, [3]))
    assert len(live.table) == 6


def test_an_edit_during_a_measurement_spoils_it_and_is_noticed():
    labelmap = many_objects(3)
    live = LiveTable(labelmap)
    steps = live.measure_steps()
    next(steps)
    labelmap.apply(paint(labelmap, disc((0, 0), 3, labelmap.shape), 2))
    drive(steps)
    assert len(live.table) == 10
    assert_same(live.table, measure_regions(labelmap))


def test_marks_of_checked_objects_measure_nothing():
    labelmap = many_objects(2)
    live = LiveTable(labelmap)
    table = live.table
    edit = Edit("check", checked=frozenset({1}))
    labelmap.apply(edit)
    assert live.update(edit) is table


def test_columns_of_strangers_that_look_at_other_objects_are_computed_anew():
    """A measurement that is not local, and one that needs it, follow as well."""
    undo = [
        MEASUREMENTS.add("share", f"{__name__}:SHARE"),
        MEASUREMENTS.add("twice", f"{__name__}:TWICE"),
    ]
    try:
        labelmap = many_objects(3)
        live = LiveTable(labelmap)
        assert live.table["twice"] == pytest.approx(np.full(9, 2 / 9))
        edit = delete(labelmap, [1, 2, 3])
        labelmap.apply(edit)
        assert live.update(edit)["twice"] == pytest.approx(np.full(6, 2 / 6))
    finally:
        for back in undo:
            back()


def test_columns_of_neighbours_are_measured_apart_where_there_are_many():
    """Every edit may change the gap of objects that it does not touch: no work for a brush."""
    plane = np.zeros((80, 80), np.int32)
    plane[1::3, 1::3] = np.arange(1, 27 * 27 + 1).reshape(27, 27)
    known = dict.fromkeys(range(1, int(plane.max()) + 1), 1)
    sizes = Calibration.uncalibrated(2)
    labels = LabelMap((plane,), known, ClassMap.of(["void"]), ("y", "x"), sizes)
    edit = delete(labels, [5])
    assert edit is not None
    for columns, quick in (((), True), (("neighbours",), False)):
        live = LiveTable(labels, settings=MeasureSettings(columns=columns))
        live.measure()
        assert live.is_quick(edit) is quick
