"""A model goes into a folder and comes back the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, ModelError, ModelMissing
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model


@pytest.fixture
def model() -> TorchModel:
    card = design("small", settings={"widths": (4, 8)}, classes=ClassMap.of(["void", "loop"]))
    return TorchModel.new(card, seed=3)


def test_design_fills_in_what_follows_from_the_network(model: TorchModel) -> None:
    card = model.card
    assert (card.grid, card.halo, card.out_channels) == (2, 8, 3)
    assert card.architecture_settings["out_channels"] == 3
    assert card.parameters == sum(p.numel() for p in model.network().parameters())


def test_folder_gives_back_card_weights_and_hash(model: TorchModel, tmp_path: Path) -> None:
    folder = save_model(model, tmp_path / "model")
    again = open_model(folder)
    assert again.card == model.card
    assert again.sha256 == model.sha256
    x = torch.rand(1, 1, 8, 8)
    assert torch.equal(again.network()(x), model.network()(x))


def test_the_same_seed_gives_the_same_weights(model: TorchModel) -> None:
    assert TorchModel.new(model.card, seed=3).sha256 == model.sha256
    assert TorchModel.new(model.card, seed=4).sha256 != model.sha256


def test_saving_never_overwrites_unasked(model: TorchModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "model")
    with pytest.raises(AlreadyExists):
        save_model(model, tmp_path / "model")
    save_model(model, tmp_path / "model", overwrite=True)


def test_truncated_weights_are_found_when_opening(model: TorchModel, tmp_path: Path) -> None:
    folder = save_model(model, tmp_path / "model")
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="not a whole safetensors file"):
        open_model(folder)


def test_card_of_another_network_is_named(model: TorchModel, tmp_path: Path) -> None:
    folder = save_model(model, tmp_path / "model")
    values = json.loads((folder / "card.json").read_text())
    values["architecture_settings"]["widths"] = [4, 12]
    (folder / "card.json").write_text(json.dumps(values))
    with pytest.raises(ModelError, match=r"encoder\.1\.0\.conv\.weight is 8×4×3×3 instead of"):
        open_model(folder).network()


def test_a_path_without_a_model_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no model at"):
        open_model(tmp_path / "nothing")


def test_card_of_a_newer_version_says_so(model: TorchModel, tmp_path: Path) -> None:
    folder = save_model(model, tmp_path / "model")
    values = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({**values, "format_version": 9}))
    with pytest.raises(ModelError, match="format_version 9"):
        ModelCard.read(folder / "card.json")
    (folder / "card.json").write_text(json.dumps({**values, "colour": 1}))
    with pytest.raises(ModelError, match="'colour', which this version does not know"):
        ModelCard.read(folder / "card.json")
