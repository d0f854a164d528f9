"""Scores become masks and objects as the contract says."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_cases import calibration_of, map_of

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ClassError, LabelError
from napari_defectseg.labels.decode import DecodeSettings, decode, decode_mask, object_scores

NAMES = ("void", "precipitate", "loop")


def expected_exclusive(scores, thresholds):
    """The contract's sentence, pixel by pixel."""
    out = np.zeros(scores.shape[1:], np.uint8)
    for place in np.ndindex(out.shape):
        column = scores[(slice(None), *place)]
        best = int(np.argmax(column[1:]))
        limit = thresholds.get(NAMES[best])
        if limit is None:
            won = column[best + 1] > column[0]
        else:
            won = column[best + 1] >= np.float32(limit)
        out[place] = best + 1 if won else 0
    return out


@settings(deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from((None, 0.0, 0.25, 0.5, 0.9))),
)
def test_exclusive_classes_follow_the_contract(seed, thresholds):
    rng = np.random.default_rng(seed)
    scores = rng.dirichlet(np.ones(4), (4, 5)).astype(np.float32).transpose(2, 0, 1)
    classes = ClassMap.of(NAMES)
    mask = decode_mask(scores, classes, task="exclusive", settings=DecodeSettings(thresholds))
    np.testing.assert_array_equal(mask, expected_exclusive(scores, thresholds))


def test_a_class_without_threshold_wins_as_the_best_class():
    scores = np.array([[0.4], [0.35], [0.25], [0.0]], np.float32)
    mask = decode_mask(scores[..., None], ClassMap.of(NAMES), task="exclusive")
    assert mask.item() == 0


def test_exclusive_without_background_channel():
    scores = np.array([[0.2, 0.6], [0.5, 0.3], [0.3, 0.1]], np.float32)[:, None]
    mask = decode_mask(scores, ClassMap.of(NAMES), task="exclusive")
    assert mask.tolist() == [[2, 1]]
    settings = DecodeSettings({"void": 0.7})
    assert decode_mask(
        scores, ClassMap.of(NAMES), task="exclusive", settings=settings
    ).tolist() == [[2, 0]]


def test_binary_and_multilabel_reach_the_threshold_inclusively():
    scores = np.array([[[0.49, 0.5, 0.51]]], np.float32)
    binary = decode_mask(scores, ClassMap.of(["pore"]), task="binary")
    assert binary.tolist() == [[0, 1, 1]]
    classes = ClassMap.of(["a", "b"], exclusive=False)
    settings = DecodeSettings({"b": 0.51})
    mask = decode_mask(np.repeat(scores, 2, 0), classes, task="multilabel", settings=settings)
    assert mask.tolist() == [[[0, 1, 1]], [[0, 0, 1]]]


def test_not_a_number_is_background():
    scores = np.full((4, 1, 2), np.nan, np.float32)
    scores[:, 0, 1] = (0.1, np.nan, 0.9, 0.0)
    for rules in (DecodeSettings(), DecodeSettings(dict.fromkeys(NAMES, 0.2))):
        mask = decode_mask(scores, ClassMap.of(NAMES), task="exclusive", settings=rules)
        assert mask.tolist() == [[0, 2]]


def test_small_objects_are_left_out_in_mask_and_labels_alike():
    scores = np.zeros((1, 6, 8), np.float32)
    scores[0, 1:4, 1:4] = 0.9
    scores[0, 5, 6:8] = 0.9
    settings = DecodeSettings(min_size=3)
    classes = ClassMap.of(["pore"])
    found = decode(
        scores, classes, ("y", "x"), calibration_of("yx"), task="binary", settings=settings
    )
    assert found.object_classes == {1: 1}
    mask = decode_mask(scores, classes, task="binary", settings=settings)
    np.testing.assert_array_equal(mask, found.class_mask())
    assert mask.sum() == 9


def test_holes_are_filled_and_other_classes_in_them_stay():
    scores = np.zeros((4, 7, 7), np.float32)
    scores[0] = 0.5
    scores[1, 1:6, 1:6] = 1
    scores[1, 2:5, 2:5] = 0
    scores[2, 3, 3] = 1
    settings = DecodeSettings(fill_holes=True)
    mask = decode_mask(scores, ClassMap.of(NAMES), task="exclusive", settings=settings)
    assert mask[3, 3] == 2
    assert np.count_nonzero(mask == 1) == 24


def test_objects_are_found_frame_by_frame_with_numbers_of_their_own():
    scores = np.zeros((1, 3, 4, 4), np.float32)
    scores[0, :, 1, 1] = 1
    classes = ClassMap.of(["pore"])
    frames = decode(scores, classes, ("t", "y", "x"), calibration_of("tyx"), task="binary")
    volume = decode(scores, classes, ("z", "y", "x"), calibration_of("zyx"), task="binary")
    assert len(frames.object_classes) == 3
    assert frames.planes[0][:, 1, 1].tolist() == [1, 2, 3]
    assert len(volume.object_classes) == 1


def test_numbers_are_unique_over_planes():
    scores = np.ones((2, 3, 3), np.float32)
    classes = ClassMap.of(["a", "b"], exclusive=False)
    found = decode(scores, classes, ("y", "x"), calibration_of("yx"), task="multilabel")
    assert found.object_classes == {1: 1, 2: 2}


def test_wrong_channels_thresholds_and_sizes_get_a_sentence():
    scores = np.zeros((2, 3, 3), np.float32)
    with pytest.raises(LabelError, match="2 channels do not fit 3 exclusive"):
        decode_mask(scores, ClassMap.of(NAMES), task="exclusive")
    with pytest.raises(ClassError, match="no class 'pore'"):
        decode_mask(
            scores,
            ClassMap.of(["void"]),
            task="exclusive",
            settings=DecodeSettings({"pore": 0.5}),
        )
    with pytest.raises(LabelError, match="from 0 to 1"):
        DecodeSettings({"void": 1.5})
    with pytest.raises(LabelError, match="cannot be negative"):
        DecodeSettings(min_size=-1)


@pytest.mark.parametrize("exclusive", [True, False])
def test_object_scores_are_means_of_the_own_class(exclusive):
    rng = np.random.default_rng(3)
    mask = rng.integers(0, 4, (9, 9)) if exclusive else rng.random((3, 9, 9)) < 0.4
    found = map_of(mask, exclusive=exclusive)
    scores = rng.random((3 + exclusive, 9, 9)).astype(np.float32)
    means = object_scores(found, scores)
    assert means.keys() == found.object_classes.keys()
    for number, value in found.object_classes.items():
        own = found.planes[found.plane_of(value)] == number
        assert means[number] == pytest.approx(scores[value - 1 + exclusive][own].mean(), rel=1e-5)


def test_the_mask_of_a_micrograph_is_fast_enough_for_a_slider():
    """2048², background and three classes: well under 50 ms on a quiet machine."""
    scores = np.random.default_rng(0).random((4, 2048, 2048), dtype=np.float32)
    settings = DecodeSettings(dict.fromkeys(NAMES, 0.4))
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        decode_mask(scores, ClassMap.of(NAMES), task="exclusive", settings=settings)
        best = min(best, time.perf_counter() - start)
    assert best < 0.5, f"{best * 1e3:.0f} ms"
