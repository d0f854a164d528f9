"""`defectseg evaluate`: files, folders, results and datasets against one another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.save import save_array, save_image
from napari_defectseg.measurement.metrics import evaluate, evaluate_many

KEYS = {"iou", "dice", "precision", "recall", "object_f1"}


def masks(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A truth with two classes, and the same moved by two pixels."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((60, 80), np.uint8)
    for value in (1, 2, 1, 2):
        y, x = rng.integers(0, 50), rng.integers(0, 70)
        truth[y : y + 9, x : x + 9] = value
    return truth, np.roll(truth, 2, axis=1)


def write(array: np.ndarray, path: Path, unit: str = "") -> Path:
    size = Calibration.of((0.5, 0.5), unit) if unit else Calibration.uncalibrated(2)
    return save_array(array, path, axes="yx", calibration=size)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for seed, name in enumerate(("A3", "B1")):
        truth, found = masks(seed)
        write(truth, tmp_path / "truth" / f"{name}.tif")
        write(found, tmp_path / "found" / f"{name}.ome.tif")
    return tmp_path / "truth", tmp_path / "found"


def test_two_files_give_the_numbers_of_python(defectseg, folders: tuple[Path, Path]) -> None:
    said = defectseg(
        "evaluate", folders[0] / "A3.tif", folders[1] / "A3.ome.tif",
        "--classes", "void,loop", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    expected = evaluate(*masks(0), classes=ClassMap.of(["void", "loop"]))
    for name in ("void", "loop"):
        assert set(said.document["classes"][name]) >= KEYS
        for key in KEYS:
            assert said.document["classes"][name][key] == expected[name][key]
    assert said.document["mean_iou"] == expected.mean_iou


def test_folders_are_matched_by_stem_and_pooled(defectseg, folders: tuple[Path, Path]) -> None:
    write(masks(5)[0], folders[0] / "C2.tif")
    said = defectseg("evaluate", *folders, "--json")
    assert said.status == 0, said.err
    assert said.document["compared"] == ["A3", "B1"]
    assert "C2: there is no prediction, so 1 were left out." in said.err
    expected = evaluate_many([masks(0), masks(1)])
    assert said.document["classes"]["class 1"]["iou"] == expected["class 1"]["iou"]
    said = defectseg("evaluate", *folders)
    assert "class 1" in said.out
    assert "mean IoU" in said.out


def test_a_dataset_against_a_result(
    defectseg, model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    from napari_defectseg.images.open import open_image

    data = Dataset.create(tmp_path / "data", ["void", "loop"])
    for number, path in enumerate(two_images):
        image = open_image(path)
        mask = np.zeros(image.label_shape, np.uint8)
        mask[5:15, 5:25] = 1
        data.add(image, mask, specimen=f"s{number}")
    inside = [path for pair in data.pairs() if (path := pair.path("image"))]
    out = tmp_path / "out"
    said = defectseg("predict", *inside, "--model", model_folder, "--out", out, "--device", "cpu")
    assert said.status == 0, said.err
    said = defectseg("evaluate", tmp_path / "data", out, "--json")
    assert said.status == 0, said.err
    assert said.document["compared"] == [pair.id for pair in data.pairs()]
    assert set(said.document["classes"]) == {"void", "loop"}
    truth = data.pairs()[0]
    single = defectseg("evaluate", truth.path("mask"), out / truth.id / "mask.ome.tif", "--json")
    assert single.status == 0, single.err


def test_distances_are_in_the_unit_of_the_pixel_size(defectseg, tmp_path: Path) -> None:
    truth, found = masks(0)
    paths = [write(truth, tmp_path / "a.tif", "nm"), write(found, tmp_path / "b.tif", "nm")]
    said = defectseg("evaluate", *paths, "--match", "distance:1.1", "--json")
    assert said.status == 0, said.err
    assert said.document["match_unit"] == "nm"
    near = said.document["classes"]["class 1"]["object_f1"]
    said = defectseg("evaluate", *paths, "--match", "distance:0.9", "--json")
    assert said.document["classes"]["class 1"]["object_f1"] < near


def test_perfect_agreement_with_real_loop_masks(defectseg, real_data: Path) -> None:
    folder = real_data / "tem_loops_316l" / "masks"
    said = defectseg("evaluate", folder, folder, "--json")
    assert said.status == 0, said.err
    assert len(said.document["compared"]) == 16
    assert said.document["mean_iou"] == 1.0


def test_what_does_not_belong_together_gets_a_sentence(
    defectseg, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    small = write(np.zeros((5, 5), np.uint8), tmp_path / "other" / "Z.tif")
    said = defectseg("evaluate", folders[0] / "A3.tif", small)
    assert said.status == 1
    assert "A3.tif" in said.err
    assert "Z.tif" in said.err
    said = defectseg("evaluate", folders[0], tmp_path / "other")
    assert said.status == 1
    assert "No prediction has the name of a truth" in said.err
    said = defectseg("evaluate", folders[0], tmp_path / "none")
    assert "is not there" in said.err
    (tmp_path / "empty").mkdir()
    said = defectseg("evaluate", folders[0], tmp_path / "empty", "--json")
    assert "holds no masks" in said.document["error"]["sentence"]
    said = defectseg("evaluate", *folders, "--match", "luck:3")
    assert said.status == 1
    rgb = CalibratedImage.from_array(np.zeros((60, 80, 3), np.uint8))
    save_image(rgb, tmp_path / "rgb.png")
    said = defectseg("evaluate", folders[0] / "A3.tif", tmp_path / "rgb.png")
    assert "is a colour picture" in said.err
