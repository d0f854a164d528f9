"""One call from an image and a recipe to a result, the same as its stages one by one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.batch import analyse as analysing
from napari_defectseg.batch.analyse import AnalyseSettings, analyse, recipe_for
from napari_defectseg.core.errors import AlreadyExists, ModelMissing, RecipeError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.images.store import open_store
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.models.open import open_model
from napari_defectseg.results.recipe import ModelReference, PixelSize, Recipe
from napari_defectseg.results.stored import read_result


def plain(model_folder: Path, **fields: object) -> Recipe:
    return Recipe(model=ModelReference(path=str(model_folder)), predict={"device": "cpu"}, **fields)


def test_it_gives_the_numbers_of_its_stages(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    found = analyse(two_images[0], plain(model_folder), tmp_path / "out")
    image = open_image(two_images[0])
    prediction = predict(open_model(model_folder), image, PredictSettings(device="cpu"))
    labels = prediction.labels()
    table = measure_regions(labels, image=image, scores=prediction.scores)
    assert len(table) > 0
    np.testing.assert_array_equal(found.labels.planes[0], labels.planes[0])
    table.write_csv(tmp_path / "stages.csv")
    written = (tmp_path / "out" / "field 1" / "objects.csv").read_text("utf-8")
    assert written == (tmp_path / "stages.csv").read_text("utf-8")


def test_the_recipe_of_a_result_leaves_nothing_to_a_default(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    analyse(two_images[0], plain(model_folder), tmp_path / "out")
    recipe = Recipe.read(tmp_path / "out")
    assert recipe.model.sha256 == open_model(model_folder).sha256
    assert recipe.model.name == "small"
    assert recipe.decode.thresholds == {"void": 0.3}
    assert recipe.decode.min_size == 3
    again = analyse(two_images[0], recipe, tmp_path / "again")
    first = tmp_path / "out" / "field 1"
    for name in ("mask.ome.tif", "labels.ome.tif", "objects.csv", "overlay.png"):
        assert (first / name).read_bytes() == (tmp_path / "again" / "field 1" / name).read_bytes()
    assert again.recipe == recipe


def test_what_a_recipe_says_beats_the_card(model_folder: Path, two_images: list[Path]) -> None:
    decode = DecodeSettings(thresholds={"void": 0.9}, min_size=0)
    found = analyse(two_images[0], plain(model_folder, decode=decode))
    assert found.recipe is not None
    assert found.recipe.decode == decode
    assert analyse(two_images[0], plain(model_folder)).recipe.decode.min_size == 3


def test_summary_and_scores_are_kept(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    settings = AnalyseSettings(scores=True, specimen="A3")
    recipe = plain(
        model_folder, acquisition={"thickness": {"value": 85, "sigma": 10, "unit": "nm"}}
    )
    analyse(two_images[0], recipe, tmp_path / "out", settings)
    place = tmp_path / "out" / "field 1"
    summary = json.loads((place / "summary.json").read_text("utf-8"))
    assert set(summary["model"]["files"]) == {"card.json", "weights.safetensors"}
    assert summary["plan"]["device"] == "cpu"
    assert summary["classes"]["void"]["number_density_foil"]["unit"] == "m⁻³"
    scores = open_store(place / "scores.zarr")
    assert scores.shape == (3, 40, 50)
    assert read_result(tmp_path / "out")[1][0].entry.specimen == "A3"


def test_a_thickness_without_pixel_size_is_told_not_used(model_folder: Path) -> None:
    data = np.random.default_rng(0).integers(0, 255, (30, 30), np.uint8)
    recipe = plain(model_folder, acquisition={"thickness": {"value": 85, "unit": "nm"}})
    found = analyse(CalibratedImage.from_array(data), recipe)
    assert any("thickness was not used" in note for note in found.warnings)
    assert "number_density_foil" not in found.summary["void"]


def test_a_pixel_size_of_the_recipe_is_used(model_folder: Path, two_images: list[Path]) -> None:
    size = PixelSize(spacing=(2.0,), unit="nm")
    found = analyse(two_images[0], plain(model_folder, pixel_size=size))
    assert found.image.calibration.spacing == (2.0, 2.0)
    assert found.table.calibration.spacing == (2.0, 2.0)


def test_a_taken_place_is_refused_before_the_model_runs(
    model_folder: Path, two_images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyse(two_images[0], plain(model_folder), tmp_path / "out")
    monkeypatch.setattr(analysing, "open_recipe_model", lambda recipe: pytest.fail("ran"))
    with pytest.raises(AlreadyExists, match="holds a result already"):
        analyse(two_images[0], plain(model_folder), tmp_path / "out")


def test_another_model_in_the_old_place_is_noticed(
    model_folder: Path, two_images: list[Path]
) -> None:
    recipe = recipe_for(open_model(model_folder), model_folder)
    other = recipe.model_copy(
        update={"model": recipe.model.model_copy(update={"sha256": "0" * 64})}
    )
    with pytest.raises(RecipeError, match="has other weights"):
        analyse(two_images[0], other)


@pytest.mark.parametrize(
    ("values", "says"),
    [({"speed": 3}, "sets speed"), ({"memory": "much"}, r"predict\.memory cannot be used")],
)
def test_a_recipe_with_strange_settings_gets_a_sentence(
    model_folder: Path, two_images: list[Path], values: dict[str, object], says: str
) -> None:
    recipe = Recipe(model=ModelReference(path=str(model_folder)), predict=values)
    with pytest.raises(RecipeError, match=says):
        analyse(two_images[0], recipe)


def test_a_model_that_is_not_there_gets_a_sentence(two_images: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no model at"):
        analyse(two_images[0], plain(tmp_path / "none"))
