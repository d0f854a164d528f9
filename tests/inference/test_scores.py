"""Scores in memory, in a store that was asked for, and in a temporary one."""

from __future__ import annotations

import errno
import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_models import image_of

from napari_defectseg.core.errors import (
    AlreadyExists,
    Cancelled,
    DeviceError,
    ImageError,
    NotSaved,
)
from napari_defectseg.core.progress import drive
from napari_defectseg.images.store import open_store
from napari_defectseg.inference.predict import go_on_steps, predict, predict_steps
from napari_defectseg.inference.scores import TemporaryScores
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import TorchModel

TILED = PredictSettings(tile=60)


def test_a_store_holds_what_memory_would(plane_model: TorchModel, tmp_path: Path) -> None:
    image = image_of((3, 70, 90), "zyx")
    path = tmp_path / "deep" / "scores.zarr"
    found = predict(plane_model, image, PredictSettings(tile=60, scores_path=str(path)))
    np.testing.assert_array_equal(found.scores[...], predict(plane_model, image, TILED).scores)
    again = open_store(path)
    np.testing.assert_array_equal(again[...], found.scores[...])
    assert again.attrs["axes"] == ["channel", "z", "y", "x"]
    assert [item["name"] for item in again.attrs["classes"]["classes"]] == ["void", "loop"]


def test_what_exists_is_not_overwritten(plane_model: TorchModel, tmp_path: Path) -> None:
    path = tmp_path / "scores.zarr"
    path.mkdir()
    with pytest.raises(AlreadyExists, match=r"scores\.zarr"):
        predict(plane_model, image_of((20, 20), "yx"), PredictSettings(scores_path=str(path)))


def test_scores_beyond_the_memory_go_to_a_file_that_goes_with_them(
    plane_model: TorchModel, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    image = image_of((12, 160, 160), "zyx")
    small = PredictSettings(memory=3_000_000)
    found = predict(plane_model, image, small)
    assert isinstance(found.scores, TemporaryScores)
    assert found.scores.dtype == np.float32
    assert "lie on the disk" in found.warnings[-1]
    reference = predict(plane_model, image, PredictSettings(memory=40_000_000))
    np.testing.assert_allclose(found.scores[...], reference.scores, atol=1e-5)
    np.testing.assert_array_equal(found.labels().planes[0] > 0, found.mask() > 0)
    assert list(tmp_path.iterdir())
    del found
    gc.collect()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("asked", [True, False], ids=["asked for", "temporary"])
def test_stopping_between_tiles_leaves_nothing(
    plane_model: TorchModel, tmp_path: Path, monkeypatch: Any, asked: bool
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    image = image_of((12, 160, 160), "zyx")
    path = str(tmp_path / "scores.zarr") if asked else None
    settings = PredictSettings(memory=3_000_000, scores_path=path)
    seen = []
    with pytest.raises(Cancelled):
        predict(
            plane_model,
            image,
            settings,
            on_step=lambda step: seen.append(step.done),
            cancelled=lambda: seen[-1] >= 3,
        )
    assert not list(tmp_path.iterdir())
    steps = predict_steps(plane_model, image, settings)
    while next(steps).done < 2:
        pass
    assert list(tmp_path.iterdir())
    steps.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("memory", [3_000_000, 40_000_000], ids=["on disk", "in memory"])
def test_a_stopped_run_goes_on_to_the_same_bits(
    plane_model: TorchModel, tmp_path: Path, monkeypatch: Any, memory: int
) -> None:
    """What was kept is shown, is no copy, and is written on by the run that goes on."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    image = image_of((12, 160, 160), "zyx")
    settings = PredictSettings(memory=memory, tile=96)
    whole = predict(plane_model, image, settings)
    steps = predict_steps(plane_model, image, settings)
    while (step := next(steps)).done < 7:
        pass
    begun = step.partial.begun
    steps.close()
    del steps, step
    kept = begun.prediction()
    assert kept.provenance.settings["stopped"] == [7, begun.job.total]
    assert "7 of" in " ".join(kept.warnings)
    assert kept.scores[...].any()
    assert not kept.scores[:, 11].any()
    done = drive(go_on_steps(begun))
    np.testing.assert_array_equal(done.scores[...], whole.scores[...])
    assert done.plan == whole.plan
    assert "stopped" not in done.provenance.settings
    assert done.seconds > kept.seconds
    del begun, kept, done, whole
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_a_stopped_run_into_a_store_that_was_asked_for_does_not_go_on(
    plane_model: TorchModel, tmp_path: Path
) -> None:
    settings = PredictSettings(tile=60, scores_path=str(tmp_path / "scores.zarr"))
    steps = predict_steps(plane_model, image_of((70, 90), "yx"), settings)
    while (step := next(steps)).done < 1:
        pass
    steps.close()
    with pytest.raises(DeviceError, match="Predict again"):
        drive(go_on_steps(step.partial.begun))


def test_a_broken_image_in_the_middle_leaves_nothing(
    plane_model: TorchModel, tmp_path: Path
) -> None:
    from napari_defectseg.images.image import CalibratedImage

    data = np.random.default_rng(0).random((3, 30, 30)).astype(np.float32)
    data[2, 4, 5] = np.inf
    image = CalibratedImage.from_array(data, axes="zyx", name="broken")
    path = str(tmp_path / "scores.zarr")
    with pytest.raises(ImageError, match="slice 3, y 4, x 5"):
        predict(plane_model, image, PredictSettings(scores_path=path))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    plane_model: TorchModel, tmp_path: Path, monkeypatch: Any
) -> None:
    import zarr

    def full(self: Any, key: Any, value: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zarr.Array, "__setitem__", full)
    path = str(tmp_path / "scores.zarr")
    with pytest.raises(NotSaved, match=r"scores\.zarr could not be written: No space left"):
        predict(plane_model, image_of((20, 20), "yx"), PredictSettings(scores_path=path))
    assert not list(tmp_path.iterdir())
