"""A training's time is measured by its own steps, and nothing is written or changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import TrainingError
from napari_defectseg.core.progress import drive
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.training.forecast import Forecast, forecast_steps
from napari_defectseg.training.plan import TrainingPlan

SMALL = TrainingPlan(widths=(4, 8), patch=(16, 16), batch=1, epochs=20, steps_per_epoch=5)


def dataset(folder: Path) -> Dataset:
    made = Dataset.create(folder, ClassMap.of(["void"]), licence="CC0-1.0")
    rng = np.random.default_rng(0)
    for number, split in enumerate(("train", "validation", "test")):
        image = CalibratedImage.from_array(rng.normal(size=(32, 32)).astype(np.float32))
        mask = (rng.random((32, 32)) < 0.2).astype(np.uint8)
        made.add(image, mask, specimen=f"s{number}", split=split)  # type: ignore[arg-type]
    return made


def test_steps_and_checks_add_up() -> None:
    found = Forecast(step=0.1, check=2.0, plan=SMALL.with_changes(patience=3))
    assert found.most == pytest.approx(20 * (5 * 0.1 + 2.0))
    assert found.least == pytest.approx(4 * (5 * 0.1 + 2.0))


def test_it_measures_and_writes_nothing(tmp_path: Path) -> None:
    data = dataset(tmp_path / "data")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    found = drive(forecast_steps(data, SMALL))
    assert 0 < found.step < 30
    assert found.check >= 0
    assert found.plan == SMALL
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_what_cannot_be_trained_is_refused(tmp_path: Path) -> None:
    empty = Dataset.create(tmp_path / "empty", ClassMap.of(["void"]))
    with pytest.raises(TrainingError):
        drive(forecast_steps(empty, SMALL))
