"""What differs between two results is said by its place; time and duration do not count."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from napari_defectseg.batch.analyse import analyse
from napari_defectseg.core.errors import RecipeError
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.results.diff import diff_results, differing
from napari_defectseg.results.recipe import ModelReference, Recipe


def made(model: Path, image: Path, out: Path, threshold: float = 0.3) -> Path:
    decode = DecodeSettings(thresholds={"void": threshold}, min_size=3)
    reference = ModelReference(path=str(model))
    analyse(image, Recipe(model=reference, predict={"device": "cpu"}, decode=decode), out)
    return out


def test_the_same_analysis_twice_is_the_same(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    one = made(model_folder, two_images[0], tmp_path / "a")
    other = made(model_folder, two_images[0], tmp_path / "b")
    found = diff_results(one, other)
    assert found.same, found.differences
    assert found.compared == 1


def test_another_threshold_is_named_with_what_follows_from_it(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    one = made(model_folder, two_images[0], tmp_path / "a")
    other = made(model_folder, two_images[0], tmp_path / "b", 0.4)
    found = {item.what: (item.one, item.other) for item in diff_results(one, other).differences}
    assert found["settings.decode.thresholds.void"] == ("0.3", "0.4")
    assert "classes.void.pixels.value" in found
    assert {"mask", "objects.csv"} <= set(found)
    assert "image.sha256" not in found


def test_another_image_is_named_by_its_hash(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    one = made(model_folder, two_images[0], tmp_path / "a")
    other = made(model_folder, two_images[1], tmp_path / "b")
    assert "image.sha256" in {item.what for item in diff_results(one, other).differences}


def test_folders_without_a_common_image_are_refused(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    for result, names in (("a", ("w", "x")), ("b", ("y", "z"))):
        for name, image in zip(names, two_images, strict=True):
            place = made(model_folder, image, tmp_path / result / name) / "field 1"
            place.rename(tmp_path / result / f"{name}-1")
            shutil.rmtree(tmp_path / result / name)
    with pytest.raises(RecipeError, match="no image in common"):
        diff_results(tmp_path / "a", tmp_path / "b")


def test_only_seconds_and_created_at_the_top_are_ignored() -> None:
    one = {"seconds": 1, "created": "a", "settings": {"seconds": 1}, "only": 3}
    other = {"seconds": 2, "created": "b", "settings": {"seconds": 2}}
    assert list(differing(one, other)) == [("settings.seconds", "1", "2"), ("only", "3", "absent")]


def test_json_of_a_diff_names_both_sides(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    one = made(model_folder, two_images[0], tmp_path / "a")
    file = made(model_folder, two_images[0], tmp_path / "b") / "field 1" / "summary.json"
    summary = json.loads(file.read_text("utf-8"))
    summary["versions"]["numpy"] = "1.0"
    file.write_text(json.dumps(summary), "utf-8")
    document = diff_results(one / "field 1", file).as_dict()
    assert document["differences"][0]["what"] == "versions.numpy"
    assert document["differences"][0]["b"] == "1.0"
