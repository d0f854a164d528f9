"""A result made again is the same, byte for byte; what has changed is refused or named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.batch.analyse import AnalyseSettings, analyse
from napari_defectseg.batch.measure import measure_steps, write_measured
from napari_defectseg.batch.rerun import rerun
from napari_defectseg.batch.taking import MeasureJob
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import FileMissing, RecipeError
from napari_defectseg.core.progress import drive
from napari_defectseg.images.save import save_array
from napari_defectseg.labels.history import History
from napari_defectseg.labels.journal import Journal
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.results.folder import write_result
from napari_defectseg.results.recipe import ModelReference, Recipe

FILES = ("mask.ome.tif", "labels.ome.tif", "objects.csv", "overlay.png")


def recipe(model: Path, **predict: object) -> Recipe:
    return Recipe(model=ModelReference(path=str(model)), predict={"device": "cpu", **predict})


def without_time(folder: Path) -> dict[str, object]:
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    return {name: value for name, value in summary.items() if name not in ("seconds", "created")}


def test_a_rerun_is_the_same_bytes(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    settings = AnalyseSettings(scores=True, specimen="A3")
    analyse(two_images[0], recipe(model_folder, tile=48, threads=1), tmp_path / "a", settings)
    first = tmp_path / "a" / "field 1"
    again = rerun(first / "summary.json", tmp_path / "b")
    assert again.same, again.differences
    for name in FILES:
        assert (first / name).read_bytes() == (again.folder / name).read_bytes(), name
    assert without_time(first) == without_time(again.folder)
    assert (again.folder / "scores.zarr").exists()


def test_a_summary_alone_is_enough(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    analyse(two_images[0], recipe(model_folder), tmp_path / "a")
    (tmp_path / "a" / "recipe.json").unlink()
    (tmp_path / "a" / "collection.csv").unlink()
    assert rerun(tmp_path / "a" / "field 1", tmp_path / "b").same


def test_an_image_that_has_changed_is_refused(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    analyse(two_images[0], recipe(model_folder), tmp_path / "a")
    two_images[0].unlink()
    two_images[1].rename(two_images[0])
    with pytest.raises(RecipeError, match="has changed"):
        rerun(tmp_path / "a" / "field 1", tmp_path / "b")


def test_a_corrected_result_replays_its_journal(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    from dataclasses import replace

    from napari_defectseg.labels.tools.delete import delete

    plain = analyse(two_images[0], recipe(model_folder))
    journal = Journal.start(tmp_path / "j", plain.labels, image="x", image_sha256="y")
    history = History(plain.labels, journal, who="Ada")
    edit = delete(history.labelmap, [1])
    assert edit is not None
    history.push(edit)
    journal.close()
    image = plain.image
    table = measure_regions(history.labelmap, image=image, scores=plain.scores)
    corrected = replace(
        plain,
        labels=history.labelmap,
        table=table,
        summary=summarise(table),
        journal=journal.folder,
        scores=None,
    )
    write_result(tmp_path / "a", corrected)
    again = rerun(tmp_path / "a" / "field 1", tmp_path / "b")
    assert again.same, again.differences
    assert (again.folder / "edits.jsonl").is_file()
    assert without_time(again.folder)["people"] == {"Ada": 1}


def test_several_models_put_together_are_rerun(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    from napari_defectseg.batch.analyse import recipe_for
    from napari_defectseg.models.ensemble import combine_models
    from napari_defectseg.models.open import open_model

    both = combine_models([open_model(model_folder), open_model(model_folder)], "ensemble")
    analyse(two_images[0], recipe_for(both, ""), tmp_path / "a")
    assert rerun(tmp_path / "a" / "field 1", tmp_path / "b").same


def test_a_measurement_is_made_again(tmp_path: Path) -> None:
    mask = np.zeros((30, 30), np.uint8)
    mask[4:9, 5:11] = 1
    save_array(
        mask,
        tmp_path / "mask.tif",
        axes=("y", "x"),
        calibration=Calibration.of((0.5, 0.5), "nm"),
    )
    job = MeasureJob(masks=[tmp_path / "mask.tif"], classes=("void",))
    write_measured(drive(measure_steps(job)), tmp_path / "a")
    again = rerun(tmp_path / "a" / "summary.json", tmp_path / "b")
    assert again.same, again.differences
    assert (tmp_path / "a" / "objects.csv").read_bytes() == (
        again.folder / "objects.csv"
    ).read_bytes()


def test_what_is_no_summary_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"is no summary\.json"):
        rerun(tmp_path / "nothing.json", tmp_path / "b")


def test_the_region_that_was_counted_is_kept_and_made_again(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    """A region drawn in the window stands in no recipe: it is a file of the result."""
    from napari_defectseg.batch.analyse import (
        measured,
        open_recipe_model,
        prepared,
        record_of,
        settled,
    )
    from napari_defectseg.images.space import ReferenceSpace
    from napari_defectseg.inference.predict import predict
    from napari_defectseg.results.stored import read_result

    own = recipe(model_folder)
    model = open_recipe_model(own)
    own = settled(own, model)
    picture = prepared(two_images[0], own)
    prediction = predict(model, picture)
    roi = np.zeros(picture.label_shape, bool)
    roi[5:30, 8:40] = True
    space = ReferenceSpace(roi.shape, roi=roi)
    made = measured(picture, prediction.labels(own.decode), prediction, own, space)
    first = write_result(tmp_path / "a", replace(made, model=record_of(model, own)), stem="x")
    stored = read_result(first)[1][0]
    kept = stored.space()
    assert kept is not None
    assert np.array_equal(kept.mask(), roi)
    assert stored.table().region.pixels == roi.sum()
    again = rerun(first, tmp_path / "b")
    assert not again.differences
    assert (again.folder / "objects.csv").read_bytes() == (first / "objects.csv").read_bytes()
    assert (again.folder / "region.ome.tif").is_file()
