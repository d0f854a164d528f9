"""A recipe written is read as it was; what is strange in it is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import AlreadyExists, FileMissing, RecipeError
from napari_defectseg.core.units import Quantity
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.results.recipe import ModelReference, PixelSize, Recipe

FOIL = Acquisition(thickness=Quantity(85.0, "nm", 10.0), g="110")
RECIPE = Recipe(
    name="loops",
    model=ModelReference(name="loops", path="loops/", sha256="ab", settings={"name": "x"}),
    predict={"device": "cpu"},
    decode=DecodeSettings(thresholds={"loop": 0.4}, min_size=7.0, fill_holes=True),
    measure=MeasureSettings(border="exclude", connectivity=1),
    acquisition=FOIL.as_dict(),
    pixel_size=PixelSize(spacing=(0.5, 0.5), unit="nm"),
)


def test_written_and_read_it_is_the_same(tmp_path: Path) -> None:
    RECIPE.write(tmp_path / "recipe.json")
    assert Recipe.read(tmp_path / "recipe.json") == RECIPE
    assert Recipe.read(tmp_path) == RECIPE
    assert RECIPE.conditions == FOIL
    with pytest.raises(AlreadyExists):
        RECIPE.write(tmp_path / "recipe.json")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "has version 2; this program reads version 1"),
        ({"version": None}, "no version"),
        ({"colour": "red"}, "colour is not known here"),
        ({"decode": {"threshold": 0.3}}, "decode: does not know threshold"),
        ({"decode": {"thresholds": {"loop": 3}}}, "threshold of loop is 3"),
        ({"measure": {"border": "half"}}, "border"),
        ({"model": {}}, r"model\.path: Field required"),
        ({"acquisition": {"weather": "fine"}}, "acquisition cannot be used.*weather"),
    ],
)
def test_strange_values_are_named(tmp_path: Path, change: dict[str, object], says: str) -> None:
    values = {**RECIPE.as_dict(), **change}
    file = tmp_path / "r.json"
    file.write_text(json.dumps(values))
    with pytest.raises(RecipeError, match=says):
        Recipe.read(file)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100000])
def test_files_that_are_no_recipe_get_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "r.json"
    file.write_text(text)
    with pytest.raises(RecipeError, match=r"r\.json"):
        Recipe.read(file)
    with pytest.raises(FileMissing):
        Recipe.read(tmp_path / "none.json")


def test_a_typed_pixel_size_replaces_the_files() -> None:
    own = Calibration.of((2.0, 2.0), "µm").with_frame_time(3.0, "ms")
    typed = PixelSize(spacing=(0.5,), unit="nm").applied(own)
    assert (typed.steps, typed.unit, typed.frame_time) == ((0.5, 0.5), "nm", 3.0)
    assert PixelSize(frame_time=2, time_unit="µs").applied(own).frame_time == 2
    with pytest.raises(RecipeError, match="3 pixel sizes were given for 2"):
        PixelSize(spacing=(1, 1, 1)).applied(own)
