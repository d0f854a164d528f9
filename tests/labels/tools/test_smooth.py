"""Smoothing evens out rims and leaves the rest alone."""

from __future__ import annotations

import numpy as np
import pytest
from label_cases import check_whole, disc, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.tools.merge import merge
from napari_defectseg.labels.tools.smooth import smooth


def test_a_spur_goes_a_notch_fills_and_the_area_stays():
    mask = disc((60, 60), (30, 30), 16)
    clean = mask.copy()
    mask[30, 46:56] = True
    mask[14:20, 30] = False
    labelmap = map_of(mask)
    labelmap.apply(smooth(labelmap, 1))
    check_whole(labelmap)
    now = labelmap.planes[0] == 1
    assert not now[30, 49:].any()
    assert now[16:20, 30].all()
    assert abs(int(now.sum()) - int(clean.sum())) < 0.02 * clean.sum()


def test_a_straight_edge_at_the_image_border_stays():
    mask = np.zeros((30, 30), bool)
    mask[:12] = True
    assert smooth(map_of(mask), 1) is None


def test_other_objects_and_tiny_ones_stay():
    mask = np.zeros((20, 20), np.uint8)
    mask[3:12, 3:10] = 1
    mask[3:12, 10:16] = 2
    mask[17, 17] = 1
    labelmap = map_of(mask)
    other = labelmap.planes[0] == 2
    edit = smooth(labelmap, [1, 3], radius=2)
    labelmap.apply(edit)
    np.testing.assert_array_equal(labelmap.planes[0] == 2, other)
    assert labelmap.planes[0][17, 17] == 3


def test_what_hung_on_a_thread_becomes_two_and_what_was_apart_stays_one():
    mask = disc((40, 70), (20, 15), 10) | disc((40, 70), (20, 50), 10)
    apart = map_of(mask)
    apart.apply(merge(apart, [1, 2]))
    mask[20, 15:50] = True
    thread = map_of(mask)
    thread.apply(smooth(thread, 1))
    check_whole(thread)
    assert len(thread.object_classes) == 2
    edit = smooth(apart, 1)
    assert edit is None or set(edit.classes_after) == set()
    apart.apply(erase(apart, Stroke.of(np.pad(np.ones((2, 70), bool), ((0, 38), (0, 0))))) or edit)
    assert set(apart.object_classes) == {1}


def test_in_the_slice_only_the_slice_changes_and_coarse_axes_are_blurred_less():
    ball = disc((13, 25, 25), (6, 12, 12), 6)
    ball[6, 12, 18:24] = True
    labelmap = map_of(ball, "zyx")
    edit = smooth(labelmap, 1, within=boxes.slice_box(labelmap.shape, 0, 6))
    assert all(change.box[0] == slice(6, 7) for change in edit.changes)
    labelmap.apply(edit)
    assert not labelmap.planes[0][6, 12, 21:].any()
    with pytest.raises(LabelError, match="smooths nothing"):
        smooth(labelmap, 1, radius=0)
