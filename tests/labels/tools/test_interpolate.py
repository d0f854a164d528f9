"""Slices between painted ones are filled by shape, never over neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_cases import check_whole, disc, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.tools.interpolate import interpolate


def two_slices(one, two, depth=11):
    mask = np.zeros((depth, *one.shape), np.uint8)
    mask[0], mask[-1] = one, two
    return map_of(mask, "zyx")


def test_a_cone_comes_out_as_a_cone():
    labelmap = two_slices(disc((41, 41), (20, 20), 16), disc((41, 41), (20, 20), 6))
    labelmap.apply(interpolate(labelmap, [1, 2]))
    check_whole(labelmap)
    assert set(labelmap.object_classes) == {1}
    for index in range(11):
        wanted = disc((41, 41), (20, 20), 16 - index)
        got = labelmap.planes[0][index] == 1
        assert 2 * (wanted & got).sum() / (wanted.sum() + got.sum()) > 0.93


@settings(deadline=None, max_examples=20)
@given(st.integers(4, 9), st.integers(4, 9), st.integers(10, 38), st.integers(2, 14))
def test_a_slanting_pore_is_filled_even_if_its_sections_do_not_overlap(r1, r2, to, depth):
    first, last = disc((24, 50), (12, 11), r1), disc((24, 50), (12, to), r2)
    labelmap = two_slices(first, last, depth + 2)
    labelmap.apply(interpolate(labelmap, [1, 2]))
    check_whole(labelmap)
    own = labelmap.planes[0] == 1
    np.testing.assert_array_equal(own[0], first)
    np.testing.assert_array_equal(own[-1], last)
    areas = own.sum(axis=(1, 2))
    low, high = sorted((first.sum(), last.sum()))
    assert (areas > 0.8 * low).all()
    assert (areas < 1.2 * high).all()


def test_neighbours_stay_and_the_same_slices_twice_fill_a_prism():
    square = np.zeros((12, 12), bool)
    square[2:10, 2:10] = True
    labelmap = two_slices(square, square, 5)
    labelmap.planes[0][2, 4:6, 4:6] = 9
    labelmap.object_classes[9] = 2
    labelmap._index = None
    labelmap.apply(interpolate(labelmap, [1, 2]))
    check_whole(labelmap)
    assert labelmap.index.size(9) == 4
    assert labelmap.index.size(1) == 5 * 64 - 4


def test_several_gaps_of_one_object_in_one_edit():
    ball = disc((21, 24, 24), (10, 12, 12), 10)
    mask = ball.copy()
    mask[[1, 2, 4, 5, 6, 8, 9, 11, 12, 14, 15, 16, 18, 19]] = False
    labelmap = map_of(mask, "zyx")
    numbers = sorted(labelmap.object_classes)
    labelmap.apply(interpolate(labelmap, numbers))
    own = labelmap.planes[0] > 0
    assert 2 * (own & ball).sum() / (own.sum() + ball.sum()) > 0.95


def test_what_has_no_gap_or_no_slices_is_said():
    with pytest.raises(LabelError, match="Nothing is left out"):
        interpolate(map_of(np.ones((3, 4, 4)), "zyx"), 1)
    with pytest.raises(LabelError, match="no slices"):
        interpolate(map_of(np.ones((4, 4))), 1)
