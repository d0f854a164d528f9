"""What is wrong with a dataset is found, and a sound one is left in peace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_defectseg.datasets.check import check
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.phantoms.make import phantom

SIZE = (160, 192)
SPLITS = ("train", "train", "train", "validation", "test")


def made(seed: int, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray, Any]:
    found = phantom("micrograph", seed=seed, shape=size)
    return found.image.read(), found.mask, found.classes


def add(dataset: Dataset, pixels: np.ndarray, mask: np.ndarray, name: str, split: str) -> str:
    image = CalibratedImage.from_array(np.ascontiguousarray(pixels), name=name)
    return dataset.add(image, np.ascontiguousarray(mask), specimen=name, split=split).id  # type: ignore[arg-type]


@pytest.fixture
def sound(tmp_path: Path) -> Dataset:
    """Five phantoms, each a specimen of its own."""
    dataset = Dataset.create(tmp_path / "set", made(0)[2])
    for seed, split in enumerate(SPLITS):
        pixels, mask, _ = made(seed)
        add(dataset, pixels, mask, f"s{seed}", split)
    return dataset


def kinds(dataset: Dataset) -> set[str]:
    return {found.kind for found in check(dataset).findings}


def test_a_sound_dataset_has_no_errors(sound: Dataset) -> None:
    report = check(sound)
    assert not report.errors
    assert not {"duplicate", "leak", "shift", "hash"} & {found.kind for found in report.findings}


@pytest.mark.parametrize("way", ["copy", "turned", "mirrored", "contrast", "scaled"])
def test_a_picture_that_is_there_twice_is_found(sound: Dataset, way: str) -> None:
    from scipy.ndimage import zoom

    pixels, mask, _ = made(1)
    changed = {
        "copy": lambda a: a,
        "turned": lambda a: np.rot90(a),
        "mirrored": lambda a: a[:, ::-1],
        "contrast": lambda a: a,
        "scaled": lambda a: zoom(a, 0.7, order=0 if a is mask else 1),
    }[way]
    other = changed(pixels)
    if way == "contrast":
        other = (other.astype(np.float32) * 0.6 + 11).astype(np.float32)
    new = add(sound, other, changed(mask), "other", "test")
    found = check(sound).of("duplicate")
    assert [set(each.pairs) for each in found] == [{"s1", new}]
    assert found[0].severity == "error"
    assert ("re-scaled" in found[0].sentence) == (way == "scaled")
    assert ("turned" in found[0].sentence) == (way == "turned")


def test_crops_that_overlap_across_sets_are_found(sound: Dataset) -> None:
    pixels, mask, _ = made(50, (240, 300))
    one = add(sound, pixels[:160, :192], mask[:160, :192], "cropA", "train")
    other = add(sound, pixels[70:230, 90:282], mask[70:230, 90:282], "cropB", "test")
    leaks = check(sound).of("leak")
    assert [set(each.pairs) for each in leaks] == [{one, other}]
    assert leaks[0].severity == "error"


def test_one_specimen_in_two_sets_is_found(sound: Dataset) -> None:
    pixels, mask, _ = made(9)
    image = CalibratedImage.from_array(pixels, name="again")
    sound.add(image, mask, specimen="s0", split="test")
    leaks = check(sound).of("leak")
    assert "Specimen s0 is in train and test" in leaks[0].sentence


@pytest.mark.parametrize("move", [(7, 0), (-5, 6), (0, -11)])
def test_a_mask_that_lies_beside_its_objects_is_found(
    sound: Dataset, move: tuple[int, int]
) -> None:
    pixels, mask, _ = made(20)
    new = add(sound, pixels, np.roll(mask, move, (0, 1)), "shifted", "train")
    found = check(sound).of("shift")
    assert [each.pairs for each in found] == [(new,)]
    assert abs(found[0].values["down"] + move[0]) <= 1
    assert abs(found[0].values["right"] + move[1]) <= 1


def test_a_changed_file_is_found_by_its_hash(sound: Dataset) -> None:
    path = sound.pair("s2").path("mask")
    assert path is not None
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    found = check(sound).of("hash")
    assert found
    assert found[0].pairs == ("s2",)
    assert found[0].severity == "error"


def test_specks_and_masks_without_labels_are_found(sound: Dataset) -> None:
    pixels, mask, _ = made(30)
    dirty = mask.copy()
    for n in range(4):
        dirty[2:5, 20 * n + 2 : 20 * n + 5] = 0
        dirty[3, 20 * n + 3] = 1
    add(sound, pixels, dirty, "dirty", "train")
    add(sound, made(31)[0], np.full(SIZE, 255, np.uint8), "empty", "train")
    report = check(sound)
    assert any(each.pairs == ("dirty",) for each in report.of("objects"))
    assert [each.pairs for each in report.of("empty")] == [("empty",)]


def test_objects_of_the_wrong_class_are_found(tmp_path: Path) -> None:
    """Large dark discs and small bright ones; in one picture their names are exchanged."""
    dataset = Dataset.create(tmp_path / "set", ["precipitate", "void"])
    rng = np.random.default_rng(0)
    y, x = np.indices((120, 120))
    for number in range(4):
        mask = np.zeros((120, 120), np.uint8)
        for n in range(6):
            for value, radius, row in ((1, 7, 25), (2, 3, 80)):
                here = np.hypot(y - row - 5 * (n % 2), x - 12 - 19 * n) < radius
                mask[here] = value
        pixels = 100 + 40.0 * (mask == 2) - 30 * (mask == 1) + rng.normal(0, 3, mask.shape)
        wrong = np.choose(mask, [0, 2, 1]).astype(np.uint8) if number == 3 else mask
        add(dataset, pixels.astype(np.float32), wrong, f"p{number}", "train")
    found = check(dataset).of("classes")
    assert {each.pairs for each in found} == {("p3",)}
    assert {each.values["looks_like"] for each in found} == {"precipitate", "void"}


def test_a_class_that_is_missing_in_a_set_is_named(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path / "set", ["precipitate", "void"])
    for number, split in enumerate(("train", "test")):
        mask = np.zeros((32, 32), np.uint8)
        mask[4:12, 4:12] = 1
        mask[20, 20 : 22 + number] = 2 * number
        pixels = np.random.default_rng(number).normal(size=mask.shape).astype(np.float32)
        add(dataset, pixels, mask, f"p{number}", split)
    told = " ".join(each.sentence for each in check(dataset).of("balance"))
    assert "There is no void in train: it cannot be learnt" in told


@pytest.mark.parametrize(
    ("folder", "count"),
    [("sem_superalloy_precipitates", 2), ("sem_ebc_cracks", 2)],
)
def test_real_masks_made_by_hand_are_not_called_shifted(
    real_data: Path, tmp_path: Path, folder: str, count: int
) -> None:
    from napari_defectseg.datasets.foreign import ImportSettings
    from napari_defectseg.datasets.importing import import_dataset

    names = {"1": "one", "2": "two"}
    found = import_dataset(real_data / folder, tmp_path / "set", ImportSettings(names=names))
    assert len(found.dataset.pairs()) > count
    report = check(found.dataset)
    assert not report.of("shift")
    assert not report.of("duplicate")
