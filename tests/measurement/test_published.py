"""Published scores pooled as published, against the numbers of the published code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.measurement import published

ROOT = Path(__file__).resolve().parents[2]


def reference(name: str) -> tuple[dict[str, np.ndarray], dict]:
    folder = Path(os.environ.get("DEFECTSEG_TEST_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip("No reference scores: set DEFECTSEG_TEST_REFERENCE to run this test.")
    with np.load(folder / name / "losses" / "losses.npz") as file:
        arrays = {key: file[key] for key in file.files}
    return arrays, json.loads((folder / name / "losses" / "losses.json").read_text())


def test_mean_iou_of_mff_metal_leaves_the_background_out() -> None:
    arrays, told = reference("mff_metal")
    matrix = published.confusion(list(arrays["labels"]), list(arrays["pred"]), 4)
    np.testing.assert_allclose(published.iou(matrix)[1:], told["iou"], rtol=1e-12)
    assert published.mean_iou(matrix, background=False) == pytest.approx(told["miou"], rel=1e-12)
    assert published.mean_iou(matrix, background=True) > told["miou"]


def test_the_powder_bed_is_judged_over_pairs_that_are_not_empty() -> None:
    arrays, told = reference("unet_pbf")
    found = published.over_pairs(arrays["target"] > 0.5, arrays["logits"] > 0)
    assert found.pairs == told["pairs"]
    assert found.iou == pytest.approx((told["iou_mean"], told["iou_std"]), rel=1e-9)
    assert found.dice == pytest.approx((told["dice_mean"], told["dice_std"]), rel=1e-9)
    assert found.precision[0] == pytest.approx(told["precision_mean"], rel=1e-9)
    assert found.recall[0] == pytest.approx(told["recall_mean"], rel=1e-9)


def test_a_threshold_chosen_on_the_same_pixels_is_the_best_of_a_hundred() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((40, 40)) < 0.3
    output = truth + rng.normal(0, 0.7, truth.shape)
    found = published.best_threshold(truth, output)
    by_hand = {
        t: (truth & (output > t)).sum() / (truth | (output > t)).sum()
        for t in np.linspace(output.min(), output.max(), 100)
    }
    assert found.iou == pytest.approx(max(by_hand.values()))
    assert found.threshold == pytest.approx(max(by_hand, key=by_hand.__getitem__))


def test_voxels_and_pixels_are_counted() -> None:
    truth = np.array([1, 1, 0, 0, 0], bool)
    found = published.voxelwise(truth, np.array([0.9, 0.5, 0.6, 0.1, 0.2]))
    assert (found.tp, found.tn, found.fp, found.fn) == (1, 2, 1, 1)
    assert (found.accuracy, found.precision) == (0.6, 0.5)
    assert np.isnan(published.voxelwise(truth, np.zeros(5)).precision)


def test_unlabelled_pixels_are_left_out_and_absent_classes_are_undefined() -> None:
    truth, shown = np.array([0, 1, 255, 1]), np.array([0, 1, 2, 0])
    matrix = published.confusion([truth], [shown], 4)
    assert matrix.sum() == 3
    assert published.accuracy(matrix) == pytest.approx(2 / 3)
    assert np.isnan(published.iou(matrix)[3])
    assert published.mean_iou(matrix, background=True) == pytest.approx(0.5)
