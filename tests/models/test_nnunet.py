"""Networks and results of nnU-Net v2: layers, files, plans, whole predictions."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.models.published import reference, run
from tests.models.training import losses_of_ten_steps

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.forecast import forecast
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.architectures.nnunet import KIND
from napari_defectseg.models.open import open_model
from napari_defectseg.models.preprocess import EachChannel
from napari_defectseg.models.save import save_model
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


def _written(
    folder: Path,
    change: Callable[[dict[str, Any], dict[str, Any]], None] = lambda plans, dataset: None,
    *,
    channels: int = 1,
    outputs: int = 3,
    folds: int = 1,
    mirror: tuple[int, ...] | None = (0, 1),
) -> Path:
    """Write a result folder with the layout of nnU-Net, and random weights.

    Every convolution has its second name, and the encoder stands under the decoder too.
    """
    settings = {**SMALL, "in_channels": channels, "out_channels": outputs}
    network = {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {"features_per_stage": [4, 6, 8], "strides": settings["strides"]},
    }
    configuration = {
        "patch_size": [16, 16],
        "spacing": [1.0, 1.0],
        "normalization_schemes": ["ZScoreNormalization"] * channels,
        "use_mask_for_norm": [False] * channels,
        "architecture": network,
    }
    plans: dict[str, Any] = {
        "dataset_name": "Dataset007_Voids",
        "plans_name": "nnUNetPlans",
        "image_reader_writer": "NaturalImage2DIO",
        "transpose_forward": [0, 1, 2],
        "configurations": {"2d": configuration},
    }
    labels = {"background": 0, **{f"class{n}": n for n in range(1, outputs)}}
    dataset: dict[str, Any] = {
        "channel_names": {str(n): "grey" for n in range(channels)},
        "labels": labels,
    }
    change(plans, dataset)
    folder.mkdir()
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    for fold in range(folds):
        torch.manual_seed(fold)
        state = KIND.build(settings).state_dict()
        twice = {n.replace(".conv.", ".all_modules.0."): t for n, t in state.items()}
        under = {f"decoder.{n}": t for n, t in state.items() if n.startswith("encoder.")}
        (folder / f"fold_{fold}").mkdir()
        checkpoint = {
            "network_weights": {**state, **twice, **under},
            "trainer_name": "nnUNetTrainer",
            "inference_allowed_mirroring_axes": mirror,
            "init_args": {"plans": plans, "configuration": "2d", "dataset_json": dataset},
        }
        torch.save(checkpoint, folder / f"fold_{fold}" / "checkpoint_final.pth")
    return folder


def _image(*shape: int, seed: int = 0, axes: str = "yx") -> CalibratedImage:
    values = np.random.default_rng(seed).normal(100, 20, shape).astype(np.float32)
    return CalibratedImage.from_array(values, axes=tuple(axes))


def test_the_card_says_what_plans_and_data_set_say() -> None:
    card = open_model(reference("formats") / RESIDUAL).card
    assert (card.dims, card.in_channels, card.classes.names) == (3, 1, ("pore", "crack"))
    assert (card.task, card.has_background, card.halo) == ("exclusive", True, None)
    (step,) = card.preprocessing
    assert (step.method, step.scope, step.low, step.limits) == (
        "zscore",
        "constant",
        21000.5,
        (4000.0, 42000.0),
    )
    assert card.windows is not None
    assert (card.windows.size, card.windows.mirror) == ((16, 32, 32), (1, 2))
    assert (card.windows.spacing, card.windows.unit) == ((2.0, 1.0, 1.0), "")
    assert "Isensee" in card.citation
    assert card.missing == ()


def test_an_export_as_zip_is_the_folder(tmp_path: Path) -> None:
    folder = _written(tmp_path / "result", folds=2)
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for item in sorted(folder.rglob("*")):
            if item.is_file():
                file.write(item, f"Dataset007/{item.relative_to(folder)}")
    one, other = open_model(folder), open_model(archive)
    assert one.format == other.format == "nnunet"
    assert one.card.architecture_settings == other.card.architecture_settings
    x = np.random.default_rng(0).normal(size=(1, 1, 16, 16)).astype(np.float32)
    np.testing.assert_array_equal(run(one.network(), x), run(other.network(), x))


def test_folds_are_averaged_and_the_model_can_be_saved_as_ours(tmp_path: Path) -> None:
    folder = _written(tmp_path / "result", folds=3)
    model = open_model(folder)
    x = np.random.default_rng(0).normal(size=(1, 1, 16, 16)).astype(np.float32)
    each = [
        run(open_model(folder / f"fold_{n}" / "checkpoint_final.pth").network(), x)
        for n in range(3)
    ]
    np.testing.assert_allclose(run(model.network(), x), np.mean(each, axis=0), atol=1e-6)
    again = open_model(save_model(model, tmp_path / "ours"))
    assert again.card.windows == model.card.windows
    np.testing.assert_array_equal(run(again.network(), x), run(model.network(), x))


def test_all_patches_count_as_steps_and_forecast(tmp_path: Path) -> None:
    model, image = open_model(_written(tmp_path / "result")), _image(40, 30)
    planned = forecast(model, image)
    steps: list[tuple[int, int]] = []
    found = predict(model, image, on_step=lambda step: steps.append((step.done, step.total)))
    assert planned.passes == found.plan["passes"] == 12
    assert planned.pixels == 12 * 16 * 16 * 4  # four mirror images
    assert steps[-1] == (12, 12)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_a_size_of_tiles_is_refused_and_little_memory_too(tmp_path: Path) -> None:
    model = open_model(_written(tmp_path / "result"))
    with pytest.raises(ModelError, match="patches of one size"):
        predict(model, _image(40, 30), PredictSettings(tile=64))
    with pytest.raises(DeviceError, match="One patch of this model needs"):
        predict(model, _image(40, 30), PredictSettings(memory=10_000))


def test_zeros_around_the_object_are_cut_off_and_left_out(tmp_path: Path) -> None:
    """Statistics are those inside the mask; what is cut off is background for certain."""

    def masked(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
        plans["configurations"]["2d"]["use_mask_for_norm"] = [True]

    model = open_model(_written(tmp_path / "result", masked))
    assert model.card.windows is not None
    assert model.card.windows.masked == (True,)
    inner = np.random.default_rng(1).normal(100, 20, (20, 24)).astype(np.float32)
    inner[0, :5] = 0  # a corner outside the object, inside its box
    image = np.zeros((40, 50), np.float32)
    image[8:28, 10:34] = inner
    found = np.asarray(predict(model, CalibratedImage.from_array(image, axes=("y", "x"))).scores)
    alone = np.asarray(predict(model, CalibratedImage.from_array(inner, axes=("y", "x"))).scores)
    np.testing.assert_array_equal(found[:, 8:28, 10:34], alone)
    outside = np.ones(image.shape, bool)
    outside[8:28, 10:34] = False
    assert (found[0][outside] == 1).all()
    assert (found[1:][:, outside] == 0).all()


def test_an_image_of_zeros_alone_is_predicted(tmp_path: Path) -> None:
    model = open_model(_written(tmp_path / "result"))
    empty = CalibratedImage.from_array(np.zeros((20, 20), np.float32), axes=("y", "x"))
    assert np.isfinite(np.asarray(predict(model, empty).scores)).all()


def test_axes_that_the_plans_exchange_are_exchanged(tmp_path: Path) -> None:
    def exchanged(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
        plans["transpose_forward"] = [0, 2, 1]

    usual = open_model(_written(tmp_path / "usual"))
    model = open_model(_written(tmp_path / "exchanged", exchanged))
    image = _image(40, 24)
    turned = CalibratedImage.from_array(np.asarray(image.data).T.copy(), axes=("y", "x"))
    one = np.asarray(predict(model, turned).scores)
    np.testing.assert_array_equal(one, np.asarray(predict(usual, image).scores).swapaxes(1, 2))


def test_channels_are_prepared_each_in_its_way(tmp_path: Path) -> None:
    def mixed(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
        plans["configurations"]["2d"]["normalization_schemes"] = [
            "CTNormalization",
            "RescaleTo01Normalization",
            "NoNormalization",
        ]
        plans["foreground_intensity_properties_per_channel"] = {
            "0": {"mean": 10, "std": 5, "percentile_00_5": 0, "percentile_99_5": 20}
        }

    card = open_model(_written(tmp_path / "result", mixed, channels=3)).card
    (step,) = card.preprocessing
    assert isinstance(step, EachChannel)
    x = np.random.default_rng(0).normal(10, 20, (3, 8, 8)).astype(np.float32)
    found = step.fit(x).apply(x)
    np.testing.assert_allclose(found[0], (np.clip(x[0], 0, 20) - 10) / 5, atol=1e-5)
    np.testing.assert_allclose(found[1], (x[1] - x[1].min()) / np.ptp(x[1]), atol=1e-5)
    np.testing.assert_array_equal(found[2], x[2])


def test_regions_are_classes_that_overlap(tmp_path: Path) -> None:
    def regions(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
        dataset["labels"] = {"background": 0, "whole": [1, 2], "core": [2], "ignore": 3}
        dataset["regions_class_order"] = [1, 2]

    card = open_model(_written(tmp_path / "result", regions, outputs=2)).card
    assert (card.task, card.activation, card.classes.names) == (
        "multilabel",
        "sigmoid",
        ("whole", "core"),
    )
    assert "[1, 2]" in card.quirks[0]


def test_plans_of_old_versions_are_read(tmp_path: Path) -> None:
    """Before 2.2 the network stood flat in the configuration; one may inherit another."""

    def old(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
        base = plans["configurations"]["2d"]
        del base["architecture"]
        base |= {"UNet_class_name": "PlainConvUNet", "pool_op_kernel_sizes": SMALL["strides"]}
        plans["configurations"] = {"base": base, "2d": {"inherits_from": "base"}}

    model = open_model(_written(tmp_path / "result", old, mirror=None))
    assert model.card.windows is not None
    assert model.card.windows.mirror == ()
    assert model.card.architecture_settings["widths"] == [4, 6, 8]


def _cascade(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
    plans["configurations"]["2d"]["previous_stage"] = "3d_lowres"


def _other_network(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
    plans["configurations"]["2d"]["architecture"]["network_class_name"] = "os.system"


def _other_widths(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
    kwargs = plans["configurations"]["2d"]["architecture"]["arch_kwargs"]
    kwargs["features_per_stage"] = [4, 6, 16]


def _fewer_labels(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
    dataset["labels"] = {"background": 0, "void": 1}


def _strange_scheme(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
    plans["configurations"]["2d"]["normalization_schemes"] = ["my.Own"]


def _across(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
    plans["transpose_forward"] = [1, 0, 2]


def _empty_patch(plans: dict[str, Any], dataset: dict[str, Any]) -> None:
    plans["configurations"]["2d"]["patch_size"] = [-1, 16]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_empty_patch, r"a patch of \(-1, 16\) pixels is empty"),
        (_cascade, "second stage of a cascade"),
        (_other_network, "'os.system', which is not built here"),
        (_other_widths, r"widths \[4, 6, 16\] in the plans, \[4, 6, 8\] in the weights"),
        (_fewer_labels, "labels background, void, the network has 3 outputs"),
        (_strange_scheme, "prepares channel 0 by 'my.Own'"),
        (_across, "across the axes"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(
    tmp_path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        open_model(_written(tmp_path / "result", change))


def test_a_folder_without_checkpoints_says_what_to_copy(tmp_path: Path) -> None:
    folder = _written(tmp_path / "result", folds=0)
    with pytest.raises(ModelError, match="no checkpoint") as caught:
        open_model(folder)
    assert "fold_" in caught.value.hint


def test_a_damaged_description_is_a_sentence(tmp_path: Path) -> None:
    folder = _written(tmp_path / "result")
    (folder / "plans.json").write_text("[" * 100_000)
    with pytest.raises(ModelError, match="tables inside each other"):
        open_model(folder)


def test_a_fold_of_another_network_names_its_tensors(tmp_path: Path) -> None:
    folder = _written(tmp_path / "result", folds=2)
    place = folder / "fold_1" / "checkpoint_final.pth"
    checkpoint = torch.load(place, weights_only=False)
    del checkpoint["network_weights"]["encoder.stages.0.0.convs.0.conv.weight"]
    checkpoint["network_weights"]["encoder.stages.9.weight"] = torch.zeros(2)
    torch.save(checkpoint, place)
    with pytest.raises(ModelError, match=r"missing folds.*unknown folds"):
        open_model(folder).network()


def test_weights_alone_are_recognised_with_what_is_taken_for_granted(tmp_path: Path) -> None:
    torch.save(KIND.build(DEEP).state_dict(), tmp_path / "weights.pth")
    card = open_model(tmp_path / "weights.pth").card
    assert card.architecture == "nnunet"
    assert card.architecture_settings["residual"]
    assert any("instance normalisation, leaky ReLU" in quirk for quirk in card.quirks)
    assert card.windows is None
