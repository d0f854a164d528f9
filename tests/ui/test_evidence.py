"""Sentences about a model: how fields are known, whether an image fits, what can be done."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models import reference as ref

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.models.open import open_model
from napari_defectseg.ui import evidence


def sized(step: float, shape: tuple[int, int] = (64, 80)) -> CalibratedImage:
    size = Calibration.of((step, step), "nm") if step else None
    return CalibratedImage.from_array(np.zeros(shape, np.uint8), calibration=size, name="steel")


@pytest.mark.parametrize(
    ("step", "policy", "kind", "words"),
    [
        (0.5, "warn", "ok", "fits"),
        (3.2, "warn", "warning", "look at the result with care"),
        (3.2, "go-on", "info", "taken as it is, as you said"),
        (3.2, "resample", "info", "it will see the image at 0.8 nm/px"),
        (0.1, "resample", "info", "it will see the image at 0.2 nm/px"),
        (90.0, "resample", "warning", "enlarged 1"),
        (0.0, "resample", "warning", "has no pixel size"),
    ],
)
def test_whether_an_image_fits_follows_what_is_done_about_it(
    step: float, policy: str, kind: str, words: str
) -> None:
    card = open_model("tem-defects").card.replaced(pixel_policy=policy)
    found, sentence = evidence.fit_of(card, sized(step))
    assert found == kind
    assert words in sentence
    offered = [value for _, value in evidence.ways_out(card, sized(step))]
    assert policy not in offered
    assert bool(offered) == (step not in (0.5, 0.0))


def test_whole_images_that_are_resized_are_said() -> None:
    model = open_model(ref.folder() / "unet_pbf" / "narrow_w4" / "weights_plain.pth")
    assert evidence.described(model.card, "input_size") == "if large, resized to 128 × 128 px"
    kind, sentence = evidence.fit_of(model.card, sized(0.0, (600, 700)))
    assert kind == "info"
    assert "resized from 600 × 700 to 128 × 128 px" in sentence
    assert "2D U-Net for powder beds" in evidence.evidence(model, "input_size")
    assert "published it" in evidence.evidence(model, "input_size")


def test_what_only_a_guess_supports_says_so() -> None:
    """DefectSegNet's pixel size, AM-SegNet's order of classes."""
    model = open_model(ref.folder() / "defectsegnet" / "genuine")
    said = evidence.evidence(model, "pixel_size")
    assert said.startswith("A guess: 3.2 nm/px")
    assert "could not be verified" in said
    model = open_model(ref.folder() / "am_segnet" / "genuine" / "am_f1_weights.hdf5")
    assert evidence.evidence(model, "classes").startswith("A guess: keyhole, pore")
    assert "As the authors of this network (2D AM-SegNet)" in evidence.evidence(model, "task")


@pytest.mark.parametrize("way", ["image", "moving", "calibrated"])
def test_the_three_kinds_of_statistics_are_told_apart(way: str) -> None:
    card = open_model(ref.folder() / "defectsegnet" / "genuine").card
    card = card.replaced(batch_norm=way, training={"calibrated_on": "steel 7"})
    words = evidence.statistics(card)
    told = {"image": "rest of its image", "moving": "far from settled", "calibrated": "steel 7"}
    assert told[way] in words
    assert evidence.described(card, "batch_norm") == evidence.STATISTICS[way]
