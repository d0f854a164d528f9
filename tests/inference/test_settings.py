"""Settings of a prediction and what becomes of channels."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_models import image_of, make

from napari_defectseg.core.errors import DeviceError, ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import TorchModel


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"mode": "magic"}, "no mode 'magic'"),
        ({"nan": "zero"}, "nan='zero'"),
        ({"memory": 0}, "memory must be positive"),
        ({"tile": -1}, "tile must be positive"),
        ({"threads": 0}, "threads must be positive"),
    ],
)
def test_values_that_make_no_sense_are_refused(fields, words) -> None:
    with pytest.raises(DeviceError, match=words):
        PredictSettings(**fields)


def test_settings_come_back_from_json() -> None:
    settings = PredictSettings(tile=256, nan="mean", scores_path="s.zarr")
    assert PredictSettings(**json.loads(json.dumps(settings.as_dict()))) == settings


def test_grey_stored_in_colours_gives_what_grey_gives(plane_model: TorchModel) -> None:
    grey = image_of((30, 34), "yx")
    colours = CalibratedImage.from_array(np.repeat(grey.read()[..., None], 3, -1), axes="yxc")
    found = predict(plane_model, colours)
    np.testing.assert_array_equal(found.scores, predict(plane_model, grey).scores)
    assert "turned into grey" in found.warnings[0]


def test_one_channel_can_be_chosen(plane_model: TorchModel) -> None:
    image = image_of((2, 30, 34), "cyx")
    with pytest.raises(ImageError, match=r"has 2 channels; this model needs 1.*Choose one"):
        predict(plane_model, image)
    chosen = predict(plane_model, image, PredictSettings(channel=1))
    alone = CalibratedImage.from_array(image.read(c=1))
    np.testing.assert_array_equal(chosen.scores, predict(plane_model, alone).scores)
    with pytest.raises(ImageError, match="no channel 5"):
        predict(plane_model, image, PredictSettings(channel=5))


def test_a_colour_model_takes_grey_colours_and_transparency() -> None:
    model = make(2, in_channels=3)
    colours = image_of((20, 24, 4), "yxc")
    found = predict(model, colours)
    assert "transparency" in found.warnings[0]
    opaque = CalibratedImage.from_array(colours.read(c=slice(0, 3)), axes="yxc")
    np.testing.assert_array_equal(found.scores, predict(model, opaque).scores)
    assert "alike" in predict(model, image_of((20, 24), "yx")).warnings[0]
    with pytest.raises(ImageError, match="has 2 channels; this model needs 3"):
        predict(model, image_of((20, 24, 2), "yxc"))


def test_a_pixel_size_outside_the_models_range_is_said() -> None:
    from napari_defectseg.core.calibration import Calibration

    model = make(2, pixel_size=(0.2, 0.6), pixel_unit="nm")
    image = image_of((20, 24), "yx")
    assert "has no pixel size" in predict(model, image).warnings[0]
    fits = image.with_calibration(Calibration.of((0.4, 0.4), "nm"))
    assert predict(model, fits).warnings == ()
    coarse = image.with_calibration(Calibration.of((3.0, 3.0), "nm"))
    assert "was made for 0.2 – 0.6 nm/px" in predict(model, coarse).warnings[0]
