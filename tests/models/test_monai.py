"""Networks and bundles of MONAI: layers, configurations as data, patches, refusals."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.models.published import reference, run
from tests.models.training import losses_of_ten_steps

from napari_defectseg.core.errors import ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.models import installed
from napari_defectseg.models.architectures import basic_unet, dynunet, monai_unet, segresnet
from napari_defectseg.models.configuration import Configuration, NotPlain
from napari_defectseg.models.monai_networks import settings_of
from napari_defectseg.models.open import open_model
from napari_defectseg.testing.architecture import ArchitectureContract

SMALL: dict[str, Any] = {
    "channels": [4, 6, 8],
    "strides": [[2, 2], [2, 2]],
    "units": 1,
    "norm": "batch",
    "affine": True,
}
FLAT: dict[str, Any] = {
    "dims": 3,
    "channels": [4, 6, 8],
    "strides": [[2, 2, 2], [2, 2, 2]],
    "kernel": [3, 3, 3],
    "up_kernel": [3, 3, 3],
    "units": 0,
}
RES: dict[str, Any] = {"dims": 2, "down": [1, 2], "up": [1]}
BASIC: dict[str, Any] = {"dims": 2, "features": [4, 4, 6, 6, 8, 5]}
DYN: dict[str, Any] = {
    "widths": [4, 6, 8],
    "kernels": [[3, 3]] * 3,
    "strides": [[1, 1], [2, 2], [2, 2]],
}


class TestUNet(ArchitectureContract):
    architecture = monai_unet.KIND
    examples = (SMALL, FLAT, {**SMALL, "units": 2, "norm": "instance", "affine": False})


class TestSegResNet(ArchitectureContract):
    architecture = segresnet.KIND
    examples = (RES, {**RES, "norm": "batch", "transposed": True}, {**RES, "dims": 3})


class TestBasicUNet(ArchitectureContract):
    architecture = basic_unet.KIND
    examples = (BASIC, {**BASIC, "norm": "batch"})


class TestDynUNet(ArchitectureContract):
    architecture = dynunet.KIND
    examples = (DYN, {**DYN, "residual": True, "norm": "batch"}, {**DYN, "heads": 1})


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (monai_unet.KIND, SMALL),
        (segresnet.KIND, {**RES, "width": 16}),
        (basic_unet.KIND, {**BASIC, "features": [8, 8, 8, 8, 8, 8]}),
        (dynunet.KIND, DYN),
    ],
)
def test_ten_steps_of_training_lower_the_loss(kind: Any, settings: dict[str, Any]) -> None:
    losses = losses_of_ten_steps(kind, settings)
    assert losses[-1] < 0.9 * losses[0]


def _arrays() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    place = reference("formats") / "monai_bundle"
    with np.load(place / "input.npz") as x, np.load(place / "output.npz") as y:
        return dict(x), dict(y)


def test_a_bundle_gives_the_numbers_of_monai() -> None:
    """One patch, and the whole image through the sliding window."""
    model = open_model(reference("formats") / "monai_bundle")
    x, y = _arrays()
    found = run(model.network(), x["patch"])
    np.testing.assert_allclose(found, y["patch_logits"], atol=1e-4, rtol=1e-5)
    image = CalibratedImage.from_array(x["raw"][0, 0], axes=("y", "x"))
    scores = np.asarray(predict(model, image).scores)
    wanted = torch.softmax(torch.from_numpy(y["logits"][0]), 0).numpy()
    np.testing.assert_allclose(scores, wanted, atol=2e-5)
    assert (scores.argmax(0) == y["labels"][0]).all()


def test_the_card_of_a_bundle_is_stated_by_it() -> None:
    card = open_model(reference("formats") / "monai_bundle").card
    assert card.classes.names == ("pore", "crack")
    assert (card.task, card.activation, card.has_background) == ("exclusive", "softmax", True)
    (step,) = card.preprocessing
    assert (step.method, step.low, step.high, step.limits) == ("minmax", 0.0, 255.0, (0.0, 255.0))
    assert card.windows is not None
    assert (card.windows.size, card.windows.step, card.windows.style) == ((64, 64), 0.5, "monai")
    assert card.missing == ()


def test_weights_alone_are_recognised() -> None:
    card = open_model(reference("formats") / "monai_bundle" / "models" / "model.pt").card
    assert card.architecture == "monai_unet"
    assert card.architecture_settings["channels"] == [4, 8, 16]
    assert any("strides of 2" in quirk for quirk in card.quirks)


DEFINITION = {
    "_target_": "monai.networks.nets.UNet",
    "spatial_dims": 2,
    "in_channels": "@channels",
    "out_channels": 2,
    "channels": [4, "$@width * 2 - 2", 8],
    "strides": [2, 2],
    "num_res_units": 1,
    "norm": ["batch", {}],
}


def _bundle(folder: Path, config: dict[str, Any], state: dict[str, Any] | None = None) -> Path:
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    names = {"0": "background", "1": "void"}
    metadata = {"network_data_format": {"outputs": {"pred": {"channel_def": names}}}}
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata))
    values = {"channels": 1, "width": 4, "network_def": DEFINITION, **config}
    (folder / "configs" / "inference.json").write_text(json.dumps(values))
    torch.manual_seed(0)
    state = monai_unet.KIND.build(SMALL).state_dict() if state is None else state
    torch.save({f"model.{name}": t for name, t in state.items()}, folder / "models" / "model.pt")
    return folder


def test_references_and_arithmetic_are_followed_without_python(tmp_path: Path) -> None:
    card = open_model(_bundle(tmp_path / "bundle", {})).card
    assert card.sources["architecture"] == "card"
    assert card.architecture_settings["channels"] == [4, 6, 8]
    assert card.classes.names == ("void",)
    assert set(card.missing) == {"preprocessing", "task"}


def test_a_bundle_in_a_zip_archive_or_in_yaml_is_the_same(tmp_path: Path) -> None:
    folder = _bundle(tmp_path / "bundle", {})
    archive = tmp_path / "bundle.zip"
    config = folder / "configs" / "inference.json"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("configs/metadata.json", "models/model.pt"):
            file.write(folder / name, f"tiny/{name}")
        file.writestr("tiny/configs/inference.yaml", config.read_text())  # JSON is YAML too
    one, other = open_model(folder), open_model(archive)
    assert one.format == other.format == "monai"
    assert one.card.architecture_settings == other.card.architecture_settings
    assert one.sha256 == other.sha256


def test_python_in_a_bundle_is_never_run(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    expression = f"$open({str(marker)!r}, 'w').write('x')"
    config = {
        "imports": ["$import os"],
        "network_def": {**DEFINITION, "channels": expression},
        "preprocessing": {"transforms": [{"_target_": "os.mkdir", "path": str(marker)}]},
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": expression},
    }
    card = open_model(_bundle(tmp_path / "bundle", config)).card
    assert not marker.exists()
    assert card.sources["architecture"] == "file"
    words = " ".join(card.quirks)
    assert "recognised by its weights" in words
    assert "Python that is never run" in words
    assert "'mkdir' is not translated" in words
    assert "cuts patches is not translated" in words
    assert "preprocessing" in card.missing


@pytest.mark.parametrize(
    "text",
    [
        "$__import__('os')",
        "$().__class__",
        "$2 ** 999999",
        "$'a' * 9",
        "$[x for x in y]",
        "$1 / 0",
        "$" + "-" * 150 + "1",
        "$" + "1+" * 500 + "1",
        "@missing",
        "@loop",
        "%other.json#key",
    ],
)
def test_what_is_not_arithmetic_is_refused(text: str) -> None:
    config = Configuration({"value": text, "loop": "@loop"}, "here")
    try:
        value = config.get("value")
    except NotPlain:
        return
    assert text.startswith("$--")  # a long row of signs is arithmetic
    assert value == 1


def test_arithmetic_is_worked_out() -> None:
    values = {"a": 3, "b": {"c": [4, 5]}, "value": "$[@a * 2, -@b::c::1, (@b#c#0 + 1) / 2]"}
    assert Configuration(values, "here").get("value") == [6, -5, 2.5]


def test_tensors_that_do_not_fit_the_definition_are_named(tmp_path: Path) -> None:
    state = dict(monai_unet.KIND.build(SMALL).state_dict())
    state["more.weight"] = torch.zeros(3)
    del state["0.residual.weight"]
    with pytest.raises(ModelError, match=r"missing 0\.residual\.weight; unknown more\.weight"):
        open_model(_bundle(tmp_path / "bundle", {}, state))


def test_a_network_that_is_not_built_says_which_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda name: None)
    config = {"network_def": {"_target_": "SwinUNETR", "in_channels": 1}}
    state = {"swinViT.patch_embed.proj.weight": torch.zeros(4, 1, 2, 2)}
    with pytest.raises(ModelError, match="SwinUNETR of MONAI is not built here") as caught:
        open_model(_bundle(tmp_path / "bundle", config, state))
    assert "napari-defectseg[monai]" in caught.value.hint


def test_a_definition_larger_than_any_machine_is_refused(tmp_path: Path) -> None:
    """Before a byte of it is allocated, or a million layers are made."""
    wide = {**DEFINITION, "channels": [1 << 40, 6, 8]}
    with pytest.raises(ModelError, match="of this size cannot be built"):
        open_model(_bundle(tmp_path / "wide", {"network_def": wide}))
    large = {**DEFINITION, "channels": [1 << 20, 6, 8]}
    with pytest.raises(ModelError, match="instead of"):
        open_model(_bundle(tmp_path / "large", {"network_def": large}))
    deep = {**DEFINITION, "num_res_units": 1 << 40}
    with pytest.raises(ModelError, match="levels and units at most"):
        open_model(_bundle(tmp_path / "deep", {"network_def": deep}))


def test_transforms_are_translated_by_name(tmp_path: Path) -> None:
    chain = [
        {"_target_": "LoadImaged", "keys": "image"},
        {"_target_": "NormalizeIntensityd", "channel_wise": True},
        {"_target_": "monai.transforms.ScaleIntensityd", "minv": -1.0, "maxv": 1.0},
        {"_target_": "ScaleIntensityRangePercentilesd", "lower": 1, "upper": 99, "b_min": 0.0,
         "b_max": 1.0, "clip": True},
        {"_target_": "RandFlipd", "_disabled_": True},
    ]  # fmt: skip
    after = {"transforms": [{"_target_": "Activationsd", "sigmoid": True}]}
    config = {"preprocessing": {"transforms": chain}, "postprocessing": after}
    card = open_model(_bundle(tmp_path / "bundle", config)).card
    assert (card.task, card.activation) == ("multilabel", "sigmoid")
    methods = [(step.method, step.scope) for step in card.preprocessing]
    assert methods == [
        ("zscore", "slice"),
        ("minmax", "slice"),
        ("minmax", "constant"),
        ("percentile", "slice"),
    ]
    from napari_defectseg.models.preprocess import fit_chain

    x = np.random.default_rng(0).normal(5, 3, (1, 20, 20)).astype(np.float32)
    found = fit_chain(card.preprocessing[1:3], x).apply(x)
    assert (found.min(), found.max()) == pytest.approx((-1, 1), abs=1e-6)


def test_definitions_of_networks_become_settings() -> None:
    name, settings = settings_of(
        "SegResNet",
        {"spatial_dims": 2, "init_filters": 16, "blocks_down": [1, 1], "blocks_up": [1]},
    )
    assert (name, settings["width"], settings["groups"]) == ("segresnet", 16, 8)
    segresnet.KIND.facts(settings)
    name, settings = settings_of("BasicUNet", {"spatial_dims": 2, "act": ["LeakyReLU", {}]})
    assert (name, settings["act"]) == ("basic_unet", "leaky_relu")
    basic_unet.KIND.facts(settings)
    dyn = {"spatial_dims": 3, "in_channels": 1, "out_channels": 2, "kernel_size": [3, 3, 3],
           "strides": [1, 2, [1, 2, 2]], "upsample_kernel_size": [2, [1, 2, 2]],
           "deep_supervision": True}  # fmt: skip
    name, settings = settings_of("DynUNet", dyn)
    assert (name, settings["widths"], settings["heads"]) == ("dynunet", (32, 64, 128), 1)
    dynunet.KIND.facts(settings)
    with pytest.raises(ModelError, match="BasicUNet with unheard"):
        settings_of("BasicUNet", {"unheard": 1})
    with pytest.raises(ModelError, match="strange value"):
        settings_of("UNet", {"spatial_dims": "two"})
