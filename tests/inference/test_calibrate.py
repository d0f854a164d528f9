"""Calibrating on images: one or several, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small_models import image_of, make

from napari_defectseg.core.errors import DeviceError, ModelError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.calibrate import calibrate
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.joined import JoinedModel
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.settings import with_settings

SETTINGS = PredictSettings(device="cpu", threads=1)


@pytest.fixture
def model() -> TorchModel:
    model = make(2, (4, 6), norm="batch")
    return model.with_card(model.card.replaced(batch_norm="image", segment=16))


def test_several_images_count_as_one(model: TorchModel) -> None:
    """Two images of unlike size have the statistics of all their squares together."""
    whole = image_of((32, 48), "yx")
    left = CalibratedImage.from_array(whole.read()[:, :32], name="left")
    right = CalibratedImage.from_array(whole.read()[:, 32:], name="right")
    plain = model.with_card(model.card.replaced(preprocessing=()))
    one = calibrate(plain, whole, SETTINGS)
    both = calibrate(plain, [left, right], SETTINGS)
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(both.state_dict()[name], tensor, atol=1e-4, rtol=1e-4)
    assert both.card.training["calibrated_on"] == "left, right"
    assert both.card.training["calibrated_from_sha256"] == model.sha256
    assert both.card.sources["batch_norm"] == "you"


def test_the_same_result_whatever_is_seen_beside(model: TorchModel) -> None:
    """Measured by image a half differs from the half of the whole; calibrated it does not."""
    plain = model.with_card(model.card.replaced(preprocessing=()))
    whole = image_of((64, 64), "yx")
    half = CalibratedImage.from_array(whole.read()[:32] // 2)
    fixed = calibrate(plain, whole, SETTINGS)
    for one, close in ((plain, False), (fixed, True)):
        alone = predict(one, half, SETTINGS).scores
        other = np.concatenate([whole.read()[:32] // 2, whole.read()[32:]])
        beside = predict(one, CalibratedImage.from_array(other), SETTINGS).scores[:, :16]
        assert (np.abs(alone[:, :16] - beside).max() < 1e-5) == close


def test_what_cannot_be_calibrated_is_said(model: TorchModel) -> None:
    image = image_of((32, 32), "yx")
    with pytest.raises(ModelError, match="no batch normalisation"):
        calibrate(make(2, (4, 6), norm="instance"), image)
    with pytest.raises(ModelError, match="No image was named"):
        calibrate(model, [])
    whole = model.with_card(model.card.replaced(segment=0))
    with pytest.raises(ModelError, match=r"32 × 32, 32 × 48"):
        calibrate(whole, [image, image_of((32, 48), "yx")])
    many = [image_of((256, 256), "yx")] * 40
    with pytest.raises(DeviceError, match="40 images at once needs"):
        calibrate(model, many, PredictSettings(device="cpu", memory=40_000_000))
    other = model.with_card(model.card.with_classes(type(model.card.classes).of(["a", "b"])))
    with pytest.raises(ModelError, match="no single network"):
        calibrate(JoinedModel([model, other]), image)


def test_words_for_the_three_ways(model: TorchModel) -> None:
    with pytest.raises(ModelError, match="--calibrate IMAGE"):
        with_settings(model.card, {"batch_norm": "calibrated"})
    done = calibrate(model, image_of((32, 32), "yx"), SETTINGS).card
    with pytest.raises(ModelError, match="instead of the moving averages"):
        with_settings(done, {"batch_norm": "moving"})
    assert with_settings(done, {"batch_norm": "calibrated"}).batch_norm == "calibrated"
    assert with_settings(model.card, {"batch_norm": "moving"}).batch_norm == "moving"
