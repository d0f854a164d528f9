"""A result is written whole, read as it was, and never replaced unasked."""

from __future__ import annotations

import csv
import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import AlreadyExists, NotSaved, RecipeError
from napari_defectseg.core.units import Quantity
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.images.save import save_image
from napari_defectseg.labels.audit import Audit
from napari_defectseg.labels.construct import from_mask
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.results import folder as results
from napari_defectseg.results.analysis import Analysis, ModelRecord
from napari_defectseg.results.folder import write_result
from napari_defectseg.results.recipe import ModelReference, Recipe
from napari_defectseg.results.register import read_entries
from napari_defectseg.results.stored import read_result
from napari_defectseg.review.audit import AuditSettings, draw_audit

CLASSES = ClassMap.of(["void", "loop"])
OVERLAPPING = ClassMap.of(["void", "loop"], exclusive=False)


def labels_of(classes: ClassMap) -> LabelMap:
    mask = np.zeros((2, 60, 80), np.uint8)
    mask[0, 10:20, 10:30], mask[1, 40:50, 40:60] = 1, 1
    mask[:, :, 75:] = 255
    if classes.exclusive:
        mask = np.where(mask[1] == 1, 2, mask[0])
    found = from_mask(mask, classes, ("y", "x"), Calibration.of((0.5, 0.5), "nm", "typed by you"))
    found.checked.add(1)
    return found


def analysis(folder: Path, classes: ClassMap = CLASSES, **more: object) -> Analysis:
    path = folder / "steel A3.tif"
    if not path.exists():
        pixels = np.random.default_rng(0).integers(0, 4000, (60, 80), dtype=np.uint16)
        calibration = Calibration.of((0.5, 0.5), "nm")
        save_image(CalibratedImage(pixels, ("y", "x"), calibration), path)
    image = open_image(path).with_acquisition(Acquisition(thickness=Quantity(85.0, "nm", 10.0)))
    labels = labels_of(classes)
    table = measure_regions(labels, image=image)
    values = {
        "recipe": Recipe(model=ModelReference(path="m", sha256="ab")),
        "model": ModelRecord("m", "m/", "ab", {"weights.safetensors": "ab"}),
        "engine": "torch cpu",
        "plan": {"tile": [256, 256], "threads": 1},
        "specimen": "A3",
        **more,
    }
    thick = Quantity(85.0, "nm", 10.0)
    return Analysis(image, labels, table, summarise(table, thickness=thick), **values)


@pytest.mark.parametrize("classes", [CLASSES, OVERLAPPING])
def test_a_result_has_the_files_of_the_contract_and_is_read_again(
    tmp_path: Path, classes: ClassMap
) -> None:
    made = analysis(tmp_path, classes)
    place = write_result(tmp_path / "out", made)
    assert {path.name for path in place.iterdir()} == {
        "mask.ome.tif",
        "labels.ome.tif",
        "objects.csv",
        "summary.json",
        "overlay.png",
    }
    assert place.name == "steel A3"
    mask = open_image(place / "mask.ome.tif")
    assert mask.dtype == np.uint8
    assert mask.calibration.steps == (0.5, 0.5)
    np.testing.assert_array_equal(mask.read(), made.labels.class_mask())
    assert open_image(place / "labels.ome.tif").dtype == np.int32
    recipe, (found,) = read_result(tmp_path / "out")
    assert recipe == made.recipe
    again = found.labels()
    for one, two in zip(again.planes, made.labels.planes, strict=True):
        np.testing.assert_array_equal(one, two)
    assert again.object_classes == made.labels.object_classes
    assert again.checked == {1}
    assert again.unlabelled is not None
    np.testing.assert_array_equal(again.unlabelled, made.labels.unlabelled)
    assert (again.classes, again.axes, again.calibration) == (classes, ("y", "x"), mask_size())
    np.testing.assert_array_equal(found.image().read(), made.image.read())
    np.testing.assert_array_equal(found.table()["area"], made.table["area"])
    assert found.table().region == made.table.region
    for name, numbers in summarise(found.table()).classes.items():
        assert numbers["fraction"] == made.summary[name]["fraction"]
        assert numbers["number_density"] == made.summary[name]["number_density"]
    assert read_result(place)[1][0].folder == place


def mask_size() -> Calibration:
    path_source = "OME-XML, PhysicalSizeX"
    return Calibration.of((0.5, 0.5), "nm", path_source)


def test_the_summary_says_what_was_done_to_what(tmp_path: Path) -> None:
    place = write_result(tmp_path / "out", analysis(tmp_path))
    text = (place / "summary.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    found = json.loads(text)
    assert set(found) >= {
        "image", "region", "acquisition", "model", "settings", "classes", "engine", "seconds",
        "versions", "warnings", "plan", "created",
    }  # fmt: skip
    assert found["image"]["shape"] == [60, 80]
    assert found["image"]["unit"] == "nm"
    assert len(found["image"]["sha256"]) == 64
    assert found["acquisition"]["thickness"] == {"value": 85.0, "sigma": 10.0, "unit": "nm"}
    assert found["model"]["files"] == {"weights.safetensors": "ab"}
    assert set(found["classes"]) == {"void", "loop"}
    void = found["classes"]["void"]
    assert set(void) >= {"objects", "pixels", "fraction", "number_density"}
    assert void["objects"]["value"] == 1
    assert set(void["fraction"]) >= {"value", "unit", "low", "high"}
    assert found["region"]["excluded_pixels"] == 60 * 5


def test_the_collection_lists_each_image_once(tmp_path: Path) -> None:
    for overwrite in (False, True):
        write_result(tmp_path / "out", analysis(tmp_path), overwrite=overwrite)
    write_result(tmp_path / "out", analysis(tmp_path), stem="other")
    with (tmp_path / "out" / "collection.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["folder"] for row in rows] == ["steel A3", "other"]
    assert rows[0]["image"] == str((tmp_path / "steel A3.tif").resolve())
    assert (rows[0]["specimen"], rows[0]["state"]) == ("A3", "predicted")
    assert len(read_entries(tmp_path / "out")) == 2


def test_nothing_is_replaced_unasked_and_strange_files_stay(tmp_path: Path) -> None:
    place = write_result(tmp_path / "out", analysis(tmp_path))
    with pytest.raises(AlreadyExists, match="holds a result already"):
        write_result(tmp_path / "out", analysis(tmp_path))
    (place / "notes.txt").write_text("mine")
    write_result(tmp_path / "out", analysis(tmp_path, OVERLAPPING), overwrite=True)
    assert (place / "notes.txt").read_text() == "mine"
    assert read_result(tmp_path / "out")[1][0].classes == OVERLAPPING
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".part")]


def test_corrections_are_kept_and_never_replaced_by_a_prediction(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    (journal / "edits").mkdir(parents=True)
    (journal / "edits.jsonl").write_text("{}\n")
    (journal / "edits" / "1.npz").write_bytes(b"x")
    place = write_result(tmp_path / "out", analysis(tmp_path, journal=journal))
    assert (place / "edits.jsonl").read_text() == "{}\n"
    assert (place / "edits" / "1.npz").read_bytes() == b"x"
    assert read_result(place)[1][0].journal == place
    assert read_entries(tmp_path / "out")[0].state == "corrected"
    with pytest.raises(AlreadyExists, match="corrections made by hand"):
        write_result(tmp_path / "out", analysis(tmp_path), overwrite=True)
    write_result(tmp_path / "out", analysis(tmp_path, journal=place), overwrite=True)
    assert (place / "edits" / "1.npz").read_bytes() == b"x"


def test_a_full_disk_leaves_the_old_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = write_result(tmp_path / "out", analysis(tmp_path))
    before = {path.name: path.read_bytes() for path in place.iterdir()}

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(results, "_write_overlay", full)
    for stem in ("steel A3", "fresh"):
        with pytest.raises(NotSaved, match="No space left"):
            write_result(tmp_path / "out", analysis(tmp_path), stem=stem, overwrite=True)
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
    assert not (tmp_path / "out" / "fresh").exists()


def test_a_changed_image_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    write_result(tmp_path / "out", analysis(tmp_path))
    other = CalibratedImage.from_array(np.zeros((60, 80), np.uint16))
    save_image(other, tmp_path / "steel A3.tif", overwrite=True)
    with pytest.raises(RecipeError, match="has changed since"):
        read_result(tmp_path / "out")[1][0].image()


def test_folders_without_a_result_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="holds no result"):
        read_result(tmp_path)
    place = write_result(tmp_path / "out", analysis(tmp_path))
    (place / "summary.json").write_text("{")
    with pytest.raises(RecipeError, match=r"summary\.json cannot be read"):
        read_result(tmp_path / "out")


def test_the_five_minute_review_stands_in_the_summary(tmp_path: Path) -> None:
    made = analysis(tmp_path)
    audit = draw_audit(made.labels, settings=AuditSettings(4, 4, 20))
    assert json.loads(written(tmp_path / "none", made))["audit"] is None
    judged = audit.judge_object(0, True).judge_object(1, False, other_class=True)
    said = json.loads(written(tmp_path / "some", replace(made, audit=judged)))["audit"]
    assert said["judged_objects"] == 2
    assert said["precision"]["value"] == 0.5
    assert said["there"]["value"] == 1
    assert said["recall"] is None
    assert Audit.of_dict(said["sample"]) == judged


def written(folder: Path, made: Analysis) -> str:
    return (write_result(folder, made) / "summary.json").read_text("utf-8")
