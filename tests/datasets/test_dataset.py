"""A dataset folder keeps what it was given, and says what does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, DatasetError, FileMissing, NotSaved
from napari_defectseg.datasets import files
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap

CLASSES = ClassMap.of(["void", "loop"])
NM = Calibration.of((0.5, 0.5), "nm", "typed by you")


def image(shape: tuple[int, ...] = (40, 50), name: str = "steel A3") -> CalibratedImage:
    pixels = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    return CalibratedImage(pixels, ("z", "y", "x")[-len(shape) :], _cal(len(shape)), name)


def _cal(ndim: int) -> Calibration:
    return Calibration.of((0.5,) * ndim, "nm", "typed by you")


def mask(shape: tuple[int, ...] = (40, 50)) -> np.ndarray:
    found = np.zeros(shape, np.uint8)
    found[..., 5:12, 5:12] = 1
    found[..., 20:30, 20:25] = 2
    found[..., :3] = 255
    return found


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.create(tmp_path / "set", CLASSES, licence="CC0-1.0", made_by="hand")


def test_what_is_added_comes_back_after_opening_again(dataset: Dataset) -> None:
    saved = dataset.add(image(), mask(), specimen="A3", split="train")
    pair = Dataset.open(dataset.path).pair(saved.id)
    assert (pair.specimen, pair.split, pair.id) == ("A3", "train", "steel-A3")
    np.testing.assert_array_equal(pair.image().read(), image().read())
    np.testing.assert_array_equal(pair.mask(), mask())
    assert pair.mask().dtype == np.uint8
    assert pair.image().calibration.steps == (0.5, 0.5)
    assert pair.image().calibration.describe() == "0.5 nm/px"
    assert pair.image().calibration.source == "typed by you"
    assert pair.instances() is None
    assert pair.origin.who
    assert pair.origin.when


def test_the_card_has_the_fields_of_the_contract(dataset: Dataset) -> None:
    card = json.loads((dataset.path / "dataset.json").read_text())
    assert card["licence"] == "CC0-1.0"
    assert card["made_by"] == "hand"
    assert [(c["value"], c["name"]) for c in card["classes"]] == [(1, "void"), (2, "loop")]
    assert all(c["colour"].startswith("#") for c in card["classes"])


def test_manifest_line_has_hashes_of_the_files_on_disk(dataset: Dataset) -> None:
    import hashlib

    pair = dataset.add(image(), mask(), specimen="A3")
    line = json.loads((dataset.path / "manifest.jsonl").read_text().splitlines()[0])
    assert line["what"] == "added"
    assert line["supersedes"] is None
    for role in ("image", "mask"):
        content = (dataset.path / line[role]).read_bytes()
        assert line["sha256"][role] == hashlib.sha256(content).hexdigest() == pair.sha256[role]
    assert line["image"] == f"images/{pair.id}.ome.tif"
    assert line["mask"] == f"masks/{pair.id}.ome.tif"


def test_label_map_brings_its_objects_and_unlabelled_pixels(dataset: Dataset) -> None:
    labels = LabelMap.empty((40, 50), CLASSES, ("y", "x"), NM)
    labels.planes[0][5:12, 5:12] = 1
    labels.planes[0][20:30, 20:25] = 2
    labels.object_classes.update({1: 1, 2: 2})
    labels.unlabelled = np.zeros((40, 50), bool)
    labels.unlabelled[:, :3] = True
    pair = dataset.add(image(), labels, specimen="A3")
    np.testing.assert_array_equal(pair.mask(), mask())
    found = pair.instances()
    assert found is not None
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, labels.planes[0])


def test_overlapping_classes_keep_a_plane_each(tmp_path: Path) -> None:
    classes = ClassMap.of(["particle", "satellite"], exclusive=False)
    dataset = Dataset.create(tmp_path / "set", classes)
    planes = np.zeros((2, 40, 50), np.uint8)
    planes[0, 5:20], planes[1, 10:30], planes[:, :, -2:] = 1, 1, 255
    pair = dataset.add(image(), planes, specimen="A3")
    np.testing.assert_array_equal(Dataset.open(dataset.path).pair(pair.id).mask(), planes)


@pytest.mark.parametrize("shape", [(40, 50), (7, 40, 50)])
def test_a_region_is_cut_and_its_place_kept(dataset: Dataset, shape: tuple[int, ...]) -> None:
    region = (slice(1, 5), slice(4, 24), slice(3, 33))[-len(shape) :]
    pair = dataset.add(image(shape), mask(shape), specimen="A3", region=region)
    np.testing.assert_array_equal(pair.image().read(), image(shape).read()[region])
    np.testing.assert_array_equal(pair.mask(), mask(shape)[region])
    assert pair.origin.region == tuple((part.start, part.stop) for part in region)


def test_colour_images_keep_their_channels(dataset: Dataset) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    picture = CalibratedImage(pixels, ("y", "x", "c"), NM, "photo")
    pair = dataset.add(picture, mask(), specimen="ball screw", region=(slice(4, 20), slice(0, 9)))
    np.testing.assert_array_equal(pair.image().read(), pixels[4:20, 0:9])
    assert pair.label_shape == (16, 9)


def test_pixels_without_a_value_count_as_unlabelled(dataset: Dataset) -> None:
    pixels = np.ones((40, 50), np.float32)
    pixels[30:, 40:] = np.nan
    pair = dataset.add(CalibratedImage(pixels, ("y", "x"), NM, "ct"), mask(), specimen="A3")
    assert (pair.mask()[30:, 40:] == 255).all()
    np.testing.assert_array_equal(pair.mask()[:30], mask()[:30])


def test_correction_replaces_the_truth_and_keeps_the_old_file(dataset: Dataset) -> None:
    pair = dataset.add(image(), mask(), specimen="A3", split="test")
    better = mask()
    better[30:, 30:] = 1
    dataset.correct(pair.id, better)
    again = Dataset.open(dataset.path)
    assert len(again.pairs()) == 1
    now = again.pair(pair.id)
    np.testing.assert_array_equal(now.mask(), better)
    assert (now.split, now.specimen) == ("test", "A3")
    assert now.event.supersedes == pair.event.number
    np.testing.assert_array_equal(pair.mask(), mask())


def test_a_lost_correction_falls_back_to_what_was_saved_before(dataset: Dataset) -> None:
    pair = dataset.add(image(), mask(), specimen="A3")
    corrected = dataset.correct(pair.id, np.zeros((40, 50), np.uint8))
    (dataset.path / corrected.event.mask).unlink()
    np.testing.assert_array_equal(dataset.pair(pair.id).mask(), mask())
    assert any("what was saved before counts" in text for text in dataset.info().warnings)


def test_excluded_pairs_are_left_out_and_can_come_back(dataset: Dataset) -> None:
    pair = dataset.add(image(), mask(), specimen="A3")
    dataset.exclude(pair.id, reason="out of focus")
    assert dataset.pairs() == ()
    assert dataset.info().excluded == 1
    dataset.include(pair.id)
    assert [found.id for found in dataset.pairs()] == [pair.id]


def test_pairs_of_a_set(dataset: Dataset) -> None:
    for split in ("train", "test", None):
        dataset.add(image(), mask(), specimen=f"of {split}", split=split)
    assert [pair.specimen for pair in dataset.pairs("test")] == ["of test"]
    assert len(dataset.pairs()) == 3


def test_two_images_of_one_name_get_two_ids(dataset: Dataset) -> None:
    ids = {dataset.add(image(), mask(), specimen="A3").id for _ in range(3)}
    assert ids == {"steel-A3", "steel-A3-2", "steel-A3-3"}


def test_a_list_of_objects_is_kept(dataset: Dataset) -> None:
    columns = {"label": np.array([1, 2]), "area [nm²]": np.array([12.25, 3.5]), "class": ["a", "b"]}
    pair = dataset.add(image(), mask(), specimen="A3", objects=columns)
    text = (dataset.path / "objects" / f"{pair.id}.csv").read_text(encoding="utf-8")
    assert text == "label,area [nm²],class\n1,12.25,a\n2,3.5,b\n"
    assert pair.objects() == {
        "label": ["1", "2"],
        "area [nm²]": ["12.25", "3.5"],
        "class": ["a", "b"],
    }


def test_info_counts_pixels_specimens_and_sets(dataset: Dataset) -> None:
    dataset.add(image(), mask(), specimen="A3", split="train")
    dataset.add(image(), np.full((40, 50), 255, np.uint8), specimen="B1")
    info = dataset.info()
    assert info.classes["void"].pixels == 49
    assert info.classes["loop"].pixels == 50
    assert info.classes["void"].share == pytest.approx(49 / (2000 - 120))
    assert info.unlabelled == pytest.approx((120 + 2000) / 4000)
    assert info.specimens == {"A3": 1, "B1": 1}
    assert info.splits == {"train": 1, "not split": 1}
    assert any("void occurs in one specimen only" in text for text in info.warnings)
    json.dumps(info.as_dict())


def test_one_specimen_in_two_sets_is_named(dataset: Dataset) -> None:
    dataset.add(image(), mask(), specimen="A3", split="train")
    dataset.add(image(), mask(), specimen="A3", split="test")
    assert any("Specimen A3 is in test and train" in text for text in dataset.info().warnings)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.zeros((40, 49), np.uint8), r"shape \(40, 49\); steel A3 needs \(40, 50\)"),
        (np.full((40, 50), 7, np.uint8), "holds 7, which is no class .*1 void, 2 loop"),
        (np.zeros((40, 50), np.float32), "whole numbers; this one holds float32"),
        (np.ones((40, 50), bool), "does not say which of void, loop"),
        (
            LabelMap.empty((40, 50), ClassMap.of(["pore"]), ("y", "x"), NM),
            "classes 1 pore; the dataset has 1 void, 2 loop",
        ),
    ],
)
def test_labels_that_do_not_fit_get_a_sentence(dataset: Dataset, labels, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        dataset.add(image(), labels, specimen="A3")
    assert dataset.pairs() == ()


def test_a_specimen_and_a_region_inside_are_needed(dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match="names no specimen"):
        dataset.add(image(), mask(), specimen=" ")
    with pytest.raises(DatasetError, match="30:60 does not lie inside an axis of 50"):
        dataset.add(image(), mask(), specimen="A", region=(slice(0, 9), slice(30, 60)))


def test_opening_what_is_no_dataset_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="does not exist"):
        Dataset.open(tmp_path / "nothing")
    with pytest.raises(DatasetError, match=r"holds no dataset\.json"):
        Dataset.open(tmp_path)
    (tmp_path / "dataset.json").write_text('{"version": 9, "name": "x", "classes": []}')
    with pytest.raises(DatasetError, match=r"version.*newer version"):
        Dataset.open(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(DatasetError, match="cannot be read"):
        Dataset.open(tmp_path)


def test_what_is_there_is_not_overwritten(dataset: Dataset) -> None:
    with pytest.raises(AlreadyExists):
        Dataset.create(dataset.path, CLASSES)


def test_a_full_disk_leaves_the_dataset_as_it_was(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file in turn meets a full disk; afterwards a new attempt succeeds under the same id."""
    import errno

    dataset.add(image(name="first"), mask(), specimen="A3")
    before = sorted(path.name for path in dataset.path.rglob("*"))
    for step in ("image", "_array", "record"):
        with monkeypatch.context() as patch:

            def full(*args: object, **kwargs: object) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            patch.setattr(files.Writer, step, full)
            with pytest.raises(NotSaved, match="No space left on device"):
                dataset.add(image(), mask(), specimen="A3")
        assert sorted(path.name for path in dataset.path.rglob("*")) == before
        assert len(Dataset.open(dataset.path).pairs()) == 1
    assert dataset.add(image(), mask(), specimen="A3").id == "steel-A3"
