"""Networks and results of nnU-Net v2: layers, files, plans, whole predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from published import reference, run
from tests.models.training import losses_of_ten_steps

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.models.architectures.nnunet import KIND
from napari_defectseg.models.open import open_model
from napari_defectseg.testing.architecture import ArchitectureContract

PLAIN = "nnunet_plain2d/Dataset101_SteelVoids/nnUNetTrainer__nnUNetPlans__2d"
RESIDUAL = "nnunet_resenc3d/Dataset102_TomoPores/nnUNetTrainer__nnUNetResEncUNetMPlans__3d_fullres"
HALF = 5e-4
"""The references' probabilities are rounded to half precision."""
SMALL: dict[str, Any] = {
    "in_channels": 2,
    "widths": [4, 6, 8],
    "kernels": [[3, 3]] * 3,
    "strides": [[1, 1], [2, 2], [2, 2]],
    "blocks": [1, 2, 2],
    "convolutions": [2, 1],
}
DEEP: dict[str, Any] = {
    **SMALL,
    "residual": True,
    "kernels": [[1, 3, 3], [3, 3, 3], [3, 3, 3]],
    "strides": [[1, 1, 1], [1, 2, 2], [2, 2, 2]],
}


class TestNNUNet(ArchitectureContract):
    architecture = KIND
    examples = (
        SMALL,
        DEEP,
        {**SMALL, "folds": 2},
        {**SMALL, "residual": True, "bias": False, "norm": "batch"},
    )


@pytest.mark.parametrize("settings", [SMALL, DEEP])
def test_ten_steps_of_training_lower_the_loss(settings: dict[str, Any]) -> None:
    losses = losses_of_ten_steps(KIND, settings)
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize(("folder", "fold"), [(PLAIN, 0), (RESIDUAL, 0)])
def test_a_checkpoint_alone_is_the_network_of_its_fold(folder: str, fold: int) -> None:
    place = reference("formats") / folder / f"fold_{fold}" / "checkpoint_final.pth"
    model = open_model(place)
    assert model.format == "nnunet"
    with np.load(reference("formats") / folder.split("/")[0] / "network_fold0.npz") as file:
        x, y = file["x"], file["y"]
    np.testing.assert_allclose(run(model.network(), x), y, atol=1e-4)


def _volume(name: str) -> CalibratedImage:
    with np.load(reference("formats") / "nnunet_resenc3d" / name) as file:
        x, spacing = file["x"][0], file["spacing"]
    calibration = Calibration.of(tuple(spacing), "um", "test")
    return CalibratedImage.from_array(x, axes=("z", "y", "x"), calibration=calibration)


def _wanted(name: str) -> tuple[np.ndarray, np.ndarray]:
    with np.load(reference("formats") / name) as file:
        return file["seg"], file["probabilities"].astype(np.float32)


def _check(found: np.ndarray, seg: np.ndarray, wanted: np.ndarray) -> None:
    """Compare probabilities and labels; the sums in half precision are nnU-Net's too."""
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=HALF)
    assert (found.argmax(axis=0) == seg).all()


def test_a_plane_is_predicted_as_nnunet_does() -> None:
    """Z-score, 64 px patches at even steps, mirrored both ways, the bell of weights."""
    model = open_model(reference("formats") / PLAIN)
    with np.load(reference("formats") / "nnunet_plain2d" / "input.npz") as file:
        image = CalibratedImage.from_array(file["x"][0, 0], axes=("y", "x"))
    seg, wanted = _wanted("nnunet_plain2d/output.npz")
    found = predict(model, image)
    _check(np.asarray(found.scores), seg[0], wanted[:, 0])
    assert found.plan["windows"]["mirror"] == [0, 1]
    assert found.plan["tiles"] == found.plan["passes"] == 6


@pytest.mark.parametrize("which", ["", "_other_spacing"])
def test_a_volume_is_predicted_as_nnunet_does(which: str) -> None:
    """CT, two folds, two mirrored axes; the second has another pixel size, z by itself."""
    model = open_model(reference("formats") / RESIDUAL)
    assert model.card.architecture_settings["folds"] == 2
    found = predict(model, _volume(f"input{which}.npz"))
    _check(np.asarray(found.scores), *_wanted(f"nnunet_resenc3d/output{which}.npz"))
    resampled = [w for w in found.warnings if "was resampled from 2.5 × 0.8 × 0.8 to" in w]
    assert len(resampled) == bool(which)
