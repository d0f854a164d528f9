"""Lines are cut, joined and given a width."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_cases import check_whole, disc, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.linework import half_widths, middle_of
from napari_defectseg.labels.tools.cut import cut
from napari_defectseg.labels.tools.join import join
from napari_defectseg.labels.tools.width import set_width


def bar(width=3, length=40, at=10):
    mask = np.zeros((24, 60), np.uint8)
    mask[at : at + width, 8 : 8 + length] = 1
    return mask


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(20, 36), st.integers(6, 16))
def test_a_line_is_cut_where_it_was_clicked_and_nothing_is_lost(width, column, row):
    labelmap = map_of(bar(width))
    labelmap.apply(cut(labelmap, 1, (row, column)))
    check_whole(labelmap)
    assert len(labelmap.object_classes) == 2
    assert np.count_nonzero(labelmap.planes[0]) == width * 40
    left = labelmap.planes[0][10, 8]
    border = int(np.count_nonzero(labelmap.planes[0][10] == left)) + 8
    assert abs(border - column) <= width / 2 + 2


def test_closed_lines_and_broad_objects_are_not_cut():
    ring = disc((40, 40), (20, 20), 14) & ~disc((40, 40), (20, 20), 11)
    with pytest.raises(LabelError, match="closed, or too broad"):
        cut(map_of(ring), 1, (20, 33))
    branch = bar()
    branch[:, 30:33] = 1
    labelmap = map_of(branch)
    labelmap.apply(cut(labelmap, 1, (11, 15)))
    assert len(labelmap.object_classes) == 2


def test_a_line_in_a_volume_is_cut():
    mask = np.zeros((9, 9, 30), np.uint8)
    mask[3:6, 3:6, 2:28] = 1
    labelmap = map_of(mask, "zyx")
    labelmap.apply(cut(labelmap, 1, (4, 4, 14)))
    check_whole(labelmap)
    assert len(labelmap.object_classes) == 2


@pytest.mark.parametrize("width", [1, 3, 5, 7])
@pytest.mark.parametrize("was", [3, 5, 9])
def test_a_line_gets_the_width_that_was_asked_for(was, width):
    labelmap = map_of(bar(was, at=7))
    edit = set_width(labelmap, 1, width)
    if edit is not None:
        labelmap.apply(edit)
    check_whole(labelmap)
    across = np.count_nonzero(labelmap.planes[0][:, 20:36] == 1, axis=0)
    assert (np.abs(across - width) <= 1).all()
    assert 2 * half_widths(labelmap.planes[0] == 1, (1, 1)).max() == pytest.approx(width, abs=1.01)


def test_width_stops_at_neighbours_and_in_the_frame():
    mask = np.zeros((2, 24, 60), np.uint8)
    mask[0] = bar()
    mask[0, 14:, :] = 2
    labelmap = map_of(mask, "tyx")
    labelmap.apply(set_width(labelmap, 1, 9))
    check_whole(labelmap)
    assert (labelmap.planes[0][0, 14:] == 2).all()
    assert not labelmap.planes[0][1].any()
    with pytest.raises(LabelError, match="1 px or more"):
        set_width(labelmap, 1, 0.5)


def test_the_middle_of_a_bar_is_one_pixel_wide():
    thin = middle_of(bar(5) > 0)
    assert (np.count_nonzero(thin[:, 14:40], axis=0) == 1).all()


def test_three_pieces_become_one_line_without_gaps():
    mask = bar(3, 10)
    mask[10:13, 25:35], mask[13:16, 44:56] = 1, 1
    labelmap = map_of(mask)
    labelmap.apply(join(labelmap, [1, 2, 3]))
    check_whole(labelmap)
    assert set(labelmap.object_classes) == {1}
    own = labelmap.planes[0] == 1
    assert (np.count_nonzero(own[:, 8:56], axis=0) >= 1).all()
    assert np.count_nonzero(own[:, 20]) in (2, 3, 4)


def test_a_bridge_is_not_drawn_over_others_and_must_have_two_ends():
    mask = bar(3, 10)
    mask[10:13, 30:40] = 1
    mask[:, 22:24] = 2
    labelmap = map_of(mask)
    wall = int(labelmap.planes[0][0, 22])
    pieces = [int(labelmap.planes[0][11, 10]), int(labelmap.planes[0][11, 32])]
    labelmap.apply(join(labelmap, pieces))
    check_whole(labelmap)
    assert labelmap.index.size(wall) == 48
    with pytest.raises(LabelError, match="two lines or more"):
        join(labelmap, [wall])
    movie = map_of(np.stack([bar(), bar()]), "tyx")
    with pytest.raises(LabelError, match="different frames"):
        join(movie, [1, 2])
    overlapping = map_of(np.stack([bar(), bar(), bar()]), exclusive=False)
    with pytest.raises(LabelError, match="cannot be joined"):
        join(overlapping, [1, 2])
