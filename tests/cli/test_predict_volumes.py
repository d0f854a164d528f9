"""`defectseg predict` of volumes with networks for planes, of mirror images, on several devices."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import napari_defectseg as ds
from napari_defectseg.images.save import save_image
from napari_defectseg.models.model import TorchModel, design
from napari_defectseg.models.save import save_model
from napari_defectseg.results.recipe import Recipe


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    data = np.random.default_rng(2).integers(0, 4000, (6, 20, 24), dtype=np.uint16)
    size = ds.Calibration.of((2.0, 1.0, 1.0), "nm")
    image = ds.CalibratedImage.from_array(data, axes="zyx", calibration=size)
    return save_image(image, tmp_path / "volume.ome.tif")


@pytest.fixture
def three_channels(tmp_path: Path) -> Path:
    card = design(
        "rgb",
        settings={"dims": 2, "widths": (4, 6), "in_channels": 3},
        classes=ds.ClassMap.of(["void", "loop"]),
    )
    return save_model(TorchModel.new(card, seed=3), tmp_path / "rgb")


def test_three_axes_and_mirror_images_reach_recipe_summary_and_rerun(
    defectseg, model_folder: Path, volume: Path, tmp_path: Path
) -> None:
    """Python gives the same, and rerun the same bytes."""
    out = tmp_path / "out"
    said = defectseg(
        "predict", volume, "--model", model_folder, "--out", out, "--device", "cpu",
        "--volume", "three-axes", "--flips", "all", "--set", "symmetries=flip_y,flip_x",
    )  # fmt: skip
    assert said.status == 0, said.err
    recipe = Recipe.read(out)
    assert recipe.predict == {"device": "cpu", "volume": "three-axes", "flips": "all"}
    summary = json.loads((out / "volume" / "summary.json").read_text())
    assert [one["across"] for one in summary["plan"]["directions"]] == ["z", "y", "x"]
    assert summary["plan"]["turns"] == 4
    assert any("slices 2 nm apart" in note for note in summary["warnings"])
    model = ds.open_model(model_folder, settings={"symmetries": "flip_y,flip_x"})
    settings = ds.PredictSettings(device="cpu", volume="three-axes", flips="all")
    pred = ds.predict(model, ds.open_image(volume), settings)
    mask = ds.open_image(out / "volume" / "mask.ome.tif").read()
    np.testing.assert_array_equal(mask, pred.mask(recipe.decode))
    again = defectseg("rerun", out / "volume" / "summary.json", "--out", tmp_path / "again")
    assert again.status == 0, again.err
    for name in ("mask.ome.tif", "labels.ome.tif", "objects.csv"):
        first, second = (folder / "volume" / name for folder in (out, tmp_path / "again"))
        assert first.read_bytes() == second.read_bytes(), name


def test_neighbouring_slices_can_be_stated_and_kept(
    defectseg, three_channels: Path, volume: Path, tmp_path: Path
) -> None:
    """A file does not say that its channels are slices; a person does, once."""
    refused = defectseg("predict", volume, "--model", three_channels, "--out", tmp_path / "a")
    assert refused.status == 0, refused.err  # grey given to three channels alike
    said = defectseg("open", three_channels, "--set", "slices=3", "--out", tmp_path / "kept")
    assert said.status == 0, said.err
    out = tmp_path / "b"
    said = defectseg("predict", volume, "--model", tmp_path / "kept", "--out", out)
    assert said.status == 0, said.err
    summary = json.loads((out / "volume" / "summary.json").read_text())
    assert summary["plan"]["slices"] == 3


def test_what_the_card_does_not_allow_is_one_sentence(
    defectseg, model_folder: Path, volume: Path, two_images: list[Path], tmp_path: Path
) -> None:
    ask = ["--model", model_folder, "--out", tmp_path / "out"]
    said = defectseg("predict", volume, *ask, "--flips", "mirror")
    assert said.status == 1
    assert "does not say that a mirror image means the same" in said.err
    said = defectseg("predict", two_images[0], *ask, "--volume", "three-axes")
    assert said.status == 1
    assert "need a volume with z, y, x" in said.err
    assert "Traceback" not in said.err


def test_several_devices_give_the_bytes_of_one(
    defectseg, model_folder: Path, volume: Path, tmp_path: Path
) -> None:
    for name, device in (("one", "cpu"), ("two", "cpu,cpu")):
        ask = ["--model", model_folder, "--out", tmp_path / name, "--device", device]
        said = defectseg("predict", volume, *ask)
        assert said.status == 0, said.err
    one, two = (tmp_path / name / "volume" for name in ("one", "two"))
    for file in ("mask.ome.tif", "labels.ome.tif", "objects.csv"):
        assert (one / file).read_bytes() == (two / file).read_bytes(), file
    assert json.loads((two / "summary.json").read_text())["plan"]["devices"] == ["cpu", "cpu"]
    recipe = Recipe.read(tmp_path / "two")
    assert recipe.predict == {"devices": ["cpu", "cpu"]}
    again = ["--model", model_folder, "--out", tmp_path / "two", "--device", "cpu,cpu"]
    said = defectseg("predict", volume, *again)
    assert said.status == 1  # the same recipe: only the result itself is in the way
    assert "holds a result already" in said.err
    said = defectseg("rerun", two / "summary.json", "--out", tmp_path / "again")
    assert said.status == 0, said.err
    said = defectseg("predict", volume, *ask[:2], "--out", tmp_path / "no", "--device", "cpu,moon")
    assert said.status == 1
    assert "There is no device 'moon'" in said.err
