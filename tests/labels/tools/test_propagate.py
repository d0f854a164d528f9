"""A correction is repeated in the frames beside it; objects there keep their numbers."""

from __future__ import annotations

import numpy as np
import pytest
from label_cases import check_whole, disc, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.tools.propagate import propagate


def movie(step=3, frames=5, seed=0):
    """A pore that moves and grows a little; found too small in every frame but the first."""
    rng = np.random.default_rng(seed)
    truth = np.stack([disc((40, 70), (20, 15 + step * t), 8) for t in range(frames)])
    found = np.stack([disc((40, 70), (20, 15 + step * t), 4) for t in range(frames)])
    image = truth + rng.normal(0, 0.15, truth.shape)
    found[0] = truth[0]
    return truth, found, image


def test_shape_and_class_go_along_with_what_the_image_shows():
    truth, found, image = movie()
    labelmap = map_of(found, "tyx")
    numbers = [int(labelmap.planes[0][t, 20, 15 + 3 * t]) for t in range(5)]
    labelmap.object_classes[numbers[0]] = 2
    labelmap.apply(propagate(labelmap, numbers[0], range(1, 5), image.__getitem__))
    check_whole(labelmap)
    for t, number in enumerate(numbers):
        own = labelmap.planes[0][t] == number
        assert 2 * (own & truth[t]).sum() / (own.sum() + truth[t].sum()) > 0.9
        assert labelmap.object_classes[number] == 2
    assert set(labelmap.object_classes) == set(numbers), "identities are kept"


def test_backwards_into_empty_frames_it_draws_new_objects():
    truth, _, _ = movie(step=0)
    found = np.zeros_like(truth)
    found[4] = truth[4]
    labelmap = map_of(found, "tyx")
    labelmap.apply(propagate(labelmap, 1, [3, 2, 1]))
    check_whole(labelmap)
    assert len(labelmap.object_classes) == 4
    assert not labelmap.planes[0][0].any()


def test_checked_objects_stay_and_end_it():
    _truth, found, image = movie(step=1)
    labelmap = map_of(found, "tyx")
    numbers = [int(labelmap.planes[0][t, 20, 15 + t]) for t in range(5)]
    labelmap.checked = {numbers[2]}
    before = labelmap.planes[0][2:].copy()
    labelmap.apply(propagate(labelmap, numbers[0], range(1, 5), image.__getitem__))
    np.testing.assert_array_equal(labelmap.planes[0][2:], before)
    assert labelmap.index.size(numbers[1]) > 150


def test_where_there_are_no_frames_it_is_said():
    with pytest.raises(LabelError, match="no frames"):
        propagate(map_of(np.ones((4, 4))), 1, [1])
    labelmap = map_of(np.ones((2, 4, 4)), "tyx")
    with pytest.raises(LabelError, match="different frames"):
        propagate(labelmap, [1, 2], [1])
    with pytest.raises(LabelError, match="Nothing was repeated"):
        propagate(labelmap, 2, [2, 3])
