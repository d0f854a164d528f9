"""What holds for every tool."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_cases import check_whole, label_maps, state

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.pack import pack_change, unpack
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.clean import CleanSettings, clean
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.tools.fill_holes import fill_holes
from napari_defectseg.labels.tools.merge import merge
from napari_defectseg.labels.tools.paint import paint
from napari_defectseg.labels.tools.paint_block import paint_block
from napari_defectseg.labels.tools.relabel import relabel
from napari_defectseg.labels.tools.smooth import smooth
from napari_defectseg.labels.tools.split_line import split_line
from napari_defectseg.labels.tools.split_watershed import split_watershed


class Case:
    """A random map, and random arguments for tools."""

    def __init__(self, labelmap, rng):
        self.map, self.rng = labelmap, rng
        self.numbers = sorted(labelmap.object_classes)

    def some(self, count):
        return [int(n) for n in self.rng.permutation(self.numbers)[:count]]

    def class_value(self):
        return int(self.rng.choice(self.map.classes.values))

    def box(self):
        sides = []
        for name, length in zip(self.map.axes, self.map.shape, strict=True):
            start = int(self.rng.integers(0, length))
            stop = start + 1 if name == "t" else int(self.rng.integers(start + 1, length + 1))
            sides.append(slice(start, stop))
        return tuple(sides)

    def stroke(self):
        box = self.box()
        start = tuple(side.start for side in box) if self.rng.random() < 0.7 else None
        return Stroke(box, self.rng.random(boxes.shape_of(box)) < 0.6, start)

    def within(self):
        if self.rng.random() < 0.5:
            return None
        return boxes.slice_box(self.map.shape, 0, int(self.rng.integers(self.map.shape[0])))


def block(case):
    value, box = case.class_value(), case.box()
    old = case.map.planes[case.map.plane_of(value)][box].copy()
    new = np.where(case.rng.random(old.shape) < 0.5, case.rng.integers(0, 3, old.shape), old)
    return paint_block(case.map, box, old, new.astype(np.int32), value)


def line(case):
    numbers = case.some(1)
    points = [tuple(float(case.rng.uniform(-1, n)) for n in case.map.shape) for _ in range(3)]
    across = [axis for axis, name in enumerate(case.map.axes) if name in "tz"]
    place = [side.start for side in case.map.index.box(numbers[0])]
    for axis in across:
        points = [(*p[:axis], place[axis], *p[axis + 1 :]) for p in points]
    return split_line(case.map, numbers[0], points, within=case.within())


def cleaned(case):
    rules = CleanSettings(
        min_size=float(case.rng.integers(0, 6)),
        max_size=float(case.rng.choice([6, 1000])),
        border=bool(case.rng.random() < 0.3),
        protect=bool(case.rng.random() < 0.5),
    )
    return clean(case.map, rules, within=case.within())


TOOLS = {
    "paint": lambda c: paint(c.map, c.stroke(), c.class_value(), protect=c.rng.random() < 0.5),
    "erase": lambda c: erase(c.map, c.stroke(), class_value=c.class_value()),
    "block": block,
    "fill": lambda c: fill_holes(c.map, c.some(3), within=c.within()),
    "delete": lambda c: delete(c.map, c.some(2), within=c.within()),
    "merge": lambda c: merge(c.map, c.some(2)),
    "smooth": lambda c: smooth(c.map, c.some(3), radius=1.0, within=c.within()),
    "relabel": lambda c: relabel(c.map, c.some(3), c.class_value(), within=c.within()),
    "clean": cleaned,
    "accept": lambda c: accept(c.map, c.some(3), checked=c.rng.random() < 0.7),
    "line": line,
    "watershed": lambda c: split_watershed(c.map, *c.some(1), within=c.within()),
}


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=60, deadline=None)
@given(labelmap=label_maps(), seed=st.integers(0, 2**32 - 1))
def test_every_edit_can_be_taken_back(tool, labelmap, seed):
    """Apply, then its inverse: the same bytes, the same table; in between everything agrees."""
    if not labelmap.object_classes:
        return
    before = state(labelmap)
    try:
        edit = TOOLS[tool](Case(labelmap, np.random.default_rng(seed)))
    except LabelError:
        edit = None
    assert state(labelmap) == before, "a tool changes nothing by itself"
    if edit is None:
        return
    labelmap.apply(edit)
    check_whole(labelmap)
    assert state(labelmap) != before
    labelmap.apply(edit.inverse())
    assert state(labelmap) == before
    check_whole(labelmap)
    for change in edit.changes:
        again = unpack(change.plane, change.box, pack_change(change).blob)
        np.testing.assert_array_equal(again.mask, change.mask)
        np.testing.assert_array_equal(again.before, change.before)
        np.testing.assert_array_equal(again.after, change.after)
