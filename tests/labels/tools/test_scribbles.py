"""A few strokes fill the object they lie in, fenced in by other objects."""

from __future__ import annotations

import time

import numpy as np
import pytest
from label_cases import check_whole, disc, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.tools.scribbles import fill_scribbles


def dice(one, two):
    return 2 * np.count_nonzero(one & two) / (one.sum() + two.sum())


def pore(shape=(40, 56, 56), noise=0.35, seed=0):
    """A lumpy pore of two balls beside a third one, in noise of a third of the contrast."""
    centre = tuple(n // 2 for n in shape)
    truth = disc(shape, centre, min(shape) // 4)
    truth |= disc(shape, (centre[0], centre[1], centre[2] + 8), min(shape) // 5)
    other = disc(shape, (centre[0], 6, 6), 5)
    image = (truth | other) + np.random.default_rng(seed).normal(0, noise, shape)
    return truth, other, image.astype(np.float32)


def strokes(truth, slices, width=2):
    mask = np.zeros(truth.shape, np.uint8)
    for index in slices:
        rows, columns = np.nonzero(truth[index])
        row, middle = int(np.median(rows)), int(np.median(columns))
        mask[index, row : row + width, middle - 4 : middle + 5] = 1
    return mask


@pytest.mark.parametrize("seed", range(3))
def test_strokes_on_three_slices_fill_a_pore(seed):
    truth, other, image = pore(seed=seed)
    labelmap = map_of(strokes(truth, (14, 20, 26)), "zyx")
    numbers = sorted(labelmap.object_classes)
    plane = labelmap.planes[0]
    plane[plane > 0] = 1
    labelmap.restart({1: 1}, set())
    assert len(numbers) == 3
    labelmap.apply(fill_scribbles(labelmap, 1, image.__getitem__))
    check_whole(labelmap)
    assert dice(labelmap.planes[0] == 1, truth) > 0.93
    assert not (labelmap.planes[0][other] == 1).any()


def test_another_object_is_a_fence():
    truth, _, image = pore(noise=0.1)
    mask = strokes(truth, (20,))
    mask[:, :, 36:] = 2
    labelmap = map_of(mask, "zyx")
    before = labelmap.planes[0] == 2
    labelmap.apply(fill_scribbles(labelmap, 1, image.__getitem__))
    np.testing.assert_array_equal(labelmap.planes[0] == 2, before)
    assert labelmap.index.size(1) > 2000


def test_in_an_image_and_in_a_frame_of_a_movie():
    truth = disc((60, 60), (30, 30), 14)
    image = truth * 2.0 + np.random.default_rng(0).normal(0, 0.4, truth.shape)
    mask = np.zeros(truth.shape, np.uint8)
    mask[29:31, 24:37] = 1
    labelmap = map_of(mask)
    labelmap.apply(fill_scribbles(labelmap, 1, image.__getitem__))
    assert dice(labelmap.planes[0] == 1, truth) > 0.95
    movie = map_of(np.stack([np.zeros_like(mask), mask]), "tyx")
    movie.apply(fill_scribbles(movie, 1, np.stack([image, image]).__getitem__))
    check_whole(movie)
    assert dice(movie.planes[0][1] == 1, truth) > 0.95


def test_too_large_and_nothing_to_fill_are_said(monkeypatch):
    labelmap = map_of(np.ones((6, 6)))
    with pytest.raises(LabelError, match="Nothing beyond"):
        fill_scribbles(labelmap, 1, np.zeros((6, 6)).__getitem__)
    with pytest.raises(LabelError, match="do not fit"):
        fill_scribbles(map_of(np.eye(30) > 0), 1, lambda box: np.zeros((2, 2)))
    monkeypatch.setattr("napari_defectseg.labels.tools.scribbles.MOST", 10)
    with pytest.raises(LabelError, match="too large"):
        fill_scribbles(labelmap, 1, np.zeros((6, 6)).__getitem__)


def test_a_crop_of_128_cubed_takes_two_seconds_at_most():
    truth, _, image = pore((128, 128, 128))
    labelmap = map_of(strokes(truth, (56, 64, 72)), "zyx")
    plane = labelmap.planes[0]
    plane[plane > 0] = 1
    labelmap.restart({1: 1}, set())
    fill_scribbles(map_of(strokes(pore()[0], (20,)), "zyx"), 1, pore()[2].__getitem__)
    start = time.thread_time()
    edit = fill_scribbles(labelmap, 1, image.__getitem__, room=128)
    spent = time.thread_time() - start
    labelmap.apply(edit)
    assert dice(labelmap.planes[0] == 1, truth) > 0.9
    assert spent < 2.0, f"{spent:.1f} s of the processor"
