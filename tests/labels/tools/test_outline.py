"""Box, polygon and lasso draw what they hold, in one slice, around their own class."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_cases import check_whole, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.tools.outline import draw_outline, outlined


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_box_holds_all_pixels_between_its_corners(a, b, c, d):
    labelmap = map_of(np.zeros((10, 10)))
    stroke = outlined(labelmap, [(a, b), (c, d)], box=True)
    assert stroke.mask.all()
    assert stroke.mask.size == (abs(a - c) + 1) * (abs(b - d) + 1)


def test_a_lasso_goes_around_its_class_and_over_others():
    mask = np.zeros((20, 20), np.uint8)
    mask[4:8, 4:8], mask[10:14, 10:14] = 1, 2
    labelmap = map_of(mask)
    ring = [(2, 2), (2, 17), (17, 17), (17, 2)]
    labelmap.apply(draw_outline(labelmap, ring, 1))
    check_whole(labelmap)
    assert labelmap.planes[0][5, 5] == 1
    assert labelmap.planes[0][11, 11] not in (0, 2)
    assert 2 not in labelmap.object_classes


def test_begun_on_an_object_it_extends_it():
    mask = np.zeros((20, 20), np.uint8)
    mask[4:8, 4:8] = 1
    labelmap = map_of(mask)
    labelmap.apply(draw_outline(labelmap, [(5, 5), (12, 12)], 1, kind="box"))
    assert set(labelmap.object_classes) == {1}
    assert labelmap.planes[0][12, 12] == 1


def test_checked_objects_stay():
    mask = np.zeros((20, 20), np.uint8)
    mask[4:8, 4:8] = 2
    labelmap = map_of(mask)
    labelmap.checked = {1}
    labelmap.apply(draw_outline(labelmap, [(2, 2), (15, 15)], 1, kind="box", protect=True))
    assert labelmap.index.size(1) == 16


def test_in_a_volume_it_is_drawn_in_any_slice():
    labelmap = map_of(np.zeros((6, 8, 9)), "zyx")
    edit = draw_outline(labelmap, [(1, 3, 1), (4, 3, 6)], 1, kind="box", flat=(0, 2))
    labelmap.apply(edit)
    assert (labelmap.planes[0][1:5, 3, 1:7] == 1).all()
    assert labelmap.index.size(1) == 24
    with pytest.raises(LabelError, match="several slices"):
        draw_outline(labelmap, [(1, 3, 1), (2, 4, 6), (2, 2, 2)], 1)


def test_what_holds_nothing_is_refused():
    labelmap = map_of(np.zeros((8, 9)))
    with pytest.raises(LabelError, match="no pixel"):
        draw_outline(labelmap, [(20, 20), (30, 30)], 1, kind="box")
    with pytest.raises(LabelError, match="three corners"):
        draw_outline(labelmap, [(1, 1), (2, 2)], 1)
