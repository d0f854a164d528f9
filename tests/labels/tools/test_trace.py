"""A line is traced along its ridge between two clicks."""

from __future__ import annotations

import numpy as np
import pytest
from label_cases import check_whole, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.ridge import path_along, ridges
from napari_defectseg.labels.tools.trace import trace


def wavy(shape=(80, 120), *, bright=True, noise=0.2, seed=0):
    """A wavy line three pixels wide; returns the image and its middle for each column."""
    columns = np.arange(shape[1])
    middle = shape[0] / 2 + 14 * np.sin(columns / 14)
    rows = np.arange(shape[0])[:, None]
    line = np.exp(-((rows - middle) ** 2) / (2 * 1.3**2))
    rng = np.random.default_rng(seed)
    image = (line if bright else 1 - line) + rng.normal(0, noise, shape)
    return image.astype(np.float32), middle


@pytest.mark.parametrize("bright", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_a_wavy_line_is_found_in_noise(bright, seed):
    image, middle = wavy(bright=bright, seed=seed)
    labelmap = map_of(np.zeros(image.shape))
    ends = [(round(middle[5]), 5), (round(middle[114]), 114)]
    labelmap.apply(trace(labelmap, ends, image.__getitem__, 3, width=3))
    check_whole(labelmap)
    assert labelmap.object_classes == {1: 3}
    rows, columns = np.nonzero(labelmap.planes[0])
    away = np.abs(rows - middle[columns]) / np.hypot(1, np.gradient(middle)[columns])
    assert np.percentile(away, 99) < 3
    assert set(columns.tolist()) >= set(range(6, 114))


def test_it_goes_on_from_the_object_it_begins_on_and_leaves_others():
    image, middle = wavy()
    mask = np.zeros(image.shape, np.uint8)
    mask[round(middle[5]) - 1 : round(middle[5]) + 2, 2:8] = 1
    mask[:, 100:104] = 1
    labelmap = map_of(mask)
    first = int(labelmap.planes[0][round(middle[5]), 5])
    wall = int(labelmap.planes[0][0, 101])
    size = labelmap.index.size(wall)
    ends = [(round(middle[5]), 5), (round(middle[95]), 95)]
    labelmap.apply(trace(labelmap, ends, image.__getitem__, 1))
    check_whole(labelmap)
    assert labelmap.index.size(first) > 250
    assert labelmap.index.size(wall) == size


def test_in_a_slice_and_through_a_volume():
    image, middle = wavy()
    volume = np.random.default_rng(0).normal(0, 0.2, (5, *image.shape)).astype(np.float32)
    volume[2] = image
    labelmap = map_of(np.zeros(volume.shape), "zyx")
    ends = [(2, round(middle[5]), 5), (2, round(middle[60]), 60)]
    labelmap.apply(trace(labelmap, ends, volume.__getitem__, 1))
    assert not labelmap.planes[0][[0, 1, 3, 4]].any()
    tilted = np.zeros((20, 24, 24), np.float32)
    for i in range(20):
        tilted[i, i + 1 : i + 3, i + 1 : i + 3] = 1
    deep = map_of(np.zeros(tilted.shape), "zyx")
    deep.apply(trace(deep, [(1, 3, 3), (18, 20, 20)], tilted.__getitem__, 1, width=1))
    found = np.argwhere(deep.planes[0])
    assert set(found[:, 0].tolist()) == set(range(1, 19))
    assert np.abs(found[:, 1] - found[:, 0] - 1.5).max() < 2


def test_what_cannot_be_traced_is_said():
    labelmap = map_of(np.zeros((20, 20)))
    read = np.zeros((20, 20), np.float32).__getitem__
    for points, told in (([(1, 1)], "two points"), ([(1, 1), (30, 3)], "outside")):
        with pytest.raises(LabelError, match=told):
            trace(labelmap, points, read, 1)
    with pytest.raises(LabelError, match="1 px or more"):
        trace(labelmap, [(1, 1), (3, 3)], read, 1, width=0)
    movie = map_of(np.zeros((2, 9, 9)), "tyx")
    with pytest.raises(LabelError, match="different frames"):
        trace(movie, [(0, 1, 1), (1, 3, 3)], np.zeros((2, 9, 9), np.float32).__getitem__, 1)


def test_a_ridge_is_strongest_in_its_middle_and_a_wall_closes_the_way():
    image, middle = wavy(noise=0.0)
    strength = ridges(image, bright=True)
    rows = strength[:, 20:100].argmax(axis=0)
    assert np.abs(rows - middle[20:100]).max() < 2
    assert ridges(np.zeros((9, 9), np.float32), bright=False).max() == 0
    wall = np.zeros(image.shape, bool)
    wall[:, 60] = True
    ends = (round(middle[5]), 5), (round(middle[110]), 110)
    assert path_along(image, *ends, closed=wall) is None
