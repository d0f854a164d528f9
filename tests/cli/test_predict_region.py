"""`defectseg predict --region --slices`: the part alone, as the whole image gives it there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import napari_defectseg as ds
from napari_defectseg.images.save import save_image
from napari_defectseg.results.recipe import Recipe
from napari_defectseg.results.stored import read_result


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    data = np.random.default_rng(2).integers(0, 4000, (6, 70, 90), dtype=np.uint16)
    size = ds.Calibration.of((2.0, 1.0, 1.0), "nm")
    image = ds.CalibratedImage.from_array(data, axes="zyx", calibration=size)
    return save_image(image, tmp_path / "volume.ome.tif")


def test_a_region_is_measured_alone_and_made_again(
    defectseg, model_folder: Path, volume: Path, tmp_path: Path
) -> None:
    """Mask, table and summary are those of the part; its values those of the whole image."""
    whole, out = tmp_path / "whole", tmp_path / "out"
    usual = ("predict", volume, "--model", model_folder, "--device", "cpu", "--out")
    assert defectseg(*usual, whole).status == 0
    said = defectseg(*usual, out, "--region", "10:52,7:64", "--slices", "2:5")
    assert said.status == 0, said.err
    assert "Only slices 2 to 4, y 10 to 51, x 7 to 63" in said.err
    assert Recipe.read(out).predict["region"] == "z=2:5,y=10:52,x=7:64"
    summary = json.loads((out / "volume" / "summary.json").read_text())
    assert summary["image"]["shape"] == [3, 42, 57]
    assert summary["region"]["pixels"] == 3 * 42 * 57
    first, part = (ds.open_image(f / "volume" / "mask.ome.tif").read() for f in (whole, out))
    assert part.shape == (3, 42, 57)
    assert (part == first[2:5, 10:52, 7:64]).mean() > 0.999
    _, (stored,) = read_result(out)
    np.testing.assert_array_equal(
        stored.image().read(), ds.open_image(volume).read()[2:5, 10:52, 7:64]
    )
    again = defectseg("rerun", out / "volume" / "summary.json", "--out", tmp_path / "again")
    assert again.status == 0, again.err
    for name in ("mask.ome.tif", "labels.ome.tif", "objects.csv"):
        a, b = (folder / "volume" / name for folder in (out, tmp_path / "again"))
        assert a.read_bytes() == b.read_bytes(), name


def test_a_region_larger_than_the_memory_goes_block_by_block_to_the_same_mask(
    defectseg, model_folder: Path, tmp_path: Path, monkeypatch
) -> None:
    data = np.random.default_rng(3).integers(0, 4000, (90, 110), dtype=np.uint16)
    file = save_image(ds.CalibratedImage.from_array(data), tmp_path / "plane.tif")
    usual = ("predict", file, "--model", model_folder, "--device", "cpu", "--region", "5:83,9:99",
             "--out")  # fmt: skip
    assert defectseg(*usual, tmp_path / "memory").status == 0
    monkeypatch.setattr("napari_defectseg.inference.landing.too_large", lambda *_: True)
    said = defectseg(*usual, tmp_path / "blocks")
    assert said.status == 0, said.err
    summary = json.loads((tmp_path / "blocks" / "plane" / "summary.json").read_text())
    assert summary["plan"]["streamed"]
    masks = [
        ds.open_image(tmp_path / name / "plane" / "mask.ome.tif").read()
        for name in ("memory", "blocks")
    ]
    assert masks[0].shape == (78, 90)
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--region", "here"), "is no region"),
        (("--slices", "1,2"), "is no region"),
        (("--region", "z=1:2", "--slices", "1:2"), "leave --slices out"),
    ],
)
def test_what_is_no_region_is_wrong_use(
    defectseg, model_folder: Path, volume: Path, tmp_path: Path, options, said
) -> None:
    told = defectseg("predict", volume, "--model", model_folder, "--out", tmp_path / "o", *options)
    assert told.status == 2
    assert said in " ".join(told.err.split())


def test_a_region_beside_the_image_names_the_image(
    defectseg, model_folder: Path, volume: Path, tmp_path: Path
) -> None:
    told = defectseg(
        "predict", volume, "--model", model_folder, "--out", tmp_path / "o", "--slices", "9:12"
    )
    assert told.status == 1
    assert "along z it has 6 px" in told.err
