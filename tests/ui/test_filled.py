"""Areas drawn by hand become the pixels whose centre lies inside."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.ui.filled import filled, outline


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 20), st.integers(0, 20), st.integers(1, 20), st.integers(1, 20),
    st.integers(21, 50), st.integers(21, 50),
)  # fmt: skip
def test_a_rectangle_between_pixels_is_exact(y, x, height, width, rows, columns):
    corners = np.array([[y, x], [y, x + width], [y + height, x + width], [y + height, x]]) - 0.5
    wanted = np.zeros((rows, columns), bool)
    wanted[y : y + height, x : x + width] = True
    np.testing.assert_array_equal(filled([corners], (rows, columns)), wanted)


def test_an_ellipse_has_its_area_and_centre():
    corners = np.array([[10, 20], [10, 80], [50, 80], [50, 20]], float)
    mask = filled([outline(corners, "ellipse")], (64, 100))
    assert mask.sum() == pytest.approx(np.pi * 20 * 30, rel=0.01)
    np.testing.assert_allclose(np.argwhere(mask).mean(axis=0), (30, 50), atol=0.5)


def test_outside_of_the_picture_is_cut_and_overlap_counts_once():
    square = np.array([[-10, -10], [-10, 4.5], [4.5, 4.5], [4.5, -10]])
    mask = filled([square, square + 1], (20, 20))
    assert mask.sum() == 6 * 6
    assert mask[:6, :6].all()
    assert not filled([], (3, 4)).any()


def test_a_large_picture_is_quick():
    angle = np.linspace(0, 6.28, 300)
    corners = np.c_[1000 + 900 * np.sin(angle), 1000 + 900 * np.cos(angle)]
    began = time.process_time()
    filled([corners], (2048, 2048))
    assert time.process_time() - began < 0.2
