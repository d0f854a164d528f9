"""Networks and folders of segmentation_models_pytorch.

The library itself is not installed here; numbers are held against the stored file. Layouts of
ResNet encoders are written by our own networks, whose names the library shares: not measured
against it in this suite.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.models.published import reference, run
from tests.models.training import losses_of_ten_steps

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models import installed
from napari_defectseg.models.architectures import smp_fpn, smp_unet
from napari_defectseg.models.encoders.mobilenet import MobileNetSettings
from napari_defectseg.models.encoders.resnet import ResNetSettings
from napari_defectseg.models.open import open_model
from napari_defectseg.models.weights import write_safetensors
from napari_defectseg.testing.architecture import ArchitectureContract

THIN = asdict(ResNetSettings(1, (1, 1, 1, 1), stem=4, inner=4))
BOTTLENECK = asdict(ResNetSettings(3, (1, 2, 1, 1), 4, True, inner=4, groups=2))
MOBILE = asdict(
    MobileNetSettings(
        1,
        4,
        (
            ((4, 4, 3, 4),),
            ((8, 6, 3, 0), (8, 6, 3, 0)),
            ((8, 8, 5, 4),),
            ((8, 8, 5, 4),),
            ((8, 8, 5, 4),),
            ((16, 16, 1, 0),),
        ),
    )
)
SMALL: dict[str, Any] = {"encoder_settings": THIN, "out_channels": 2, "widths": [8, 6, 4, 4, 4]}


class TestUnet(ArchitectureContract):
    architecture = smp_unet.KIND
    examples = (
        {**SMALL, "widths": [8, 6, 4]},
        {**SMALL, "encoder_settings": BOTTLENECK, "norm": False},
        {**SMALL, "plus": True, "widths": [8, 6]},
        {**SMALL, "encoder_settings": {**THIN, "stem": 16}, "gates": True, "widths": [32, 16]},
        {**SMALL, "encoder": "mobilenet", "encoder_settings": MOBILE, "widths": [8, 6, 4]},
    )


PYRAMID: dict[str, Any] = {"encoder_settings": THIN, "pyramid": 8, "segmentation": 32}


class TestFPN(ArchitectureContract):
    architecture = smp_fpn.KIND
    examples = (PYRAMID, {**PYRAMID, "joined": True, "out_channels": 2})


@pytest.mark.parametrize(("kind", "settings"), [(smp_unet.KIND, SMALL), (smp_fpn.KIND, PYRAMID)])
def test_ten_steps_of_training_lower_the_loss(kind: Any, settings: dict[str, Any]) -> None:
    losses = losses_of_ten_steps(kind, settings)
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("file", ["smp/unet", "smp/unet/model.safetensors"])
def test_the_stored_folder_gives_the_numbers_it_had(file: str) -> None:
    """A Unet with MobileNetV3 of timm, three levels deep."""
    folder = reference("formats")
    model = open_model(folder / file)
    with np.load(folder / "smp" / "input.npz") as x, np.load(folder / "smp" / "output.npz") as y:
        np.testing.assert_allclose(run(model.network(), x["x"]), y["y"], atol=1e-4)


def test_published_encoders_have_the_published_number_of_values() -> None:
    """ResNet without its classifier, as torchvision counts it."""
    counts = {
        (False, (2, 2, 2, 2)): 11_176_512,
        (False, (3, 4, 6, 3)): 21_284_672,
        (True, (3, 4, 6, 3)): 23_508_032,
    }
    for (bottleneck, blocks), count in counts.items():
        with torch.device("meta"):
            from napari_defectseg.models.encoders.resnet import ResNet

            network = ResNet(ResNetSettings(blocks=blocks, bottleneck=bottleneck))
        assert sum(p.numel() for p in network.parameters()) == count


def _folder(folder: Path, config: dict[str, Any], settings: dict[str, Any] = SMALL) -> Path:
    folder.mkdir()
    values = {
        "_model_class": "Unet",
        "encoder_name": "resnet18",
        "encoder_depth": 5,
        "decoder_channels": [8, 6, 4, 4, 4],
        "decoder_interpolation": "bilinear",
        "in_channels": 1,
        "classes": 2,
        "activation": None,
    }
    (folder / "config.json").write_text(json.dumps({**values, **config}))
    torch.manual_seed(0)
    write_safetensors(smp_unet.KIND.build(settings).state_dict(), folder / "model.safetensors")
    return folder


def test_a_folder_says_what_its_weights_do_not(tmp_path: Path) -> None:
    card = open_model(_folder(tmp_path / "unet", {"activation": "sigmoid"})).card
    assert card.architecture_settings["mode"] == "bilinear"
    assert (card.task, card.activation) == ("multilabel", "sigmoid")
    assert {"classes", "preprocessing"} <= set(card.missing)
    assert card.sources["architecture"] == "file"


def test_three_channels_are_taken_to_be_prepared_as_imagenet(tmp_path: Path) -> None:
    settings = {**SMALL, "encoder_settings": {**THIN, "in_channels": 3}}
    card = open_model(_folder(tmp_path / "unet", {"in_channels": 3}, settings)).card
    assert [step.method for step in card.preprocessing] == ["divide", "zscore"]
    assert card.preprocessing[1].low == (0.485, 0.456, 0.406)
    assert card.sources["preprocessing"] == "guess"
    assert "preprocessing" in card.missing


def test_weights_of_another_network_than_the_folder_says_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"classes 3 in config\.json, 2 in the weights"):
        open_model(_folder(tmp_path / "unet", {"classes": 3}))


def test_other_encoders_are_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda name: None)
    folder = _folder(tmp_path / "unet", {"_model_class": "Linknet", "encoder_name": "dpn68"})
    write_safetensors({"encoder.x.weight": torch.zeros(2)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="Linknet with the encoder dpn68") as caught:
        open_model(folder)
    assert "ONNX" in caught.value.hint
    assert "napari-defectseg[smp]" in caught.value.hint


def test_gates_need_features() -> None:
    with pytest.raises(ModelError, match="Gates need 16 features"):
        smp_unet.KIND.build({**SMALL, "gates": True})


def test_a_folder_without_weights_is_a_sentence(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "unet", {})
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights"):
        open_model(folder)
    torch.save(smp_unet.KIND.build(SMALL).state_dict(), folder / "pytorch_model.bin")
    assert open_model(folder).format == "smp"
