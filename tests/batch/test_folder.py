"""Many images: each in a folder of its own, and what fails keeps nobody waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_defectseg.batch.folder import Outcome, analyse_many, analyse_many_steps, expand
from napari_defectseg.core.errors import Cancelled, ModelMissing
from napari_defectseg.core.progress import Step
from napari_defectseg.results.recipe import ModelReference, Recipe
from napari_defectseg.results.register import read_entries


@pytest.fixture
def recipe(model_folder: Path) -> Recipe:
    return Recipe(model=ModelReference(path=str(model_folder)), predict={"device": "cpu"})


def test_a_broken_image_gets_a_sentence_and_the_others_go_on(
    recipe: Recipe, two_images: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.tif"
    broken.write_bytes(b"II*\x00 and so on")
    found = analyse_many([two_images[0], broken, two_images[1]], recipe, tmp_path / "out")
    assert [bool(one.problem) for one in found] == [False, True, False]
    assert "broken.tif" in found[1].problem
    assert [one.folder.name for one in found] == [
        "specimen0__field 1", "broken", "specimen1__field 1",
    ]  # fmt: skip
    assert found[0].objects > 0
    assert found[0].summary is not None
    assert not found[1].folder.exists()
    states = {entry.folder: entry.state for entry in read_entries(tmp_path / "out")}
    assert states["specimen0__field 1"] == "predicted"
    assert states["broken"].startswith("failed: broken.tif")


def test_a_second_run_keeps_the_first_and_says_so(
    recipe: Recipe, two_images: list[Path], tmp_path: Path
) -> None:
    analyse_many(two_images, recipe, tmp_path / "out")
    again = analyse_many(two_images, recipe, tmp_path / "out")
    assert all("holds a result already" in one.problem for one in again)
    assert [entry.state for entry in read_entries(tmp_path / "out")] == ["predicted"] * 2


def test_stopping_keeps_what_is_finished(
    recipe: Recipe, two_images: list[Path], tmp_path: Path
) -> None:
    seen: list[Step] = []

    def one_is_done() -> bool:
        return isinstance(seen[-1].partial, Outcome)

    with pytest.raises(Cancelled):
        analyse_many(
            two_images, recipe, tmp_path / "out", on_step=seen.append, cancelled=one_is_done
        )
    assert [entry.folder for entry in read_entries(tmp_path / "out")] == ["specimen0__field 1"]
    assert not list((tmp_path / "out").glob(".part-*"))


def test_closing_in_the_middle_of_an_image_leaves_nothing(
    recipe: Recipe, two_images: list[Path], tmp_path: Path
) -> None:
    steps = analyse_many_steps(two_images, recipe, tmp_path / "out")
    while "writing" not in next(steps).text:
        pass
    steps.close()
    assert not (tmp_path / "out").exists()


def test_no_model_is_one_sentence_not_one_for_each_image(
    two_images: list[Path], tmp_path: Path
) -> None:
    recipe = Recipe(model=ModelReference(path=str(tmp_path / "none")))
    with pytest.raises(ModelMissing):
        analyse_many(two_images, recipe, tmp_path / "out")


def test_patterns_are_filled_in_where_no_shell_does_it(tmp_path: Path) -> None:
    for name in ("a10.tif", "a9.tif", "b.tif", "c*.tif"):
        (tmp_path / name).touch()
    found = expand([tmp_path / "a*.tif", tmp_path / "c*.tif", tmp_path / "z*.tif"])
    assert [Path(path).name for path in found] == ["a9.tif", "a10.tif", "c*.tif", "z*.tif"]
