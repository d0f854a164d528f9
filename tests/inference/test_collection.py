"""A collection is predicted image by image; one broken image does not stop the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_models import image_of

from napari_defectseg.core.errors import Cancelled, DeviceError
from napari_defectseg.core.progress import drive
from napari_defectseg.images.collection import Collection
from napari_defectseg.images.save import save_image
from napari_defectseg.images.store import open_store
from napari_defectseg.inference.collection import (
    FieldPrediction,
    predict_collection,
    predict_collection_steps,
)
from napari_defectseg.inference.predict import predict, predict_beside
from napari_defectseg.inference.scores import TemporaryScores
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import TorchModel


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    for specimen, field, seed in (("A", "f1", 1), ("A", "f2", 2), ("B", "f1", 3)):
        save_image(image_of((40, 44), "yx", seed), tmp_path / "in" / specimen / f"{field}.tif")
    (tmp_path / "in" / "B" / "f0.tif").write_bytes(b"II*\x00broken")
    return Collection.scan(tmp_path / "in")


def test_every_image_that_opens_is_predicted(
    plane_model: TorchModel, collection: Collection
) -> None:
    found = predict_collection(plane_model, collection)
    assert [item.name for item in found] == ["f1", "f2", "f0", "f1"]
    assert [item.prediction is None for item in found] == [False, False, True, False]
    assert found[2].problem
    for item in found:
        if item.prediction is not None:
            alone = predict(plane_model, collection.open(item.index))
            np.testing.assert_array_equal(item.prediction.scores, alone.scores)


def test_steps_count_images_and_hand_over_each_result(
    plane_model: TorchModel, collection: Collection
) -> None:
    steps = list(predict_collection_steps(plane_model, collection))
    assert {step.total for step in steps} == {4}
    parts = [step.partial for step in steps if step.partial is not None]
    assert all(isinstance(part, FieldPrediction) for part in parts)
    assert [part.index for part in parts] == [0, 1, 2, 3]
    assert any(step.text.startswith("f2: ") for step in steps)


def test_what_nobody_wants_any_more_is_left_out_and_the_others_go_on(
    plane_model: TorchModel, collection: Collection
) -> None:
    """One before it begins, one in its middle; how far each is is told as a share of all."""
    unwanted, shares, found = {0}, [], []
    steps = predict_collection_steps(plane_model, collection, skipped=unwanted.__contains__)
    for step in steps:
        shares.append(step.fraction)
        if step.text == "f2: measuring grey values":
            unwanted.add(1)
        if step.partial is not None:
            found.append(step.partial)
    assert [item.skipped for item in found] == [True, True, False, False]
    assert found[3].prediction is not None
    assert shares == sorted(shares)


def test_stores_have_a_name_each(
    plane_model: TorchModel, collection: Collection, tmp_path: Path
) -> None:
    settings = PredictSettings(scores_path=str(tmp_path / "scores"))
    found = predict_collection(plane_model, collection, settings)
    names = sorted(path.name for path in (tmp_path / "scores").iterdir())
    assert names == ["0001_f1.zarr", "0004_f1.zarr", "f2.zarr"]
    second = found[1].prediction
    assert second is not None
    np.testing.assert_array_equal(
        open_store(tmp_path / "scores" / "f2.zarr")[...], second.scores[...]
    )


def test_scores_go_to_disk_once_they_fill_the_memory(
    plane_model: TorchModel, collection: Collection
) -> None:
    one = 4 * 3 * 40 * 44
    settings = PredictSettings(memory=1_600_000)
    found = predict_collection(plane_model, collection, settings)
    assert all(isinstance(f.prediction.scores, np.ndarray) for f in found if f.prediction)
    image = collection.open(0)
    room = predict_beside(plane_model, image, settings, held=1_600_000 - one)
    assert isinstance(drive(room).scores, np.ndarray)
    full = predict_beside(plane_model, image, settings, held=1_600_000 - one + 1)
    assert isinstance(drive(full).scores, TemporaryScores)


def test_stopping_keeps_what_was_handed_over(
    plane_model: TorchModel, collection: Collection
) -> None:
    kept = []
    with pytest.raises(Cancelled):
        predict_collection(
            plane_model,
            collection,
            on_step=lambda step: kept.append(step.partial),
            cancelled=lambda: sum(part is not None for part in kept) == 2,
        )
    assert [part.name for part in kept if part is not None] == ["f1", "f2"]


def test_a_missing_device_fails_once_not_for_every_image(
    plane_model: TorchModel, collection: Collection
) -> None:
    with pytest.raises(DeviceError, match="no device"):
        predict_collection(plane_model, collection, PredictSettings(device="abacus"))
