"""The journey by the Python API: open, predict, correct, save, train, measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import napari_defectseg as ds
from napari_defectseg.core.errors import (
    Cancelled,
    DatasetError,
    FileMissing,
    ImageError,
    ModelError,
    ModelMissing,
    NotSaved,
)
from napari_defectseg.datasets.split import split
from napari_defectseg.labels.history import History
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.merge import merge
from napari_defectseg.training.fit import TrainSettings

SHAPE = (224, 224)
SHORT = ds.TrainingPlan(
    widths=(8, 16), patch=(64, 64), batch=4, epochs=2, steps_per_epoch=10, patience=2
)


def micrograph(folder: Path, seed: int) -> tuple[Path, np.ndarray]:
    """A phantom as a TIFF file with its pixel size, and its true mask."""
    made = ds.phantom(
        "micrograph",
        seed=seed,
        shape=SHAPE,
        scene="mixed",
        labelled=("void", "precipitate", "loop"),
    )
    path = ds.save_image(made.image, folder / f"steel_{seed}.ome.tif")
    return path, made.mask


def test_from_a_file_to_numbers_and_a_better_model(tmp_path: Path) -> None:
    """Every stage hands the next what it needs: pixel size, classes, provenance."""
    path, truth = micrograph(tmp_path, 11)
    image = ds.open_image(path)
    assert image.calibration.calibrated
    model = ds.open_model("tem-defects")
    labels = ds.predict(model, image).labels()
    assert labels.calibration == image.calibration
    found = ds.evaluate((truth > 0).astype(np.uint8), (labels.class_mask() > 0).astype(np.uint8))
    assert found.as_dict()["mean_iou"] > 0.3

    history = History(labels)
    before = labels.class_mask().copy()
    first = min(labels.object_classes)
    assert history.push(delete(labels, [first])) is not None
    assert first not in labels.object_classes
    history.undo()
    assert (labels.class_mask() == before).all()

    data = ds.Dataset.create(tmp_path / "data", model.card.classes, licence="CC0-1.0")
    for seed in range(3):
        other, mask = micrograph(tmp_path, 40 + seed)
        data.add(ds.open_image(other), mask, specimen=f"s{seed}", origin={"file": str(other)})
    data.add(image, labels, specimen="s0", origin={"file": str(path)})
    split(data)
    settings = TrainSettings(device="cpu", threads=1)
    better = ds.train(data, SHORT, tmp_path / "better", settings)
    assert ds.predict(better, image).mask().shape == SHAPE
    assert better.card.training["images"]["train"] >= 1

    table = ds.measure_regions(labels, image=image)
    assert table.column("area").unit == "nm²"
    table.write_csv(tmp_path / "objects.csv")
    assert (tmp_path / "objects.csv").read_text(encoding="utf-8").startswith("label,")
    classes = ds.summarise(table).as_dict()["classes"]
    assert set(classes) == {"void", "precipitate", "loop"}
    for numbers in classes.values():
        assert numbers["number_density"]["low"] <= numbers["number_density"]["value"]


def test_the_same_on_real_micrographs(real_data: Path, tmp_path: Path) -> None:
    """Tiles of 316L at 0.39 nm: loops are found, corrected, saved and measured in nm."""
    folder = real_data / "tem_loops_316l"
    size = ds.Calibration.of((0.390625, 0.390625), "nm", "field of view")
    image = ds.open_image(folder / "images" / "fov200_16.png").with_calibration(size)
    labels = ds.predict(ds.open_model("tem-defects"), image).labels()
    loops = ds.measure_regions(labels, image=image).where("class == 'loop'")
    assert len(loops) >= 5
    diameter = loops.column("equivalent_diameter_area")
    assert diameter.unit == "nm"
    assert 3 < np.median(diameter.values) < 60

    near = sorted(n for n, value in labels.object_classes.items() if value == 3)[:2]
    history = History(labels)
    history.push(merge(labels, near))
    assert len(set(near) & set(labels.object_classes)) == 1
    data = ds.Dataset.create(tmp_path / "data", labels.classes)
    region = (slice(0, 256), slice(100, 400))
    pair = data.add(image, labels, specimen="316L", region=region)
    again = ds.Dataset.open(tmp_path / "data").pair(pair.id)
    assert again.calibration.steps == size.steps
    assert (again.mask() == labels.class_mask()[region]).all()


def test_a_tomogram_and_a_movie_go_the_same_way() -> None:
    made = ds.phantom("tomogram", seed=1, shape=(48, 48, 48))
    labels = ds.predict(ds.open_model("tomogram-pores"), made.image).labels()
    assert ds.measure_regions(labels, image=made.image).column("area").unit == "µm³"
    movie = ds.phantom("movie", seed=1, shape=(3, 96, 128))
    frames = ds.predict(ds.open_model("tem-defects"), movie.image).labels()
    assert frames.axes == ("t", "y", "x")
    assert set(ds.measure_regions(frames, image=movie.image)["frame"].tolist()) <= {0, 1, 2}


def test_bad_input_gets_a_sentence_at_each_stage(tmp_path: Path) -> None:
    """What was seen and what to do, and nothing written."""
    (tmp_path / "broken.tif").write_bytes(b"II*\x00\xff\xff\xff\xff")
    (tmp_path / "broken.pt").write_bytes(b"PK\x03\x04 not really")
    model = ds.open_model("tem-defects")
    with pytest.raises(ImageError, match=r"broken\.tif"):
        ds.open_image(tmp_path / "broken.tif")
    with pytest.raises(FileMissing, match=r"nothing\.tif"):
        ds.open_image(tmp_path / "nothing.tif")
    with pytest.raises(ImageError, match="empty"):
        ds.CalibratedImage.from_array(np.zeros((0, 5)))
    with pytest.raises(ImageError, match="finite"):
        ds.predict(model, ds.CalibratedImage.from_array(np.full((32, 32), np.nan)))
    with pytest.raises(ModelError, match=r"broken\.pt"):
        ds.open_model(tmp_path / "broken.pt")
    with pytest.raises(ModelMissing, match="no-such-model"):
        ds.open_model("no-such-model")
    flat = ds.CalibratedImage.from_array(np.zeros((32, 32), np.float32))
    with pytest.raises((ImageError, ModelError), match="needs a volume"):
        ds.predict(ds.open_model("tomogram-pores"), flat)
    data = ds.Dataset.create(tmp_path / "data", ["void"])
    with pytest.raises(DatasetError):
        data.add(flat, np.zeros((4, 4), np.uint8), specimen="A")
    assert not ds.Dataset.open(tmp_path / "data").pairs()


def test_labels_without_a_pixel_size_are_measured_in_px() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[3:8, 3:8] = 1
    table = ds.measure_regions(labels)
    assert table.column("area").unit == "px²"
    assert any("pixel size" in warning for warning in ds.summarise(table).as_dict()["warnings"])


def test_a_cancelled_run_leaves_nothing() -> None:
    image = ds.phantom("micrograph", seed=2, shape=(64, 64)).image
    with pytest.raises(Cancelled):
        ds.predict(ds.open_model("tem-defects"), image, cancelled=lambda: True)


def test_a_full_disk_keeps_everything_that_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = ds.CalibratedImage.from_array(np.zeros((64, 64), np.uint8))
    data = ds.Dataset.create(tmp_path / "data", ["void"])
    first = data.add(image, np.zeros((64, 64), np.uint8), specimen="A")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(NotSaved, match="No space left"):
        data.add(image, np.zeros((64, 64), np.uint8), specimen="B")
    monkeypatch.undo()
    assert [pair.id for pair in ds.Dataset.open(tmp_path / "data").pairs()] == [first.id]
