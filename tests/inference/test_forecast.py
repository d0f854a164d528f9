"""What a prediction will take; honest where it is not known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_models import image_of

from napari_defectseg.core.errors import ImageError
from napari_defectseg.inference import pace
from napari_defectseg.inference.forecast import Forecast, forecast
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import TorchModel


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    pace.forget()
    yield
    pace.forget()


def test_time_is_unknown_until_the_network_has_run(plane_model: TorchModel) -> None:
    image = image_of((120, 90), "yx")
    settings = PredictSettings(tile=60)
    before = forecast(plane_model, image, settings)
    assert before.seconds is None
    assert "time not known yet" in before.sentence
    found = predict(plane_model, image, settings)
    after = forecast(plane_model, image, settings)
    assert after.seconds is not None
    assert 0 < after.seconds < 100 * found.seconds
    assert after.passes == before.passes == found.plan["tiles"]
    double = forecast(plane_model, image_of((2, 120, 90), "zyx"), settings)
    assert double.seconds == pytest.approx(2 * after.seconds)
    other = forecast(plane_model, image, PredictSettings(tile=60, threads=7))
    assert other.seconds is None


def test_a_short_trial_answers_at_once(volume_model: TorchModel) -> None:
    image = image_of((40, 50, 60), "zyx")
    measured = forecast(volume_model, image, measure=True)
    assert measured.seconds is not None
    assert forecast(volume_model, image).seconds == measured.seconds


def test_memory_and_disk(plane_model: TorchModel) -> None:
    image = image_of((40, 90, 90), "zyx")
    scores = 4 * 3 * 40 * 90 * 90
    kept = forecast(plane_model, image, PredictSettings(memory=40_000_000))
    assert kept.disk == 0
    assert kept.memory > scores
    stored = forecast(plane_model, image, PredictSettings(memory=3_000_000))
    assert stored.disk == scores
    assert stored.memory <= 3_000_000
    asked = forecast(plane_model, image, PredictSettings(scores_path="s.zarr"))
    assert asked.disk == scores
    assert "GB on disk" in asked.sentence


def test_it_warns_and_refuses_as_the_prediction_would(
    plane_model: TorchModel, volume_model: TorchModel
) -> None:
    colours = forecast(plane_model, image_of((20, 20, 3), "yxc"))
    assert "turned into grey" in colours.warnings[0]
    with pytest.raises(ImageError, match="needs a volume"):
        forecast(volume_model, image_of((20, 20), "yx"))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.123, "0.12 s"), (42.0, "42 s"), (600.0, "10 min"), (9000.0, "2.5 h")]
)
def test_time_in_words(seconds: float, words: str) -> None:
    told = Forecast(9, (512, 512), 1, 310_000_000, 0, seconds, "processor")
    assert told.sentence == f"9 tiles of 512 × 512 px, about {words}, 0.31 GB of memory"
