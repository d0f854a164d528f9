"""The six-class U-Net of powder beds: the published numbers, counts and files."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from published import PROBABILITIES, filled, reference, run, ten_steps

from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.open import open_model

NETWORK = ARCHITECTURES.get("unet_pbf")


def test_it_has_as_many_parameters_as_the_published_code() -> None:
    assert NETWORK.facts({})["parameters"] == 31_036_806


@pytest.mark.parametrize("variant", ["narrow_w4", "narrow_w8", "narrow_w4_128", "full_w64"])
def test_it_gives_the_numbers_of_the_published_code(variant: str) -> None:
    folder = reference(f"unet_pbf/{variant}")
    state = filled(folder)
    settings = NETWORK.recognise({name: tuple(t.shape) for name, t in state.items()})
    assert settings is not None
    assert settings["out_channels"] == 6
    network = NETWORK.build(settings).eval()
    assert list(network.state_dict()) == list(state)
    network.load_state_dict(state)
    given, wanted = np.load(folder / "input.npz"), np.load(folder / "output.npz")
    for name in wanted.files:
        if name.endswith("_logits"):
            found = run(network, given[f"{name[0]}_x"])
            np.testing.assert_allclose(found, wanted[name], atol=1e-4, rtol=1e-4)
            clear = abs(wanted[name]) > 1e-4
            assert ((found > 0) == (wanted[name] > 0))[clear].all()


@pytest.mark.parametrize("kind", ["plain", "dataparallel", "checkpoint", "legacy"])
def test_original_files_predict_the_published_probabilities(kind: str) -> None:
    """Through the whole program: card, grey values, engine, sigmoid."""
    folder = reference("unet_pbf/narrow_w4")
    model = open_model(folder / f"weights_{kind}.pth")
    card = model.card
    assert (card.architecture, card.task, card.in_channels) == ("unet_pbf", "multilabel", 1)
    assert card.classes.names[:3] == ("No Defect", "Swelling", "Spatter")
    assert card.classes.by_name("Misprint").colour == "#0000ff"
    assert card.sources["classes"] == card.sources["task"] == "card"
    assert card.missing == ("pixel_size",)
    given, wanted = np.load(folder / "input.npz"), np.load(folder / "output.npz")
    for case in "ab":
        image = CalibratedImage.from_array(given[f"{case}_image"])
        scores = predict(model, image, PredictSettings(device="cpu", threads=1)).scores
        np.testing.assert_allclose(scores, wanted[f"{case}_prob"][0], atol=PROBABILITIES)


def test_an_image_of_any_size_is_predicted_the_same_in_tiles() -> None:
    folder = reference("unet_pbf/narrow_w4")
    model = open_model(folder / "weights_plain.pth")
    pixels = np.random.default_rng(0).integers(0, 256, (211, 457), dtype=np.uint8)
    image = CalibratedImage.from_array(pixels)
    whole = predict(model, image, PredictSettings(device="cpu", threads=1))
    tiles = predict(model, image, PredictSettings(device="cpu", threads=1, tile=320))
    assert whole.plan["tiles"] == 1
    assert tiles.plan["tiles"] > 1
    np.testing.assert_allclose(tiles.scores, whole.scores, atol=1e-5)
    assert whole.mask().shape == (6, 211, 457)


def test_ten_steps_of_training_lower_the_loss() -> None:
    y = torch.zeros(2, 6, 32, 32)
    y[:, 2, 8:20, 8:20] = 1
    losses = ten_steps(
        NETWORK.build({"width": 4}),
        1,
        lambda z: torch.nn.functional.binary_cross_entropy_with_logits(z, y),
    )
    assert losses[-1] < 0.9 * losses[0]
