"""A deletion is repeated in the frames beside; what is checked or another object stays."""

from __future__ import annotations

import numpy as np
import pytest
from label_cases import check_whole, disc, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.history import History
from napari_defectseg.labels.tools.delete_along import delete_along


@pytest.fixture
def movie():
    """A bubble that drifts through five frames, and one that stands still beside it."""
    found = np.stack([disc((40, 90), (20, 15 + 3 * t), 6) for t in range(5)])
    found |= np.stack([disc((40, 90), (20, 70), 6)] * 5)
    return map_of(found, "tyx")


def drifting(labelmap):
    return [int(labelmap.planes[0][t, 20, 15 + 3 * t]) for t in range(5)]


def test_the_same_object_goes_from_the_frames_beside_and_undo_brings_all_back(movie):
    history, numbers = History(movie), drifting(movie)
    before = movie.planes[0].copy()
    history.push(delete_along(movie, numbers[1], [2, 3]))
    check_whole(movie)
    assert {n for n in numbers if n in movie.object_classes} == {numbers[0], numbers[4]}
    assert len(movie.object_classes) == 10 - 3, "the other bubble stays"
    history.undo()
    np.testing.assert_array_equal(movie.planes[0], before)


def test_backwards_and_beyond_the_first_frame(movie):
    numbers = drifting(movie)
    movie.apply(delete_along(movie, numbers[1], [0, -1, -2]))
    assert [n in movie.object_classes for n in numbers] == [False, False, True, True, True]


def test_a_checked_object_or_another_class_ends_it(movie):
    numbers = drifting(movie)
    movie.checked.add(numbers[3])
    movie.apply(delete_along(movie, numbers[1], [2, 3, 4]))
    assert [n in movie.object_classes for n in numbers] == [True, False, False, True, True]
    movie.object_classes[numbers[4]] = 2
    movie.apply(delete_along(movie, numbers[3], [4]))
    assert numbers[4] in movie.object_classes


def test_a_volume_has_no_frames():
    volume = map_of(np.ones((2, 4, 4), bool), "zyx")
    with pytest.raises(LabelError, match="no frames"):
        delete_along(volume, 1, [1])
