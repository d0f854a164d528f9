"""A drawn line parts an object and loses no pixel."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_cases import check_whole, disc, map_of
from scipy import ndimage

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.polyline import trace
from napari_defectseg.labels.tools.merge import merge
from napari_defectseg.labels.tools.split_line import split_line


@given(st.lists(st.tuples(st.floats(-5, 25), st.floats(-5, 25)), min_size=2, max_size=5))
def test_nothing_slips_through_a_traced_line(corners):
    """The pixels of a line hang together over edges, and each lies on it."""
    pixels = trace(np.array(corners))
    grid = np.zeros(np.ptp(pixels, axis=0) + 1, bool)
    grid[tuple((pixels - pixels.min(axis=0)).T)] = True
    _, parts = ndimage.label(grid)
    assert parts == 1
    fine = np.concatenate([np.linspace(a, b, 200) for a, b in pairwise(corners)])
    away = np.abs(pixels[:, None] - fine[None]).max(axis=2).min(axis=1)
    assert away.max() <= 1.1


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0, -1.0, 2.5])
def test_a_line_across_a_disc_makes_two(slope):
    labelmap = map_of(disc((41, 41), (20, 20), 15))
    size = labelmap.index.size(1)
    points = [(20 - 18 * slope, 2), (20 + 18 * slope, 38)]
    labelmap.apply(split_line(labelmap, 1, points))
    check_whole(labelmap)
    sizes = [labelmap.index.size(n) for n in labelmap.object_classes]
    assert sum(sizes) == size
    assert len(sizes) == 2
    assert min(sizes) > 0.4 * size
    assert labelmap.checked == {1, 2}
    for number in (1, 2):
        assert ndimage.label(labelmap.planes[0] == number, np.ones((3, 3)))[1] == 1


def test_a_line_that_ends_inside_is_refused_with_a_hint():
    labelmap = map_of(disc((41, 41), (20, 20), 15))
    with pytest.raises(LabelError, match="beyond the rim"):
        split_line(labelmap, 1, [(0, 20), (20, 20)])
    with pytest.raises(LabelError, match="does not cross"):
        split_line(labelmap, 1, [(0, 0), (0, 3)])
    with pytest.raises(LabelError, match="two points"):
        split_line(labelmap, 1, [(0, 0)])


def test_in_a_volume_the_cut_goes_through_and_in_the_slice_it_does_not():
    ball = disc((15, 21, 21), (7, 10, 10), 6)
    line = [(7, 10, 0), (7, 10, 20)]
    through = map_of(ball, "zyx")
    through.apply(split_line(through, 1, line))
    above, below = through.planes[0][:, :9], through.planes[0][:, 12:]
    assert np.unique(above).tolist() != np.unique(below).tolist()
    inside = map_of(ball, "zyx")
    inside.apply(split_line(inside, 1, line, within=boxes.slice_box((15, 21, 21), 0, 7)))
    assert set(np.unique(inside.planes[0][7])) == {0, 1, 2}
    assert set(np.unique(np.delete(inside.planes[0], 7, 0))) == {0, 1}
    with pytest.raises(LabelError, match="several slices"):
        split_line(through, 1, [(0, 0, 0), (7, 10, 20)])


def test_a_part_that_was_apart_before_keeps_the_number():
    mask = disc((40, 60), (20, 14), 10) | disc((40, 60), (20, 45), 8)
    labelmap = map_of(mask)
    labelmap.apply(merge(labelmap, [1, 2]))
    labelmap.apply(split_line(labelmap, 1, [(20, 0), (20, 28)]))
    assert labelmap.planes[0][20, 45] == 1
    assert len(labelmap.object_classes) == 2
