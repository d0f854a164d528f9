"""Files written by other libraries: opened with the numbers they had there, or called by name."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from published import REFERENCE, reference, run

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.open import open_model

TABLE = REFERENCE / "formats" / "expected.json"
ROWS: dict[str, dict[str, Any]] = (
    {row["file"]: row for row in json.loads(TABLE.read_text())} if TABLE.is_file() else {}
)
OPENED = [
    "torch2d/unet.safetensors",
    "torch2d/unet_fp16.safetensors",
    "torch2d/unet_bf16.safetensors",
    "torch2d/unet_state_dict.pth",
    "torch2d/unet_legacy.pth",
    "torch2d/unet_dataparallel.pth",
    "torch2d/unet_compiled.pth",
    "torch2d/checkpoint_namespace_numpy.pth.tar",
    "torch2d/checkpoint_ema.pth",
    "torch2d/checkpoint_student_teacher.pth",
    "torch2d/unet_lightning.ckpt",
    "torch2d/unet_whole_module.pt",
    "torch2d/unet_whole_dataparallel_legacy.pt",
    "torch3d/unet3d.safetensors",
    "torch3d/best_checkpoint.pytorch",
    "torch3d/unet3d_whole_module.pt",
]


@pytest.mark.parametrize("file", OPENED)
def test_weights_of_others_give_the_numbers_they_had(file: str) -> None:
    folder = reference("formats")
    row = ROWS[file]
    model = open_model(folder / file)
    card, wanted = model.card, row["expect"]
    assert (card.dims, card.in_channels) == (wanted["dims"], wanted["in_channels"])
    assert card.out_channels == wanted["classes"]
    x = np.load(folder / wanted["input"])["x"]
    y = np.load(folder / wanted["output"])["y"]
    tight = 1e-4 if row["atol"] <= 1e-3 else row["atol"]
    np.testing.assert_allclose(run(model.network(), x), y, atol=tight, rtol=1e-4)
    labels = wanted.get("hyper_parameters", {}).get("labels")
    if labels:
        assert labels[0] == "matrix"  # which is the background
        assert card.classes.names == tuple(labels[1:])
        assert card.sources["classes"] == "file"


PROGRAMS = [
    "torch2d/unet_jit_trace.pt",
    "torch2d/unet_jit_script.pt",
    "torch2d/unet_exported.pt2",
    "torch3d/unet3d_jit.pt",
    "torch3d/unet3d_exported.pt2",
]


@pytest.mark.parametrize("file", PROGRAMS)
def test_weights_in_programs_run_in_our_own_network(file: str) -> None:
    folder = reference("formats")
    wanted = ROWS[file]["expect"]
    model = open_model(folder / file)
    assert model.format == "program"
    assert "nothing of it was run" in model.card.quirks[0]
    x, y = (np.load(folder / wanted[n])[v] for n, v in (("input", "x"), ("output", "y")))
    np.testing.assert_allclose(run(model.network(), x), y, atol=1e-4, rtol=1e-4)


def test_a_package_of_bioimageio_opens_with_its_description() -> None:
    model = open_model(reference("formats") / "bioimageio_05" / "tiny_defect_unet_05.zip")
    card = model.card
    assert (card.name, card.dims, card.in_channels) == ("Tiny defect U-Net", 2, 1)
    assert card.classes.names == ("pore", "crack")
    assert (card.task, card.activation, card.has_background) == ("exclusive", "softmax", True)
    assert (card.pixel_size, card.pixel_unit) == ((3.2, 3.2), "nm")
    assert card.licence == "CC0-1.0"
    (step,) = card.preprocessing
    assert (step.method, step.low, step.high, step.scope) == ("percentile", 1.0, 99.8, "slice")
    assert card.scores["test_tensor_difference"] < 1e-4
    assert card.missing == ()


def test_a_package_without_a_state_dict_opens_by_its_other_weights() -> None:
    card = open_model(reference("formats") / "bioimageio_04" / "tiny_defect_unet_04.zip").card
    assert (card.task, card.out_channels) == ("multilabel", 3)
    assert card.scores["test_tensor_difference"] < 1e-4
    assert card.architecture in ("onnxruntime", "milesial_unet")
    assert "classes" in card.missing


OWN_TESTS = {
    "torch2d/sequential_whole_module.pt": "state_dict",
    "smp/unet": "smp",
    "segformer": "transformers",
    "upernet": "transformers",
    "monai_bundle": "monai",
    "nnunet_plain2d/Dataset101_SteelVoids/nnUNetTrainer__nnUNetPlans__2d": "nnunet",
    "nnunet_resenc3d/Dataset102_TomoPores/nnUNetTrainer__nnUNetResEncUNetMPlans__3d_fullres": (
        "nnunet"
    ),
}
"""Containers and chains, whose numbers are held in tests of their own, and their format."""


@pytest.mark.parametrize("file", OWN_TESTS)
def test_containers_are_opened_as_what_they_are(file: str) -> None:
    row = ROWS[file]["expect"]
    model = open_model(reference("formats") / file)
    assert model.format == OWN_TESTS[file]
    card = model.card
    assert (card.dims, card.in_channels) == (row["dims"], row["in_channels"])
    assert card.out_channels == row["classes"]
    labels = row.get("labels", [])
    assert card.classes.names == tuple(labels[card.has_background :]) or not labels


NAMED = {
    "mask2former": "Mask2FormerForUniversalSegmentation, which is not built here",
}


@pytest.mark.parametrize("file", NAMED)
def test_what_is_not_opened_is_called_by_its_name(file: str) -> None:
    with pytest.raises(ModelError, match=NAMED[file]) as caught:
        open_model(reference("formats") / file)
    assert caught.value.hint


ELSEWHERE = {file for file in ROWS if file.endswith((".onnx", ".xml"))}
"""Run by a runtime of their own: `tests/models/onnx`."""
OTHERS = ("keras2_", "keras3", "tf1_", "tf2_")
"""Kinds that belong to Keras and TensorFlow."""


def test_every_file_of_the_table_is_opened_or_named() -> None:
    reference("formats")
    ours = {file for file in ROWS if not file.startswith(OTHERS)}
    packages = {file for file in ours if file.startswith("bioimageio")}
    assert ours == {*OPENED, *PROGRAMS, *packages, *OWN_TESTS, *ELSEWHERE, *(set(NAMED) & ours)}
