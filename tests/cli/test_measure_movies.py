"""`defectseg measure` of movies: frames.csv, tracks.csv, numbers in the summary, made again."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.save import save_array
from napari_defectseg.phantoms.make import phantom


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    picture = phantom("movie", seed=2, shape=(12, 120, 300), above="dark")
    folder = tmp_path_factory.mktemp("movie")
    stack = Calibration.uncalibrated(3)
    # As many files of movies are: a stack whose first axis is called z, without sizes.
    mask, image = folder / "mask.ome.tif", folder / "frames.ome.tif"
    save_array(picture.mask, mask, axes="zyx", calibration=stack)
    save_array(picture.image.read(), image, axes="zyx", calibration=stack)
    return mask, image


OPTIONS = (
    "--classes", "keyhole,pore", "--keyhole", "keyhole", "--tracks", "pore",
    "--spacing", "2", "--unit", "µm", "--frame-time", "20", "--time-unit", "µs",
)  # fmt: skip


def test_a_movie_leaves_frames_and_tracks_with_units(defectseg, movie, tmp_path: Path) -> None:
    mask, image = movie
    said = defectseg("measure", mask, "--image", image, "--out", tmp_path / "a", *OPTIONS, "--json")
    assert said.status == 0, said.err
    with (tmp_path / "a" / "frames.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert {"frame", "time [µs]", "keyhole_depth [µm]", "front_wall_angle [°]"} <= set(rows[0])
    header = (tmp_path / "a" / "tracks.csv").read_text("utf-8").splitlines()[0]
    assert "velocity-1 [m/s]" in header
    objects = (tmp_path / "a" / "objects.csv").read_text("utf-8").splitlines()[0]
    assert objects.endswith("track")
    movies = said.document["statistics"]["movies"]["mask"]
    assert movies["means"]["keyhole_depth"]["unit"] == "µm"
    assert movies["laser_velocity"]["unit"] == "m/s"
    assert movies["correlation"]["pairs"]
    assert "lower bounds" in said.err


def test_it_is_made_again_byte_for_byte(defectseg, movie, tmp_path: Path) -> None:
    mask, image = movie
    first, second = tmp_path / "a", tmp_path / "b"
    assert not defectseg(
        "measure", mask, "--image", image, "--out", first, *OPTIONS, "--drift", "--lag", "1",
        "--surface", "25",
    ).status  # fmt: skip
    said = defectseg("rerun", first / "summary.json", "--out", second)
    assert said.status == 0, said.err
    for name in ("objects.csv", "frames.csv", "tracks.csv"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_surface_and_classes_are_checked(defectseg, movie, tmp_path: Path) -> None:
    mask, _ = movie
    said = defectseg("measure", mask, "--out", tmp_path / "a", *OPTIONS, "--surface", "top")
    assert said.status == 2
    said = defectseg(
        "measure", mask, "--out", tmp_path / "a", "--classes", "keyhole,pore", "--keyhole", "hole"
    )
    assert said.status == 1
    assert "no class 'hole'" in said.err


def test_partial_correlation(defectseg, movie, tmp_path: Path) -> None:
    mask = np.zeros((60, 80), np.uint8)
    for number in range(7):
        mask[5 : 8 + number, 5 + 10 * number : 8 + 10 * number + number // 2] = 1
    save_array(mask, tmp_path / "m.tif", axes="yx", calibration=Calibration.uncalibrated(2))
    said = defectseg(
        "measure", tmp_path / "m.tif", "--out", tmp_path / "a", "--json",
        "--correlate", "area,aspect", "--without", "centroid-1",
    )  # fmt: skip
    assert said.status == 0, said.err
    found = said.document["statistics"]["correlation"]
    assert found["without"] == ["centroid-1"]
    assert [(pair["first"], pair["second"]) for pair in found["pairs"]] == [("area", "aspect")]
