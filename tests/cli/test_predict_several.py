"""`defectseg predict` with several models, and `run` of its recipe."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import napari_defectseg as ds
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.save import save_model
from napari_defectseg.results.recipe import Recipe


def saved(folder: Path, name: str, seed: int) -> Path:
    card = design(
        f"{name} model",
        settings={"dims": 2, "widths": (4, 6), "in_channels": 1},
        classes=ClassMap.of([name]),
        task="binary",
        activation="sigmoid",
    )
    return save_model(TorchModel.new(card, seed=seed), folder)


@pytest.fixture
def voids(tmp_path: Path) -> Path:
    return saved(tmp_path / "voids", "void", 1)


@pytest.fixture
def loops(tmp_path: Path) -> Path:
    return saved(tmp_path / "loops", "loop", 2)


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


def test_joined_models_give_one_result_with_a_channel_a_class(
    defectseg, voids: Path, loops: Path, two_images: list[Path], tmp_path: Path
) -> None:
    """Each channel is what its model gives alone; the recipe does it again, to the byte."""
    ask = ["--device", "cpu", "--json"]
    said = defectseg(
        "predict", two_images[0], "--model", voids, "--model", loops, "--out", tmp_path / "o", *ask
    )
    assert said.status == 0, said.err
    mask = ds.open_image(tmp_path / "o" / "field 1" / "mask.ome.tif").read()
    for number, path in enumerate((voids, loops)):
        image = ds.open_image(two_images[0])
        alone = ds.predict(ds.open_model(path), image, ds.PredictSettings(device="cpu"))
        np.testing.assert_array_equal(mask[number], alone.mask())
    known = summary(tmp_path / "o" / "field 1")
    assert set(known["classes"]) == {"void", "loop"}
    assert set(known["model"]["files"]) == {
        f"{n}/{file}"
        for n in ("1-voids", "2-loops")
        for file in ("card.json", "weights.safetensors")
    }
    recipe = Recipe.read(tmp_path / "o")
    assert [one.path for one in recipe.model.members] == [str(voids), str(loops)]
    assert defectseg("run", tmp_path / "o", two_images[0], "--out", tmp_path / "r").status == 0
    for name in ("mask.ome.tif", "labels.ome.tif", "objects.csv"):
        first, again = (tmp_path / one / "field 1" / name for one in ("o", "r"))
        assert first.read_bytes() == again.read_bytes()


def test_one_class_in_two_models_is_refused_with_the_option_that_does_it(
    defectseg, voids: Path, two_images: list[Path], tmp_path: Path
) -> None:
    other = saved(tmp_path / "more voids", "void", 3)
    ask = [two_images[0], "--model", voids, "--model", other, "--out", tmp_path / "o"]
    said = defectseg("predict", *ask)
    assert said.status == 1
    assert "--combine ensemble" in said.err
    assert not (tmp_path / "o").exists()
    said = defectseg("predict", *ask, "--combine", "ensemble", "--scores")
    assert said.status == 0, said.err
    place = tmp_path / "o" / "field 1"
    spread = ds.open_image(place / "disagreement.ome.tif")
    assert spread.calibration.unit == "nm"
    image = ds.open_image(two_images[0])
    scores = [ds.predict(ds.open_model(p), image).scores[0] for p in (voids, other)]
    np.testing.assert_allclose(spread.read(), np.std(scores, axis=0), atol=1e-6)
    told = summary(place)["disagreement"]
    assert told["mean"] == pytest.approx(float(spread.read().mean()), rel=1e-5)
    assert told["largest"] == pytest.approx(float(spread.read().max()))
    assert set(told["in_objects"]) == {"void"}
    recipe = Recipe.read(tmp_path / "o")
    assert recipe.model.combine == "ensemble"


def test_a_recipe_with_changed_weights_is_refused_and_models_beside_it_are_found(
    defectseg, voids: Path, loops: Path, two_images: list[Path], tmp_path: Path
) -> None:
    ask = ["predict", two_images[0], "--model", voids, "--model", loops]
    assert defectseg(*ask, "--out", tmp_path / "o").status == 0
    values = json.loads((tmp_path / "o" / "recipe.json").read_text())
    for one, name in zip(values["model"]["members"], ("voids", "loops"), strict=True):
        one["path"] = name
    moved = tmp_path / "carried"
    moved.mkdir()
    (moved / "recipe.json").write_text(json.dumps(values))
    for path in (voids, loops):
        path.rename(moved / path.name)
    ask = ["run", moved / "recipe.json", two_images[0], "--out"]
    assert defectseg(*ask, tmp_path / "again").status == 0
    saved(tmp_path / "other", "loop", 9)
    weights = "weights.safetensors"
    (moved / "loops" / weights).write_bytes((tmp_path / "other" / weights).read_bytes())
    said = defectseg(*ask, tmp_path / "never")
    assert said.status == 1
    assert "other weights" in said.err


def test_fields_of_the_card_are_set_for_each_model(
    defectseg, voids: Path, loops: Path, two_images: list[Path], tmp_path: Path
) -> None:
    models = ["--model", voids, "--model", loops]
    ask = ["predict", two_images[0], *models, "--out", tmp_path / "o"]
    assert defectseg(*ask, "--set", "preprocessing=zscore:slice").status == 0
    recipe = Recipe.read(tmp_path / "o")
    assert all("zscore" in one.settings["preprocessing"] for one in recipe.model.members)
    said = defectseg("run", tmp_path / "o", two_images[0], "--out", tmp_path / "r")
    assert said.status == 0, said.err
    first, again = (tmp_path / one / "field 1" / "mask.ome.tif" for one in ("o", "r"))
    assert first.read_bytes() == again.read_bytes()


def test_a_saved_folder_of_several_models_opens_by_its_name(
    defectseg, voids: Path, loops: Path, two_images: list[Path], tmp_path: Path
) -> None:
    from napari_defectseg.models.joined import join_models

    both = save_model(join_models([ds.open_model(voids), ds.open_model(loops)]), tmp_path / "both")
    said = defectseg("open", both, "--json")
    assert said.status == 0, said.err
    assert said.document["format"] == "joined"
    assert said.document["classes"] == ["void", "loop"]
    assert len(said.document["files"]) == 5
    ask = ["--model", both, "--out", tmp_path / "o"]
    assert defectseg("predict", two_images[0], *ask).status == 0
    assert Recipe.read(tmp_path / "o").model.path == str(both)


def test_probabilities_and_masks_are_written_as_the_authors_do(
    defectseg, voids: Path, loops: Path, two_images: list[Path], tmp_path: Path
) -> None:
    """One NRRD of probabilities a class, one PNG of 0 and 255 a class; no scores unasked."""
    import imageio.v3 as iio

    ask = [two_images[0], "--model", voids, "--model", loops, "--out", tmp_path / "o"]
    also = ["--also", "probabilities-nrrd", "--also", "class-png"]
    assert defectseg("predict", *ask, *also).status == 0
    place = tmp_path / "o" / "field 1"
    mask = ds.open_image(place / "mask.ome.tif").read()
    image = ds.open_image(two_images[0])
    for number, (name, path) in enumerate({"void": voids, "loop": loops}.items()):
        picture = iio.imread(place / "classes" / f"{name}.png")
        np.testing.assert_array_equal(picture, mask[number] * 255)
        stored = ds.open_image(place / "probabilities" / f"{name}.nrrd")
        assert stored.dtype == np.float32
        assert stored.calibration.spacing == (0.5, 0.5)
        alone = ds.predict(ds.open_model(path), image, ds.PredictSettings(device="cpu"))
        np.testing.assert_array_equal(stored.read(), alone.scores[0])
    assert not (place / "scores.zarr").exists()
    assert defectseg("predict", *ask, *also, "--scores", "--overwrite").status == 0
    assert (place / "scores.zarr").exists()
    assert defectseg("predict", *ask, "--overwrite").status == 0
    assert not (place / "classes").exists()
