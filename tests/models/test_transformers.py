"""SegFormer and UPerNet as transformers writes them; other networks of it are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.models.published import reference, run
from tests.models.training import losses_of_ten_steps

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models import installed
from napari_defectseg.models.architectures import segformer, upernet
from napari_defectseg.models.open import open_model
from napari_defectseg.testing.architecture import ArchitectureContract

FORMER: dict[str, Any] = {
    "in_channels": 1,
    "widths": [4, 8, 8, 8],
    "depths": [1, 1, 1, 2],
    "heads": [1, 2, 2, 2],
    "mlp": [2, 2, 2, 2],
    "decoder": 8,
}
UPER: dict[str, Any] = {"widths": [4, 4, 8, 8], "depths": [1, 1, 2, 1], "hidden": 8}


class TestSegFormer(ArchitectureContract):
    architecture = segformer.KIND
    examples = (FORMER,)


class TestUPerNet(ArchitectureContract):
    architecture = upernet.KIND
    examples = (UPER, {**UPER, "scaled": False, "pools": [1, 2]})


@pytest.mark.parametrize(("kind", "settings"), [(segformer.KIND, FORMER), (upernet.KIND, UPER)])
def test_ten_steps_of_training_lower_the_loss(kind: Any, settings: dict[str, Any]) -> None:
    losses = losses_of_ten_steps(kind, settings)
    assert losses[-1] < 0.9 * losses[0]


def _pair(name: str) -> tuple[np.ndarray, np.ndarray]:
    place = reference("formats") / name
    with np.load(place / "input.npz") as x, np.load(place / "output.npz") as y:
        return x["x"], y["y"]


def test_segformer_gives_the_numbers_of_transformers() -> None:
    """Its own logits have a quarter of the size; ours are brought to the image's."""
    model = open_model(reference("formats") / "segformer")
    x, y = _pair("segformer")
    network = model.network()
    assert isinstance(network, segformer.SegFormer)
    with torch.inference_mode():
        np.testing.assert_allclose(network.coarse(torch.from_numpy(x)).numpy(), y, atol=2e-5)
    large = torch.nn.functional.interpolate(torch.from_numpy(y), scale_factor=4, mode="bilinear")
    np.testing.assert_allclose(run(network, x), large.numpy(), atol=2e-5)


def test_upernet_gives_the_numbers_of_transformers() -> None:
    x, y = _pair("upernet")
    model = open_model(reference("formats") / "upernet")
    np.testing.assert_allclose(run(model.network(), x), y, atol=2e-5)


def test_labels_and_grey_values_come_from_the_folder() -> None:
    card = open_model(reference("formats") / "segformer").card
    assert (card.classes.names, card.has_background) == (("pore", "crack"), True)
    assert card.architecture_settings["heads"] == [1, 2, 2, 4]
    assert [step.method for step in card.preprocessing] == ["divide", "zscore"]
    assert card.windows is not None
    assert card.windows.size == (64, 64)
    card = open_model(reference("formats") / "upernet").card
    assert (card.classes.names, card.has_background) == (("metal", "scratch", "pit"), False)
    assert card.architecture_settings["pools"] == [1, 2]


def _copy(folder: Path, **config: Any) -> Path:
    shutil.copytree(reference("formats") / "segformer", folder)
    place = folder / "config.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), **config}))
    return folder


@pytest.mark.parametrize("factor", [0, -1.0, float("inf"), 1e400, 10**400])
def test_a_factor_that_no_grey_value_survives_is_left_out(tmp_path: Path, factor: Any) -> None:
    folder = _copy(tmp_path / "model")
    place = folder / "preprocessor_config.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "rescale_factor": factor}))
    assert [step.method for step in open_model(folder).card.preprocessing] == ["zscore"]


def test_reduced_labels_are_said(tmp_path: Path) -> None:
    folder = _copy(tmp_path / "model")
    place = folder / "preprocessor_config.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), "do_reduce_labels": True}))
    assert any("reduced by one" in quirk for quirk in open_model(folder).card.quirks)


def test_labels_without_names_are_asked_for(tmp_path: Path) -> None:
    names = {str(n): f"LABEL_{n}" for n in range(3)}
    card = open_model(_copy(tmp_path / "model", id2label=names)).card
    assert {"classes", "task"} <= set(card.missing)


def test_another_nonlinearity_is_another_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="SegformerForSemanticSegmentation, which is not built"):
        open_model(_copy(tmp_path / "model", hidden_act="relu"))


def test_code_that_a_folder_names_is_not_run(tmp_path: Path) -> None:
    folder = _copy(tmp_path / "model", auto_map={"AutoModel": "evil.Model"})
    (folder / "evil.py").write_text("raise SystemExit")
    assert open_model(folder).card.architecture == "segformer"


def test_mask2former_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="Mask2FormerForUniversalSegmentation") as caught:
        open_model(reference("formats") / "mask2former")
    assert "ONNX" in caught.value.hint
    assert "napari-defectseg[transformers]" in caught.value.hint
