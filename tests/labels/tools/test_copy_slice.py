"""A section is copied to the next slice or frame, around what is there."""

from __future__ import annotations

import numpy as np
import pytest
from label_cases import check_whole, map_of

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.tools.copy_slice import copy_slice


def test_the_next_slice_of_a_volume_belongs_to_the_same_object():
    mask = np.zeros((4, 10, 10), np.uint8)
    mask[1, 2:6, 2:6] = 1
    mask[2, 4:8, 4:8] = 2
    labelmap = map_of(mask, "zyx")
    labelmap.apply(copy_slice(labelmap, 1, axis=0, source=1, target=2))
    check_whole(labelmap)
    assert np.count_nonzero(labelmap.planes[0][2] == 1) == 12
    assert np.count_nonzero(labelmap.planes[0][2] == 2) == 16
    assert 1 in labelmap.checked


def test_the_next_frame_of_a_movie_gets_objects_of_its_own():
    mask = np.zeros((3, 10, 10), np.uint8)
    mask[0, 1:4, 1:4], mask[0, 6:9, 6:9] = 1, 2
    labelmap = map_of(mask, "tyx")
    labelmap.apply(copy_slice(labelmap, [1, 2], axis=0, source=0, target=1))
    check_whole(labelmap)
    assert sorted(labelmap.object_classes.values()) == [1, 1, 2, 2]


def test_no_room_no_slice_and_no_section_are_said():
    mask = np.zeros((3, 8, 8), np.uint8)
    mask[0, 2:4, 2:4], mask[1, 1:6, 1:6] = 1, 2
    labelmap = map_of(mask, "zyx")
    for source, target, told in ((0, 1, "no room"), (0, -1, "no slice"), (2, 1, "not in")):
        with pytest.raises(LabelError, match=told):
            copy_slice(labelmap, 1, axis=0, source=source, target=target)
