"""`defectseg open` and `doctor` say what is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

KEYS = {
    "name", "format", "architecture", "trust", "dims", "in_channels", "task", "classes",
    "parameters", "pixel_size", "missing", "sources", "files",
}  # fmt: skip


def test_the_card_has_every_promised_key(defectseg, model_folder: Path) -> None:
    said = defectseg("open", model_folder, "--json")
    assert said.status == 0, said.err
    card = said.document
    assert set(card) >= KEYS
    assert card["classes"] == ["void", "loop"]
    assert card["pixel_size"] is None
    assert set(card["files"]) == {"card.json", "weights.safetensors"}
    said = defectseg("open", model_folder)
    assert "void, loop (exclusive)" in said.out
    assert "not stated" in said.out


def test_fields_are_set_as_typed(defectseg, model_folder: Path) -> None:
    said = defectseg(
        "open", model_folder, "--set", "classes=pore,crack", "--set", "pixel_size=0.2-0.6 nm",
        "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    assert said.document["classes"] == ["pore", "crack"]
    assert said.document["pixel_size"] == [0.2, 0.6]
    assert said.document["sources"]["classes"] == "you"


@pytest.mark.parametrize("text", ["classes", "=void"])
def test_a_setting_without_a_field_is_wrong_use(defectseg, model_folder: Path, text: str) -> None:
    assert defectseg("open", model_folder, "--set", text).status == 2


def test_what_is_no_model_gets_a_sentence(defectseg, model_folder: Path, tmp_path: Path) -> None:
    said = defectseg("open", tmp_path / "none")
    assert said.status == 1
    assert "There is no model at" in said.err
    (tmp_path / "notes.pt").write_text("not a model")
    said = defectseg("open", tmp_path / "notes.pt", "--json")
    assert said.status == 1
    assert "notes.pt" in said.document["error"]["sentence"]
    said = defectseg("open", model_folder, "--set", "weather=fine")
    assert said.status == 1
    assert "cannot be set" in said.err


def test_doctor_names_devices_and_what_is_missing(defectseg) -> None:
    said = defectseg("doctor", "--json")
    assert said.status == 0
    assert said.document["devices"][-1]["name"] == "cpu"
    assert said.document["versions"]["numpy"]
    for sentence in said.document["missing"]:
        assert sentence in said.err
    assert "processors" in defectseg("doctor").out


def test_a_model_is_calibrated_on_images_and_saved(
    defectseg, two_images: list[Path], tmp_path: Path
) -> None:
    """The folder opens again, works in tiles, and says what it was calibrated on."""
    import napari_defectseg as ds
    from napari_defectseg.models.model import TorchModel, design

    card = design(
        "measuring",
        settings={"dims": 2, "widths": (4, 6), "norm": "batch"},
        classes=ds.ClassMap.of(["void"]),
        batch_norm="image",
        segment=16,
    )
    ds.save_model(TorchModel.new(card, seed=1), tmp_path / "model")
    ask = ["open", tmp_path / "model", "--calibrate", two_images[0], "--calibrate", two_images[1]]
    said = defectseg(*ask)
    assert said.status == 2
    assert "--out" in said.err
    said = defectseg(*ask, "--out", tmp_path / "fixed", "--json")
    assert said.status == 0, said.err
    assert said.document["batch_norm"] == "calibrated"
    assert said.document["path"] == str(tmp_path / "fixed")
    model = ds.open_model(tmp_path / "fixed")
    assert model.card.training["calibrated_on"] == "field 1, field 1"
    image = ds.open_image(two_images[0])
    whole = ds.predict(model, image, ds.PredictSettings(device="cpu"))
    tiled = ds.predict(model, image, ds.PredictSettings(device="cpu", tile=32))
    assert tiled.plan["tiles"] > 1
    assert abs(tiled.scores - whole.scores).max() < 1e-5
    said = defectseg(*ask, "--out", tmp_path / "fixed")
    assert said.status == 1
    assert "exists already" in said.err
    assert "calibrated on" in defectseg("open", tmp_path / "fixed").out


def test_a_card_is_kept_with_its_weights(defectseg, model_folder: Path, tmp_path: Path) -> None:
    stated = ["--set", "classes=bubble,ring", "--set", "pixel_policy=resample"]
    said = defectseg("open", model_folder, *stated, "--out", tmp_path / "mine", "--json")
    assert said.status == 0, said.err
    assert said.document["classes"] == ["bubble", "ring"]
    assert said.document["pixel_policy"] == "resample"
    assert said.document["sources"]["classes"] == "you"


def test_every_file_of_a_model_is_named_with_its_hash(defectseg, tmp_path: Path) -> None:
    """Description and weights apart, and a folder with files further inside."""
    from tests.models.keras.writing import seeded, small_config, write_h5, write_saved_model

    from napari_defectseg.models.keras.configuration import network_in

    config = small_config()
    graph = network_in(config, "small").graph
    (tmp_path / "net.json").write_text(json.dumps(config))
    write_h5(graph, seeded(graph), tmp_path / "net_weights.h5")
    saved = write_saved_model(graph, seeded(graph), tmp_path / "saved", config)
    card = defectseg("open", tmp_path / "net.json", "--json").document
    assert set(card["files"]) == {"net.json", "net_weights.h5"}
    card = defectseg("open", saved, "--json").document
    assert {"keras_metadata.pb", "variables/variables.index"} < set(card["files"])
    assert all(len(sha256) == 64 for sha256 in card["files"].values())


def test_a_layer_with_code_is_replaced_by_what_a_person_says(defectseg, tmp_path: Path) -> None:
    from tests.models.keras.test_lambda import code_of, saved

    path = saved(code_of(lambda x: x / 255.0), tmp_path / "net.h5")
    said = defectseg("open", path)
    assert said.status == 1
    assert "It seems to be x / 255." in said.err
    assert "--set lambda.scale=divide255" in said.err
    assert defectseg("open", path, "--set", "lambda.scale=divide255").status == 0
