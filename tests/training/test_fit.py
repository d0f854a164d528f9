"""Training from a dataset folder to a model folder, on a network of a few hundred weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import AlreadyExists, Cancelled, TrainingError
from napari_defectseg.core.progress import Step
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.models.open import open_model
from napari_defectseg.training.fit import TrainSettings, train
from napari_defectseg.training.plan import TrainingPlan
from napari_defectseg.training.progress import Progress
from napari_defectseg.training.sets import sets_of

TINY = TrainingPlan(
    widths=(4, 8), patch=(32, 32), batch=4, epochs=6, steps_per_epoch=15, learning_rate=2e-2
)
SPLITS = ("train", "train", "validation", "test")


def picture(seed: int, shape: tuple[int, ...]) -> tuple[CalibratedImage, np.ndarray]:
    """Bright squares on noise, and their mask."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(shape, np.uint8)
    for _ in range(6):
        corner = [int(rng.integers(0, n - 7)) for n in shape]
        mask[tuple(slice(c, c + 7) for c in corner)] = 1
    data = (mask * 2.0 + rng.normal(0, 0.3, shape)).astype(np.float32)
    calibration = Calibration.of((0.5,) * len(shape), "nm")
    return CalibratedImage.from_array(data, calibration=calibration), mask


def dataset(folder: Path, shape: tuple[int, ...] = (64, 64), classes: int = 1) -> Dataset:
    names = ["void", "loop"][:classes]
    made = Dataset.create(folder / "data", names, licence="CC0-1.0")
    for number, split in enumerate(SPLITS):
        image, mask = picture(number, shape)
        made.add(image, mask, specimen=f"s{number}", split=split)  # type: ignore[arg-type]
    return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Step]]:
    folder = tmp_path_factory.mktemp("trained")
    steps: list[Step] = []
    settings = TrainSettings(threads=1, device="cpu")
    train(dataset(folder), TINY, folder / "model", settings, on_step=steps.append)
    return folder, steps


def test_it_learns_and_is_judged_on_images_that_chose_nothing(
    trained: tuple[Path, list[Step]],
) -> None:
    card = open_model(trained[0] / "model").card
    assert card.scores["classes"]["void"]["dice"] > 0.8
    assert card.scores["images"] == 1
    assert card.scores["specimens"] == ["s3"]
    assert card.training["images"] == {"train": 2, "validation": 1, "test": 1}
    assert card.licence == "CC0-1.0"
    assert card.pixel_size == (0.5, 0.5)


def test_each_epoch_is_told_with_its_scores(trained: tuple[Path, list[Step]]) -> None:
    epochs = [s.partial for s in trained[1] if isinstance(s.partial, Progress)]
    assert [e.epoch for e in epochs] == list(range(1, len(epochs) + 1))
    assert epochs[0].best
    assert epochs[-1].train_loss < epochs[0].train_loss
    assert set(epochs[0].scores) == {"void"}
    rows = (trained[0] / "model" / "curves.csv").read_text().splitlines()
    assert len(rows) == len(epochs) + 1


def test_the_same_seed_gives_the_same_weights(
    trained: tuple[Path, list[Step]], tmp_path: Path
) -> None:
    settings = TrainSettings(threads=1, device="cpu")
    again = train(Dataset.open(trained[0] / "data"), TINY, tmp_path / "again", settings)
    assert again.sha256 == open_model(trained[0] / "model").sha256


def test_training_goes_on_from_a_model_and_leaves_it_alone(
    trained: tuple[Path, list[Step]], tmp_path: Path
) -> None:
    parent = open_model(trained[0] / "model")
    before = parent.sha256
    settings = TrainSettings(start_from=parent, threads=1, device="cpu")
    short = TINY.with_changes(epochs=1, steps_per_epoch=2)
    child = train(Dataset.open(trained[0] / "data"), short, tmp_path / "child", settings)
    assert child.card.training["parent_sha256"] == before
    assert open_model(trained[0] / "model").sha256 == before
    assert child.sha256 != before


def test_stopping_keeps_the_best_epoch(trained: tuple[Path, list[Step]], tmp_path: Path) -> None:
    seen: list[Step] = []
    settings = TrainSettings(threads=1, device="cpu", stop=lambda: len(seen) > 20)
    model = train(
        Dataset.open(trained[0] / "data"), TINY, tmp_path / "m", settings, on_step=seen.append
    )
    assert model.card.training["ended"] == "stopped by a person"
    assert model.card.training["epochs"] < TINY.epochs


def test_cancelling_writes_nothing(trained: tuple[Path, list[Step]], tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        train(
            Dataset.open(trained[0] / "data"),
            TINY,
            tmp_path / "m",
            TrainSettings(device="cpu"),
            cancelled=lambda: True,
        )
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_unasked(trained: tuple[Path, list[Step]]) -> None:
    with pytest.raises(AlreadyExists):
        train(Dataset.open(trained[0] / "data"), TINY, trained[0] / "model")


def test_volumes_are_learnt_from_too(tmp_path: Path) -> None:
    plan = TrainingPlan(
        name="tiny3d", dims=3, widths=(4, 8), patch=(16, 16, 16), batch=2, epochs=1,
        steps_per_epoch=3,
    )  # fmt: skip
    made = dataset(tmp_path, (20, 24, 24))
    model = train(made, plan, tmp_path / "m", TrainSettings(threads=1, device="cpu"))
    assert model.card.dims == 3


def test_a_flat_network_learns_from_the_slices_of_a_volume(tmp_path: Path) -> None:
    made = dataset(tmp_path, (10, 40, 40))
    plan = TINY.with_changes(epochs=1, steps_per_epoch=2)
    model = train(made, plan, tmp_path / "m", TrainSettings(threads=1, device="cpu"))
    assert model.card.dims == 2


def test_a_dataset_that_is_not_split_gets_a_sentence(tmp_path: Path) -> None:
    made = Dataset.create(tmp_path / "data", ["void"])
    image, mask = picture(0, (32, 32))
    made.add(image, mask, specimen="A")
    with pytest.raises(TrainingError, match=r"no images for train and validation and test.*Split"):
        train(made, TINY, tmp_path / "m")


def test_the_same_place_in_two_sets_is_refused(tmp_path: Path) -> None:
    made = Dataset.create(tmp_path / "data", ["void"])
    image, mask = picture(0, (32, 32))
    for split in SPLITS:
        made.add(image, mask, specimen="A", split=split, origin={"file": "a.tif"})  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="not be honest"):
        sets_of(made)


def test_one_specimen_at_different_places_is_told_in_the_card(tmp_path: Path) -> None:
    made = Dataset.create(tmp_path / "data", ["void"])
    for number, split in enumerate(SPLITS):
        image, mask = picture(number, (32, 32))
        made.add(image, mask, specimen="A", split=split)  # type: ignore[arg-type]
    assert sets_of(made).shared == ("A",)


def test_a_model_of_other_classes_cannot_be_the_beginning(
    trained: tuple[Path, list[Step]], tmp_path: Path
) -> None:
    made = dataset(tmp_path, classes=2)
    settings = TrainSettings(start_from=open_model(trained[0] / "model"))
    with pytest.raises(TrainingError, match="knows the classes void; the dataset has void, loop"):
        train(made, TINY, tmp_path / "m", settings)
