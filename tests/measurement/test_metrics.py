"""Scores are the worked example's, and undefined where nothing can be said."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import DefectSegError, MeasurementError
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.metrics import evaluate, evaluate_many

BOTH = ClassMap.of(["void", "loop"])
OVERLAPPING = ClassMap.of(["void", "loop"], exclusive=False)


def balls(shape, places):
    """Pixels with squared distance below r² from integer centres."""
    grid = np.indices(shape)
    mask = np.zeros(shape, bool)
    for *centre, radius in places:
        squared = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
        mask |= squared < radius**2
    return mask


@pytest.fixture
def plane():
    truth = [(12, 15, 8), (14, 50, 6), (40, 20, 10), (45, 60, 5), (5, 75, 7), (30, 40, 3)]
    predicted = [
        (13, 16, 8),
        (14, 52, 6),
        (40, 19, 7),
        (45, 66, 5),
        (6, 75, 7),
        (52, 40, 4),
        (55, 76, 3),
    ]
    return balls((60, 80), truth), balls((60, 80), predicted)


@pytest.fixture
def volume():
    truth = [(8, 10, 10, 6), (12, 20, 28, 7), (5, 25, 8, 3)]
    predicted = [(8, 11, 10, 6), (12, 20, 30, 6), (15, 5, 35, 3)]
    return balls((20, 30, 40), truth), balls((20, 30, 40), predicted)


def test_worked_example_in_the_plane(plane):
    found = evaluate(*plane)["object"]
    expected = {
        "iou": 0.536464,
        "dice": 0.698309,
        "precision": 0.751049,
        "recall": 0.652491,
        "accuracy": 0.903333,
        "object_f1": 0.461538,
        "object_precision": 3 / 7,
        "object_recall": 3 / 6,
        "sq": (0.8872 + 0.7870 + 0.6641) / 3,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=5e-5 if name == "sq" else 5e-7), name
    assert found["pq"] == pytest.approx(found["object_f1"] * found["sq"])


@pytest.mark.parametrize(
    ("limit", "pairs", "f1"), [(0.3, 4, 0.615385), (0.5, 3, 0.461538), (0.75, 2, 0.307692)]
)
def test_worked_example_of_objects(plane, limit, pairs, f1):
    found = evaluate(*plane, match=f"iou:{limit}")
    counts = found.classes["object"]
    assert (counts.true_objects, counts.predicted_objects) == (6, 7)
    assert counts.under(found.match).pairs == pairs
    assert found["object"]["object_f1"] == pytest.approx(f1, abs=5e-7)
    at = found.as_dict()["classes"]["object"]["object_f1_at"]
    assert at["iou:0.3"] == pytest.approx(0.615385, abs=5e-7)
    assert at["iou:0.75"] == pytest.approx(0.307692, abs=5e-7)


def test_worked_example_in_a_volume(volume):
    found = evaluate(*volume)["object"]
    for name, value in {
        "iou": 0.606980,
        "dice": 0.755430,
        "precision": 0.849708,
        "recall": 0.679983,
        "accuracy": 0.956833,
    }.items():
        assert found[name] == pytest.approx(value, abs=5e-7), name


def test_undefined_is_nan_and_null_in_json():
    nothing, something = np.zeros((4, 5), bool), np.ones((4, 5), bool)
    empty = evaluate(nothing, nothing)
    for name in ("iou", "dice", "precision", "recall", "object_f1", "pq"):
        assert math.isnan(empty["object"][name]), name
    values = json.loads(json.dumps(empty.as_dict(), allow_nan=False))
    assert values["classes"]["object"]["iou"] is None
    assert values["mean_iou"] is None
    missed = evaluate(something, nothing)["object"]
    assert (missed["iou"], missed["dice"], missed["recall"], missed["object_f1"]) == (0, 0, 0, 0)
    assert math.isnan(missed["precision"])
    invented = evaluate(nothing, something)["object"]
    assert (invented["iou"], invented["precision"], invented["object_f1"]) == (0, 0, 0)
    assert math.isnan(invented["recall"])


def test_classes_that_do_not_occur_are_left_out_of_the_mean():
    mask = np.array([[1, 1, 0, 0]], np.uint8)
    found = evaluate(mask, np.array([[1, 0, 0, 0]], np.uint8), classes=BOTH)
    assert found.mean_iou == 0.5
    assert found.mean_dice == pytest.approx(2 / 3)
    assert found.mean_iou_with_background == pytest.approx((0.5 + 2 / 3) / 2)
    assert found.as_dict()["classes"]["loop"]["dice"] is None


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.uint8, (2, 7, 6), elements=st.sampled_from([0, 1, 2, 255])),
)
def test_pixels_agree_with_the_confusion_matrix(pair):
    truth, prediction = pair
    found = evaluate(truth, prediction, classes=BOTH)
    keep = (truth != 255) & (prediction != 255)
    for item in BOTH:
        t, p = truth[keep] == item.value, prediction[keep] == item.value
        union = np.count_nonzero(t | p)
        counts = found.classes[item.name]
        assert counts.pixels == keep.sum()
        if union:
            assert found[item.name]["iou"] == np.count_nonzero(t & p) / union
        else:
            assert math.isnan(found[item.name]["iou"])


def test_unlabelled_is_left_out_and_cuts_no_object_in_two():
    truth = np.array([[1, 1, 255, 0, 0, 0]], np.uint8)
    prediction = np.array([[1, 1, 1, 0, 1, 0]], np.uint8)
    found = evaluate(truth, prediction, classes=ClassMap.of(["void"]))
    assert found["void"]["recall"] == 1.0
    assert found["void"]["precision"] == 2 / 3
    cut = np.array([[1, 255, 1]], np.uint8)
    whole = np.ones((1, 3), np.uint8)
    assert evaluate(cut, whole, classes=ClassMap.of(["v"])).classes["v"].predicted_objects == 1


def test_overlapping_classes_are_scored_each_in_its_plane():
    truth = np.zeros((2, 4, 4), np.uint8)
    truth[:, :2] = 1
    prediction = truth.copy()
    prediction[1, :, 2:] = 1
    truth[1, 3, 3] = 255
    found = evaluate(truth, prediction, classes=OVERLAPPING)
    assert found["void"]["iou"] == 1.0
    assert found["loop"]["precision"] == 8 / 11
    assert found.classes["void"].pixels == 16
    assert found.as_dict()["mean_iou_with_background"] is None


def test_a_truth_of_exclusive_values_beside_overlapping_planes():
    truth = np.array([[1, 2, 0, 255]], np.uint8)
    prediction = np.array([[[1, 0, 0, 1]], [[1, 1, 0, 1]]], np.uint8)
    found = evaluate(truth, prediction, classes=OVERLAPPING)
    assert (found["void"]["iou"], found["loop"]["iou"]) == (1.0, 0.5)


def test_label_maps_are_compared_by_the_names_of_their_classes():
    plane = np.zeros((3, 6), np.int32)
    plane[0, :3], plane[2, 3:] = 4, 9
    axes, calibration = ("y", "x"), Calibration.of((2.0, 2.0), "nm")
    one = LabelMap((plane,), {4: 1, 9: 2}, BOTH, axes, calibration)
    other = LabelMap((plane,), {4: 2, 9: 1}, ClassMap.of(["loop", "void"]), axes, calibration)
    assert evaluate(one, other).mean_iou == 1.0
    with pytest.raises(MeasurementError, match="'loop'"):
        evaluate(one, other, classes=ClassMap.of(["void"]))


def test_small_objects_are_matched_by_their_centres():
    truth, prediction = np.zeros((10, 10), bool), np.zeros((10, 10), bool)
    truth[2, 2] = truth[7, 7] = True
    prediction[2, 4] = prediction[9, 9] = True
    assert evaluate(truth, prediction)["object"]["object_f1"] == 0
    found = evaluate(truth, prediction, match="distance:2")["object"]
    assert found["object_f1"] == 0.5
    assert found["mean_distance"] == 2.0
    wide = evaluate(truth, prediction, match="distance:2", spacing=0.5)["object"]
    assert wide["object_f1"] == 1.0
    uneven = evaluate(truth, prediction, match="distance:2", spacing=(1.0, 1.5))["object"]
    assert uneven["object_f1"] == 0


def test_as_many_pairs_as_can_be_are_made():
    truth = np.zeros((1, 20), np.int32)
    prediction = np.zeros((1, 20), np.int32)
    truth[0, 0:8], truth[0, 8:14] = 1, 2
    prediction[0, 0:4], prediction[0, 4:14] = 1, 2
    # Prediction 2 overlaps both; alone it fits the truth 2 best, which leaves 1 for 1.
    found = evaluate(truth, prediction, match="iou:0.2")
    assert found.classes["object"].under(found.match).pairs == 2
    assert found.classes["object"].splits == 1
    assert found.classes["object"].merges == 1


def test_an_overlap_of_exactly_the_limit_is_a_match():
    truth, prediction = np.zeros((1, 4), bool), np.zeros((1, 4), bool)
    truth[0, :2], prediction[0, :1] = True, True
    assert evaluate(truth, prediction)["object"]["object_f1"] == 1.0


def test_frames_are_not_joined():
    mask = np.ones((3, 2, 2), bool)
    assert evaluate(mask, mask).classes["object"].true_objects == 1
    assert evaluate(mask, mask, spacing=(1.0, 1.0)).classes["object"].true_objects == 3
    assert evaluate(mask, mask, axes=("t", "y", "x")).classes["object"].true_objects == 3


def test_a_set_is_pooled_and_may_be_a_generator():
    full, empty = np.ones((1, 4), np.uint8), np.zeros((1, 4), np.uint8)
    half = np.array([[1, 1, 0, 0]], np.uint8)
    pairs = [(full, half), (half, half), (empty, empty)]
    found = evaluate_many((pair for pair in pairs), classes=ClassMap.of(["void"]))
    assert found["void"]["iou"] == 4 / 6
    assert found.mean_over_images("void", "iou") == 0.75
    assert found.as_dict()["images"] == 3
    with pytest.raises(MeasurementError, match="nothing to compare"):
        evaluate_many([])


def test_masks_without_names_have_a_class_for_each_value():
    truth = np.array([[0, 2, 3, 3]], np.uint8)
    found = evaluate_many([(np.zeros((1, 4), np.uint8),) * 2, (truth, truth)])
    assert list(found.classes) == ["class 2", "class 3"]
    assert found["class 3"]["accuracy"] == 1.0
    assert evaluate(truth.astype(np.int64), truth.astype(np.int64)).warnings


def test_black_and_white_masks_hold_objects():
    white = np.array([[0, 255, 255, 0]], np.uint8)
    assert evaluate(white, white // 255)["object"]["iou"] == 1.0


def test_recall_by_size_counts_every_object(plane):
    rows = evaluate(*plane).as_dict()["classes"]["object"]["recall_by_size"]
    assert sum(row["objects"] for row in rows) == 6
    assert sum(row["found"] for row in rows) == 3
    assert rows[0] == {"low": 16, "high": 64, "objects": 1, "found": 0}


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.uint8, (2, 6, 8), elements=st.integers(0, 1)))
def test_every_pair_of_objects_is_one_to_one_and_good_enough(pair):
    found = evaluate(pair[0].astype(bool), pair[1].astype(bool), match="iou:0.3")
    counts = found.classes["object"]
    matched = counts.under(found.match)
    assert matched.pairs <= min(counts.true_objects, counts.predicted_objects)
    assert matched.total >= 0.3 * matched.pairs
    assert counts.found.sum() == matched.pairs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"match": "iou:0"}, "above 0 and up to 1"),
        ({"match": "iou:1.5"}, "up to 1"),
        ({"match": "distance:-1"}, "above 0"),
        ({"match": "overlap"}, "iou:0.5"),
        ({"spacing": (1.0, 0.0)}, "pixel size"),
        ({"prediction": np.zeros((4, 5), bool)}, "shape"),
        ({"prediction": np.full((4, 4), 7, np.uint8), "classes": BOTH}, "value 7"),
        ({"prediction": np.zeros((4, 4))}, "whole numbers"),
        ({"prediction": np.zeros((2, 4, 4), bool)}, "axes"),
        ({"classes": OVERLAPPING}, "shape"),
    ],
)
def test_what_cannot_be_compared_is_said(arguments, words):
    truth = np.zeros((4, 4), bool)
    prediction = arguments.pop("prediction", truth)
    with pytest.raises(DefectSegError, match=words):
        evaluate(truth, prediction, **arguments)
