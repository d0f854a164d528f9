"""Several models in one folder: saved, moved, opened again; what does not fit is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.ensemble import EnsembleModel, combine_models
from napari_defectseg.models.joined import JoinedModel
from napari_defectseg.models.model import TorchModel, design, torch_model
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model

SETTINGS = PredictSettings(device="cpu", threads=1)


def binary(name: str, seed: int) -> TorchModel:
    card = design(
        f"{name} model",
        settings={"dims": 2, "widths": (4, 6), "in_channels": 1},
        classes=ClassMap.of([name]),
        task="binary",
        activation="sigmoid",
        thresholds={name: 0.4},
    )
    return TorchModel.new(card, seed=seed)


@pytest.fixture
def image() -> CalibratedImage:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 52), dtype=np.uint8)
    return CalibratedImage.from_array(pixels)


@pytest.fixture
def joined(tmp_path: Path) -> Path:
    return save_model(JoinedModel([binary("void", 1), binary("loop/1", 2)]), tmp_path / "both")


@pytest.mark.parametrize("how", ["join", "ensemble"])
def test_saved_and_moved_they_give_the_same(
    how: Any, image: CalibratedImage, tmp_path: Path
) -> None:
    names = ("void", "loop") if how == "join" else ("void", "void")
    models = combine_models([binary(name, seed) for seed, name in enumerate(names)], how)
    renamed = models.with_card(models.card.replaced(name="mine", min_size=4.0))
    save_model(renamed, tmp_path / "first")
    shutil.move(tmp_path / "first", tmp_path / "moved")
    again = open_model(tmp_path / "moved")
    assert type(again) is type(models)
    assert (again.card.name, again.card.min_size) == ("mine", 4.0)
    assert again.card.thresholds == models.card.thresholds
    found, wanted = predict(again, image, SETTINGS), predict(models, image, SETTINGS)
    np.testing.assert_array_equal(found.scores, wanted.scores)
    assert (found.disagreement is None) == (how == "join")
    assert len(again.files) == 5
    assert all((Path(again.path) / name).is_file() for name in again.files)
    assert open_model(tmp_path / "moved").sha256 == again.sha256


def test_nothing_is_replaced_unasked(joined: Path) -> None:
    with pytest.raises(AlreadyExists):
        save_model(open_model(joined), joined)
    save_model(open_model(joined), joined, overwrite=True)
    assert isinstance(open_model(joined), JoinedModel)


def test_a_member_folder_is_a_model_of_its_own(joined: Path) -> None:
    assert open_model(joined / "models" / "2-loop-1-model").card.classes.names == ("loop/1",)


def card_of(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "card.json").read_text())
    return values


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/etc", "outside its folder"),
        ("../other", "outside its folder"),
        ("models/..\\x", "outside its folder"),
        ("C:/models", "outside its folder"),
        ("", "without saying where"),
        (7, "without saying where"),
        ("models/9-none", "There is no model"),
        (".", "several models itself"),
    ],
)
def test_only_models_inside_the_folder_are_opened(joined: Path, path: Any, says: str) -> None:
    card = card_of(joined)
    card["architecture_settings"]["members"][1]["path"] = path
    (joined / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=says):
        open_model(joined)


def test_other_weights_than_were_put_together_are_refused(joined: Path) -> None:
    other = save_model(binary("loop", 5), joined.parent / "other")
    place = joined / "models" / "2-loop-1-model" / "weights.safetensors"
    place.write_bytes((other / "weights.safetensors").read_bytes())
    with pytest.raises(ModelError, match="other weights than"):
        open_model(joined)


@pytest.mark.parametrize("members", [None, [], [{"path": "models/1-void-model"}], "all"])
def test_a_card_without_models_is_refused(joined: Path, members: Any) -> None:
    card = card_of(joined)
    card["architecture_settings"] = {"members": members}
    (joined / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="does not name the models"):
        open_model(joined)


def test_a_card_of_other_classes_is_refused(joined: Path) -> None:
    card = card_of(joined)
    card["architecture"] = "ensemble"
    (joined / "card.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="a mean needs the same classes"):
        open_model(joined)


def test_several_models_are_not_trained_as_one(joined: Path) -> None:
    with pytest.raises(ModelError, match="no single network"):
        torch_model(open_model(joined))


def test_an_ensemble_of_the_shipped_model_with_itself_is_itself() -> None:
    model = open_model("tem-defects")
    assert EnsembleModel([model, model]).card.classes == model.card.classes
