"""The networks that MFF-Metal is compared with: published numbers, counts, files, any size."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from published import check_logits, filled, reference, run, ten_steps

from napari_defectseg.core.errors import ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.open import open_model

COUNTS: list[tuple[str, dict[str, Any], int]] = [
    ("lmffnet", {"width": 28, "blocks": (3, 5)}, 755_115),
    ("lmffnet", {"width": 86}, 9_512_277),
    ("lmffnet", {}, 1_342_087),
    ("lmffnet", {"out_channels": 19}, 1_346_692),
    ("bilinear_unet", {}, 3_351_392),
    ("nested_unet", {}, 9_163_428),
    ("attention_unet", {}, 8_726_176),
    ("attention_unet", {"gates": False}, 8_637_444),
    ("transunet", {}, 33_616_468),
]


@pytest.mark.parametrize(("name", "settings", "count"), COUNTS)
def test_they_have_as_many_parameters_as_the_published_code(
    name: str, settings: dict[str, Any], count: int
) -> None:
    assert ARCHITECTURES.get(name).facts(settings)["parameters"] == count


VARIANTS = {
    "tea_w10": "lmffnet",
    "tea_w28": "lmffnet",
    "tea_w86": "lmffnet",
    "compare_lmffnet_c4": "lmffnet",
    "compare_unet_w4": "bilinear_unet",
    "compare_unet_w32": "bilinear_unet",
    "compare_unetpp": "nested_unet",
    "compare_attunet_w4": "attention_unet",
    "compare_attunet_w32": "attention_unet",
    "compare_transunet_w8": "transunet",
    "compare_transunet_w64": "transunet",
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_they_give_the_numbers_of_the_published_code(variant: str) -> None:
    """At the odd sizes of the references too; settings are read from the tensors alone."""
    folder = reference(f"mff_metal/{variant}")
    state = filled(folder)
    network_kind = ARCHITECTURES.get(VARIANTS[variant])
    settings = network_kind.recognise({name: tuple(t.shape) for name, t in state.items()})
    assert settings is not None
    said = json.loads((folder / "layout.json").read_text())["arguments"]
    settings |= {"heads": said["head_num"]} if "head_num" in said else {}
    network = network_kind.build(settings).eval()
    assert list(network.state_dict()) == list(state)
    network.load_state_dict(state)
    given, wanted = np.load(folder / "input.npz"), np.load(folder / "output.npz")
    for name in wanted.files:
        if name.endswith("_logits"):
            check_logits(run(network, given[f"{name[0]}_x"]), wanted[name])


FILES = {
    "tea_w10/weights_checkpoint.pth": "lmffnet",
    "compare_unet_w4/weights_plain.pth": "bilinear_unet",
    "compare_attunet_w4/weights_plain.pth": "attention_unet",
    "compare_transunet_w8/weights_plain.pth": "transunet",
}


@pytest.mark.parametrize("file", FILES)
def test_original_files_open_and_predict_an_image_of_any_size(file: str) -> None:
    model = open_model(reference(f"mff_metal/{file}"))
    assert model.card.architecture == FILES[file]
    assert model.card.classes.names == ("inclusion", "patch", "scratch")
    pixels = np.random.default_rng(0).integers(0, 256, (61, 93), dtype=np.uint8)
    settings = PredictSettings(device="cpu", threads=1)
    found = predict(model, CalibratedImage.from_array(pixels), settings)
    assert found.scores.shape == (4, 61, 93)
    np.testing.assert_allclose(np.asarray(found.scores).sum(0), 1, atol=1e-5)


NARROW: dict[str, dict[str, Any]] = {
    "lmffnet": {"width": 6, "blocks": (1, 2)},
    "bilinear_unet": {"width": 8},
    "nested_unet": {"width": 2},
    "attention_unet": {"width": 4},
    "transunet": {"width": 8, "heads": 2, "inner": 16, "blocks": 1, "side": 32},
}


@pytest.mark.parametrize("name", NARROW)
def test_ten_steps_of_training_lower_the_loss(name: str) -> None:
    network = ARCHITECTURES.get(name).build(NARROW[name])
    y = torch.zeros(2, 32, 32, dtype=torch.long)
    y[:, 8:20, 8:20] = 1
    losses = ten_steps(network, 3, lambda z: torch.nn.functional.cross_entropy(z, y))
    assert losses[-1] < 0.9 * losses[0]


def test_strange_settings_are_refused() -> None:
    for name, settings in {
        "lmffnet": {"width": 7},
        "attention_unet": {"width": 5},
        "transunet": {"side": 201},
        "bilinear_unet": {"width": 0},
        "nested_unet": {"width": 2.5},
    }.items():
        with pytest.raises(ModelError):
            ARCHITECTURES.get(name).build(settings)
