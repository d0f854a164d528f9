"""An object grows and shrinks along the contours of the model's scores."""

from __future__ import annotations

import numpy as np
import pytest
from label_cases import check_whole, disc, map_of
from scipy import ndimage

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import boxes
from napari_defectseg.labels.flood import flood
from napari_defectseg.labels.tools.level import level, surest


def hill(shape, centre, width):
    grids = np.ogrid[tuple(slice(0, n) for n in shape)]
    away = sum((g - c) ** 2 for g, c in zip(grids, centre, strict=True))
    return np.exp(-away / (2 * width**2)).astype(np.float32)


@pytest.mark.parametrize("shape", [(60, 60), (24, 30, 30)])
def test_the_rim_moves_from_contour_to_contour_and_back(shape):
    axes = "yx" if len(shape) == 2 else "zyx"
    centre = tuple(n // 2 for n in shape)
    scores = hill(shape, centre, min(shape) / 6)
    labelmap = map_of(scores >= 0.5, axes)
    sizes = [labelmap.index.size(1)]
    for grow in (True, True, True, False, False, False):
        before = sizes[-1]
        labelmap.apply(level(labelmap, 1, scores.__getitem__, grow=grow, seed=centre))
        check_whole(labelmap)
        own = labelmap.planes[0] == 1
        assert own.sum() == (scores >= scores[own].min()).sum(), "a contour of the scores"
        sizes.append(int(own.sum()))
        gain = (sizes[-1] - before) * (1 if grow else -1)
        assert 0.1 * before <= gain < 0.5 * before + 8


def test_it_stops_at_other_objects_and_stays_in_its_frame():
    scores = np.stack([hill((40, 40), (20, 20), 9)] * 2)
    mask = np.zeros((2, 40, 40), np.uint8)
    mask[0] = disc((40, 40), (20, 20), 6)
    mask[0, :, 28:] = 2
    labelmap = map_of(mask, "tyx")
    number, wall = int(labelmap.planes[0][0, 20, 20]), int(labelmap.planes[0][0, 0, 30])
    for _ in range(8):
        labelmap.apply(level(labelmap, number, scores.__getitem__, grow=True))
    check_whole(labelmap)
    assert (labelmap.planes[0][0, :, 28:] == wall).all()
    assert labelmap.index.size(number) > 200
    assert not labelmap.planes[0][1].any()


def test_in_the_slice_only_the_slice_changes():
    scores = hill((11, 30, 30), (5, 15, 15), 6)
    labelmap = map_of(scores >= 0.6, "zyx")
    within = boxes.slice_box(labelmap.shape, 0, 5)
    edit = level(labelmap, 1, scores.__getitem__, grow=True, within=within)
    assert all(change.box[0] == slice(5, 6) for change in edit.changes)


def test_even_scores_know_no_further_level():
    labelmap = map_of(disc((30, 30), (15, 15), 5))
    flat = np.ones((30, 30), np.float32)
    with pytest.raises(LabelError, match="no higher level"):
        level(labelmap, 1, flat.__getitem__, grow=False)
    with pytest.raises(LabelError, match="do not fit"):
        level(labelmap, 1, lambda box: flat[:2, :2], grow=True)
    fenced = map_of(np.ones((9, 9)))
    with pytest.raises(LabelError, match="no lower level"):
        level(fenced, 1, hill((9, 9), (4, 4), 3).__getitem__, grow=True)


def test_the_surest_pixel_is_the_highest_score_of_the_object():
    scores = hill((40, 40), (12, 20), 5)
    labelmap = map_of(scores > 0.3)
    assert surest(labelmap, 1, scores.__getitem__) == (12, 20)


@pytest.mark.parametrize("seed", range(5))
def test_a_flood_finds_the_connected_parts_above_each_level(seed):
    rng = np.random.default_rng(seed)
    heights = rng.integers(0, 12, (9, 10, 4)).astype(np.float32)
    start = tuple(int(rng.integers(0, n)) for n in heights.shape)
    near = np.ones((3, 3, 3), bool)
    order, levels = flood(heights, start, near, heights.size)
    assert sorted(order.tolist()) == list(range(heights.size))
    for height in np.unique(levels):
        parts, _ = ndimage.label(heights >= height, near)
        wanted = np.flatnonzero((parts == parts[start]) & (parts > 0))
        assert sorted(order[levels >= height].tolist()) == wanted.tolist()
