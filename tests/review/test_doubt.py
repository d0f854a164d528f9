"""Doubt: its formula, its reasons in words, and scores that lie on disk."""

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from squares import scores_of, squares

from napari_defectseg.core.errors import LabelError
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.review import entropy
from napari_defectseg.review.doubt import WEIGHTS, combined, object_doubts, robust_z

SURE = dict.fromkeys(range(1, 13), 0.99)


@given(st.lists(st.floats(0, 0.95), max_size=6))
def test_more_reasons_never_lower_the_doubt_and_it_stays_below_one(shares):
    value = combined(shares)
    assert 0 <= value < 1
    assert value >= max(shares, default=0.0) - 1e-12


def test_the_undecided_object_comes_first_and_says_so():
    labels = squares()
    doubts = object_doubts(labels, scores_of(labels, {**SURE, 5: 0.5}))
    assert max(doubts.values(), key=lambda one: one.value).number == 5
    expected = np.log(2) / np.log(3)
    assert doubts[5].share_of("entropy") == pytest.approx(WEIGHTS["entropy"] * expected, rel=1e-5)
    assert doubts[5].why == "scores are undecided"
    assert doubts[5].score == pytest.approx(0.5)
    assert doubts[1].why == "scores are a little undecided" or doubts[1].why == "nothing unusual"


def test_scores_on_disk_slab_by_slab_give_the_same(tmp_path, monkeypatch):
    labels = squares()
    scores = scores_of(labels, {**SURE, 5: 0.5, 6: 0.7})
    stored = zarr.open_array(tmp_path / "s.zarr", mode="w", shape=scores.shape, dtype="f4")
    stored[...] = scores
    whole = object_doubts(labels, scores)
    monkeypatch.setattr(entropy, "VOXELS", 200)
    sliced = object_doubts(labels, stored)
    assert {n: one.value for n, one in sliced.items()} == pytest.approx(
        {n: one.value for n, one in whole.items()}
    )


def test_an_unlikely_size_is_named_as_a_multiple_of_the_typical_one():
    labels = squares(16)
    rng = np.random.default_rng(0)
    for number in range(1, 17):
        ys, xs = np.nonzero(labels.planes[0] == number)
        drop = rng.integers(0, 4)
        labels.planes[0][ys[:drop], xs[:drop]] = 0
    labels.planes[0][3:9, 3:9] = 1
    labels._index = None
    doubts = object_doubts(labels)
    assert "times the typical size" in doubts[1].why
    assert doubts[1].share_of("size") > 0
    assert doubts[7].share_of("size") == 0


def test_disagreement_change_and_border_each_count():
    labels = squares()
    differ = np.zeros(labels.shape)
    differ[labels.planes[0] == 2] = 0.8
    labels.planes[0][0, 13] = 0
    labels.planes[0][0:3, 3:7] = 1
    labels._index = None
    doubts = object_doubts(labels, disagreement=differ, changed={3})
    assert doubts[2].why == "flips or models disagree"
    assert doubts[2].value == pytest.approx(0.9 * 0.8)
    assert doubts[3].why == "changed by the last model"
    assert "touches the border" in doubts[1].why
    assert doubts[4].value == 0
    assert doubts[4].why == "nothing unusual"


def test_an_unusual_shape_comes_from_the_table():
    labels = squares(16, side=4)
    rng = np.random.default_rng(1)
    for number in range(2, 17):
        ys, xs = np.nonzero(labels.planes[0] == number)
        labels.planes[0][ys[: rng.integers(0, 3)], xs[0]] = 0
    labels.planes[0][labels.planes[0] == 1] = 0
    labels.planes[0][3:5, 2:9] = 1
    labels._index = None
    doubts = object_doubts(labels, table=measure_regions(labels))
    assert "elongated" in doubts[1].why


def test_few_objects_say_nothing_about_what_is_usual():
    assert not robust_z(np.array([1.0, 1, 1, 50])).any()


def test_scores_of_another_image_are_refused():
    with pytest.raises(LabelError, match="not those of labels"):
        object_doubts(squares(), np.zeros((3, 5, 5)))
