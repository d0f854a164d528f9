"""Models side by side: each gives what it gives alone, as one multi-label result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_models import image_of, make

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.inference.forecast import forecast
from napari_defectseg.inference.predict import predict, predict_steps
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.joined import JoinedModel, join_models
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.preprocess import Invert, Normalise

SETTINGS = PredictSettings(device="cpu", threads=1)


def one(name: str, *, sigmoid: bool = True, widths: tuple[int, ...] = (4, 6), **fields: object):
    task = {"task": "binary", "activation": "sigmoid"} if sigmoid else {}
    model = make(2, widths, classes=ClassMap.of([name]), **task, **fields)
    return model.with_card(model.card.replaced(name=f"{name} model"))


@pytest.fixture(scope="module")
def parts() -> list[TorchModel]:
    zscore = (Normalise(method="zscore", scope="slice"), Invert(about=0.0))
    return [
        one("line", thresholds={"line": 0.4}, min_size=5),
        one("loop", sigmoid=False, preprocessing=zscore, widths=(4, 6, 8)),
        one("void", preprocessing=(Normalise(method="divide", scope="constant"),), widths=(5,)),
    ]


def test_each_class_has_the_scores_of_its_own_model_to_the_bit(parts: list[TorchModel]) -> None:
    """Sigmoid or softmax, each with its own grey values, grid and halo; the image in colours."""
    image = image_of((53, 70, 3), "yxc")
    joined = predict(JoinedModel(parts), image, SETTINGS)
    assert joined.scores.shape == (3, 53, 70)
    assert joined.task == "multilabel"
    assert joined.classes.names == ("line", "loop", "void")
    for channel, part in enumerate(parts):
        alone = predict(part, image, SETTINGS)
        np.testing.assert_array_equal(joined.scores[channel], alone.scores[-1])
    assert joined.mask().shape == (3, 53, 70)
    assert joined.thresholds == {"line": 0.4}
    assert [plan["model"] for plan in joined.plan["models"]] == [p.card.name for p in parts]
    assert joined.provenance.model_sha256 == JoinedModel(parts).sha256
    assert "Stopped" not in " ".join(joined.warnings)


def test_a_movie_goes_through_frame_by_frame_and_steps_count_to_the_end(
    parts: list[TorchModel],
) -> None:
    image = image_of((3, 20, 24), "tyx")
    seen = np.full((3, 3, 20, 24), np.nan, np.float32)
    last = None
    steps = predict_steps(JoinedModel(parts), image, SETTINGS)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            whole = end.value
            break
        if step.partial is not None:
            seen[step.partial.where] = step.partial.scores
            last = step
    assert last is not None
    assert (last.done, last.total) == (9, 9)
    np.testing.assert_array_equal(seen, whole.scores)


def test_scores_on_disk_are_the_same(parts: list[TorchModel], tmp_path: Path) -> None:
    image = image_of((40, 48), "yx")
    inside = predict(JoinedModel(parts), image, SETTINGS)
    path = tmp_path / "scores.zarr"
    stored = predict(
        JoinedModel(parts), image, PredictSettings(device="cpu", threads=1, scores_path=str(path))
    )
    assert path.is_dir()
    np.testing.assert_array_equal(np.asarray(stored.scores[:]), inside.scores)


def test_tiles_give_the_whole_image(parts: list[TorchModel]) -> None:
    image = image_of((90, 110), "yx")
    tiles = predict(JoinedModel(parts), image, PredictSettings(device="cpu", threads=1, tile=80))
    whole = predict(JoinedModel(parts), image, SETTINGS)
    np.testing.assert_allclose(tiles.scores, whole.scores, atol=1e-5)


def test_the_card_holds_what_all_of_them_say(parts: list[TorchModel]) -> None:
    card = JoinedModel(parts).card
    assert card.name == "line model + loop model + void model"
    assert (card.task, card.activation, card.out_channels) == ("multilabel", "sigmoid", 3)
    assert card.classes.values == (1, 2, 3)
    assert len({item.colour for item in card.classes}) == 3
    assert (card.grid, card.halo % card.grid) == (4, 0)
    assert card.min_size == 0
    assert card.parameters == sum(part.card.parameters for part in parts)
    assert "smallest objects" in card.quirks[-1]


def test_the_range_of_pixel_sizes_suits_all() -> None:
    models = [
        one("line", pixel_size=(1.0, 4.0), pixel_unit="nm"),
        one("void", pixel_size=(0.002, 0.01), pixel_unit="µm"),
    ]
    card = JoinedModel(models).card
    assert card.pixel_size == pytest.approx((2.0, 4.0))
    assert card.pixel_unit == "nm"


def test_models_with_a_class_of_one_name_are_refused() -> None:
    with pytest.raises(ModelError, match=r"both have a class 'void'.*classes="):
        JoinedModel([one("void"), one("void")])


def test_planes_and_volumes_are_not_joined() -> None:
    volume = make(3, (3, 4), classes=ClassMap.of(["pore"]))
    with pytest.raises(ModelError, match="3D"):
        JoinedModel([one("void"), volume])


def test_one_model_stays_itself(parts: list[TorchModel]) -> None:
    assert join_models(parts[:1]) is parts[0]
    with pytest.raises(ModelError, match="Two models"):
        JoinedModel(parts[:1])


def test_what_it_will_take_is_the_sum(parts: list[TorchModel]) -> None:
    image = image_of((64, 64), "yx")
    found = forecast(JoinedModel(parts), image, SETTINGS)
    assert found.passes == 3
    assert found.pixels == 3 * 64 * 64
