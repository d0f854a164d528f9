"""Losses of published plans: the published numbers, and formulas written again in float64."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_defectseg.training import published_losses as ours
from napari_defectseg.training.objective import Objective
from napari_defectseg.training.plan import plan_of

ROOT = Path(__file__).resolve().parents[2]


def reference(name: str) -> tuple[dict[str, np.ndarray], dict]:
    folder = Path(os.environ.get("DEFECTSEG_TEST_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not folder.is_dir():
        pytest.skip("No reference losses: set DEFECTSEG_TEST_REFERENCE to run this test.")
    with np.load(folder / name / "losses" / "losses.npz") as file:
        arrays = {key: file[key] for key in file.files}
    return arrays, json.loads((folder / name / "losses" / "losses.json").read_text())


def test_each_term_of_mff_metal_is_the_published_number() -> None:
    arrays, told = reference("mff_metal")
    logits = torch.from_numpy(arrays["student_logits"])
    target = torch.from_numpy(arrays["labels"]).long()
    phi = ours.signed_distances(arrays["labels"], 4, whole=True)
    np.testing.assert_array_equal(phi[:, 1:], arrays["distance"][:, 1:])
    assert ours.mff_cross_entropy(logits, target, 2) == pytest.approx(
        told["cross_entropy"], rel=1e-6
    )
    np.testing.assert_allclose(ours.mff_dice(logits, target), told["dice"], rtol=1e-6)
    found = ours.mff_boundary(logits, target, torch.from_numpy(phi))
    np.testing.assert_allclose(found, told["boundary"], rtol=1e-6)
    teacher = torch.from_numpy(arrays["teacher_logits"])
    spoken = ours.distillation(logits, teacher, target, told["temperature"]) / told["batch_size"]
    assert spoken == pytest.approx(told["distillation"], rel=1e-6)


def test_the_whole_loss_of_mff_metal_and_its_gradient_are_published() -> None:
    arrays, told = reference("mff_metal")
    plan = plan_of("mff-metal").with_changes(batch=2)
    teacher = torch.from_numpy(arrays["teacher_logits"])
    for spoken, wanted in ((lambda _: teacher, "total"), (None, "total_without_distillation")):
        logits = torch.from_numpy(arrays["student_logits"]).requires_grad_()
        objective = Objective(plan, planes=False, teacher=spoken)  # type: ignore[arg-type]
        loss = objective(logits, arrays["labels"], torch.zeros(1))
        assert float(loss.detach()) == pytest.approx(told[wanted], rel=1e-6)
        if spoken is not None:
            loss.backward()
            assert logits.grad is not None
            np.testing.assert_allclose(logits.grad, arrays["grad_total"], rtol=1e-4, atol=1e-5)


def test_the_loss_of_the_powder_bed_is_the_published_number() -> None:
    arrays, told = reference("unet_pbf")
    found = ours.binary_cross_entropy(
        torch.from_numpy(arrays["logits"]), torch.from_numpy(arrays["target"])
    )
    assert float(found) == pytest.approx(told["bce_with_logits"], rel=1e-6)


def bce64(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Binary cross-entropy of a sigmoid in float64, from its definition."""
    p = 1 / (1 + np.exp(-z.astype(np.float64)))
    return -(y * np.log(p) + (1 - y) * np.log1p(-p))


@pytest.mark.parametrize("published", [True, False])
def test_defectsegnet_counts_defects_only_as_published_and_all_as_meant(published: bool) -> None:
    rng = np.random.default_rng(3)
    z = rng.normal(0, 2, (3, 1, 17, 19)).astype(np.float32)
    y = (rng.random(z.shape) < 0.2).astype(np.uint8)
    weights = y if published else 1 + 7 * y.astype(float)
    wanted = (weights * bce64(z, y)).mean()
    found = ours.defectsegnet_loss(
        torch.from_numpy(z), torch.from_numpy(y), published=published, weight=8.0
    )
    assert float(found) == pytest.approx(wanted, rel=1e-6)
    all_background = ours.defectsegnet_loss(
        torch.from_numpy(z), torch.zeros(z.shape, dtype=torch.uint8), published=published, weight=8
    )
    assert (float(all_background) == 0) == published


def test_the_tomogram_network_learns_what_is_not_the_class() -> None:
    rng = np.random.default_rng(4)
    z = rng.normal(0, 2, (2, 1, 6, 7, 8)).astype(np.float32)
    y = (rng.random(z.shape) < 0.3).astype(np.uint8)
    y[:, :, :2] = 255
    objective = Objective(plan_of("dcnn3d"), planes=True)
    wanted = bce64(z, 1.0 - y)[y != 255].mean()
    assert float(objective(torch.from_numpy(z), y)) == pytest.approx(wanted, rel=1e-6)


def test_am_segnet_weighs_rare_classes_by_the_root_of_their_share() -> None:
    from napari_defectseg.training.example import Example
    from napari_defectseg.training.objective import balanced_weights

    rng = np.random.default_rng(5)
    y = rng.choice(4, (2, 20, 20), p=[0.9, 0.06, 0.03, 0.01]).astype(np.uint8)
    share = np.bincount(y.ravel(), minlength=4) / y.size
    w = share**-0.5 / (share**0.5).sum()
    weights = balanced_weights([Example(np.zeros((1, 20, 20), np.float32), each) for each in y], 4)
    np.testing.assert_allclose(weights, w, rtol=1e-6)
    z = rng.normal(0, 1, (2, 4, 20, 20)).astype(np.float32)
    p = np.exp(z.astype(np.float64))
    p /= p.sum(1, keepdims=True)
    chosen = np.take_along_axis(p, y[:, None].astype(int), 1)[:, 0]
    entropy = -(w[y] * np.log(chosen)).sum() / w[y].sum()
    dice = []
    for c in range(1, 4):
        both, sizes = (p[:, c] * (y == c)).sum(), p[:, c].sum() + (y == c).sum()
        dice.append(1 - (2 * both + 1) / (sizes + 1))
    objective = Objective(plan_of("am-segnet"), planes=False, weights=weights)
    found = objective(torch.from_numpy(z), y)
    assert float(found) == pytest.approx(entropy + np.mean(dice), rel=1e-5)


@pytest.mark.parametrize("name", ["mff-metal", "pbf-unet", "defectsegnet"])
def test_unlabelled_pixels_never_matter(name: str) -> None:
    rng = np.random.default_rng(6)
    planes = name != "mff-metal"
    y = rng.integers(0, 2, (2, 1, 12, 12) if planes else (2, 12, 12)).astype(np.uint8)
    y[..., :4] = 255
    z = torch.from_numpy(rng.normal(0, 1, (2, 1 if planes else 2, 12, 12)).astype(np.float32))
    changed = z.clone()
    changed[..., :4] += torch.arange(4.0)
    objective = Objective(plan_of(name), planes=planes)
    assert float(objective(z, y)) == pytest.approx(float(objective(changed, y)), rel=1e-6)
