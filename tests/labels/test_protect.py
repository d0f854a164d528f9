"""A new prediction goes around what a person decided, and calls the same thing the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_cases import check_whole, disc, label_maps, map_of, state

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.construct import from_mask
from napari_defectseg.labels.history import History
from napari_defectseg.labels.protect import redecode
from napari_defectseg.labels.stroke import Stroke
from napari_defectseg.labels.tools.accept import accept
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.erase import erase
from napari_defectseg.labels.tools.merge import merge

SHAPE = (60, 90)


def scene(*, grow=0, extra=(), value=1):
    mask = np.zeros(SHAPE, np.uint8)
    for centre, radius in (((15, 15), 8), ((15, 50), 8), ((42, 30), 9), *extra):
        mask[disc(SHAPE, centre, radius + grow)] = value
    return map_of(mask)


@pytest.mark.parametrize("grow", [-2, 0, 3])
def test_a_threshold_keeps_all_numbers(grow):
    history = History(scene())
    redecode(history, scene(grow=grow, extra=[((40, 75), 5)]), "threshold")
    plane = history.labelmap.planes[0]
    assert [plane[15, 15], plane[15, 50], plane[42, 30]] == [1, 2, 3]
    assert plane[40, 75] == 4
    check_whole(history.labelmap)


@pytest.mark.parametrize("grow", [-2, 0, 1, 4])
def test_a_checked_object_keeps_pixels_class_and_number_and_gets_no_rim(grow):
    history = History(scene())
    history.push(accept(history.labelmap, 2))
    before = history.labelmap.planes[0] == 2
    redecode(history, scene(grow=grow, value=3), "prediction")
    np.testing.assert_array_equal(history.labelmap.planes[0] == 2, before)
    assert history.labelmap.object_classes[2] == 1
    assert history.labelmap.checked == {2}
    assert len(history.labelmap.object_classes) == 3
    check_whole(history.labelmap)


@pytest.mark.parametrize("grow", [-2, 0, 1, 4])
def test_what_a_person_deleted_does_not_come_back(grow):
    history = History(scene())
    history.push(delete(history.labelmap, 2))
    redecode(history, scene(grow=grow), "threshold")
    assert not history.labelmap.planes[0][4:26, 38:62].any()
    assert len(history.labelmap.object_classes) == 2
    history.undo()
    history.undo()
    redecode(history, scene(grow=grow), "threshold")
    assert history.labelmap.planes[0][15, 50]


def test_a_neighbour_that_grew_together_with_a_checked_object_stays():
    mask = np.zeros(SHAPE, np.uint8)
    mask[disc(SHAPE, (30, 30), 12)] = 1
    history = History(map_of(mask))
    history.push(accept(history.labelmap, 1))
    mask[disc(SHAPE, (30, 50), 9)] = 1
    redecode(history, map_of(mask), "threshold")
    assert history.labelmap.planes[0][30, 30] == 1
    assert history.labelmap.planes[0][30, 52] == 2
    assert len(history.labelmap.object_classes) == 2


def test_an_erased_part_stays_erased_and_a_network_goes_around():
    network = np.ones(SHAPE, np.uint8)
    network[::6, ::6] = 0
    history = History(map_of(network))
    stroke = np.zeros(SHAPE, bool)
    stroke[20:30, 20:30] = True
    history.push(erase(history.labelmap, Stroke.of(stroke)))
    history.push(accept(history.labelmap, 1, checked=False))
    redecode(history, map_of(np.ones(SHAPE, np.uint8)), "threshold")
    plane = history.labelmap.planes[0]
    assert not plane[20:30, 20:30][network[20:30, 20:30] > 0].any()
    assert (plane[:20] == 1).all()


def test_merged_and_redone_work_is_kept_and_undo_goes_all_the_way_back():
    history = History(scene())
    start = state(history.labelmap)
    history.push(merge(history.labelmap, [1, 2]))
    drawn = state(history.labelmap)
    redecode(history, map_of(np.zeros(SHAPE, np.uint8)), "prediction")
    assert set(history.labelmap.object_classes) == {1}
    history.undo()
    assert state(history.labelmap) == drawn
    history.undo()
    assert state(history.labelmap) == start


def test_a_slider_does_not_use_up_numbers():
    history = History(scene())
    for step in range(20):
        redecode(history, scene(extra=[((40, 60 + step), 4)]), "threshold", fold=True)
    assert history.undo_names == ("threshold",)
    assert max(history.labelmap.object_classes) <= 5
    check_whole(history.labelmap)


def test_without_protection_checked_objects_give_way():
    history = History(scene())
    history.push(accept(history.labelmap, 2))
    redecode(history, scene(grow=2), "prediction", protect=False)
    assert history.labelmap.checked == set()
    assert history.labelmap.planes[0][15, 59] == 2


def test_another_shape_is_refused_before_anything_happens():
    history = History(scene())
    before = state(history.labelmap)
    with pytest.raises(LabelError, match="cannot replace"):
        redecode(history, map_of(np.ones((4, 4))), "prediction")
    assert state(history.labelmap) == before


@settings(max_examples=80, deadline=None)
@given(labelmap=label_maps(), seed=st.integers(0, 2**32 - 1))
def test_whatever_is_predicted_decisions_stay(labelmap, seed):
    """Checked objects are the same pixels; deleted pixels stay background; all agrees."""
    rng = np.random.default_rng(seed)
    history = History(labelmap)
    before = state(labelmap)
    doomed = sorted(labelmap.object_classes)[:2]
    deleted = [np.isin(plane, doomed) for plane in labelmap.planes]
    if doomed:
        history.push(delete(labelmap, doomed))
    kept = [np.where(np.isin(p, list(labelmap.checked)), p, 0) for p in labelmap.planes]
    checked = set(labelmap.checked)
    overlapping = not labelmap.classes.exclusive
    shape = (len(labelmap.classes), *labelmap.shape) if overlapping else labelmap.shape
    mask = rng.random(shape) < rng.choice([0.2, 0.6])
    mask = mask * (1 if overlapping else rng.integers(1, 4, shape))
    new = from_mask(mask.astype(np.uint8), labelmap.classes, labelmap.axes, labelmap.calibration)
    redecode(history, new, "prediction")
    check_whole(labelmap)
    assert labelmap.checked == checked
    for plane, own, gone in zip(labelmap.planes, kept, deleted, strict=True):
        np.testing.assert_array_equal(plane[own > 0], own[own > 0])
        assert np.count_nonzero(np.isin(plane, list(checked))) == np.count_nonzero(own)
        assert not plane[gone].any()
    while history.can_undo:
        history.undo()
    assert state(labelmap) == before
