"""Strokes that meet checked objects: what they are aimed at is changed, the rest is gone around."""

from __future__ import annotations

import numpy as np
from label_cases import map_of

from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.tools.paint import paint


def two_checked():
    """Two squares of class 1 and 2, both checked, with an unchecked one of class 1 between."""
    mask = np.zeros((10, 30), np.uint8)
    mask[2:8, 2:8], mask[2:8, 12:16], mask[2:8, 20:28] = 1, 1, 2
    labelmap = map_of(mask)
    first, last = int(labelmap.planes[0][4, 4]), int(labelmap.planes[0][4, 24])
    labelmap.checked = {first, last}
    return labelmap, first, last


def line(first, last, start=None):
    mask = np.zeros((10, 30), bool)
    mask[4, first:last] = True
    return Stroke.of(mask, start or (4, first))


def test_who_erases_only_on_checked_objects_means_them():
    """A second stroke of the eraser on one's own work is not lost in silence."""
    labelmap, first, _ = two_checked()
    labelmap.apply(erase(labelmap, line(0, 5), protect=True))
    assert labelmap.index.size(first) == 33
    labelmap.apply(erase(labelmap, line(5, 7), protect=True))
    assert labelmap.index.size(first) == 31


def test_a_stroke_that_begins_on_a_checked_object_means_it_and_goes_around_others():
    labelmap, first, last = two_checked()
    labelmap.apply(erase(labelmap, line(6, 24), protect=True))
    assert labelmap.index.size(first) == 34
    assert labelmap.index.size(last) == 48
    assert not labelmap.planes[0][4, 12:16].any()


def test_a_stroke_from_elsewhere_goes_around_checked_objects():
    labelmap, first, last = two_checked()
    labelmap.apply(erase(labelmap, line(9, 24), protect=True))
    assert labelmap.index.size(last) == 48
    labelmap.apply(paint(labelmap, line(9, 24), 2, protect=True))
    assert labelmap.index.size(first) == 36


def test_the_brush_of_another_class_draws_on_the_checked_object_that_it_begins_on():
    labelmap, first, _ = two_checked()
    assert paint(labelmap, line(3, 6, (0, 0)), 2, protect=True) is None
    labelmap.apply(paint(labelmap, line(3, 6), 2, protect=True))
    assert labelmap.index.size(first) == 33
    assert labelmap.object_classes[int(labelmap.planes[0][4, 4])] == 2
