"""`defectseg measure` gives the numbers of Python, and sentences for what cannot be."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.save import save_array
from napari_defectseg.measurement.regions import measure_regions


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    array = np.zeros((60, 80), np.uint8)
    array[10:20, 10:30], array[40:50, 40:60], array[0:5, 70:] = 1, 2, 1
    path = tmp_path / "mask.ome.tif"
    save_array(array, path, axes="yx", calibration=Calibration.uncalibrated(2))
    return path


def test_csv_and_summary_are_those_of_python(defectseg, mask: Path, tmp_path: Path) -> None:
    from napari_defectseg.core.classes import ClassMap
    from napari_defectseg.images.open import open_image

    said = defectseg(
        "measure", mask, "--out", tmp_path / "out", "--classes", "void,loop",
        "--spacing", "0.5", "--unit", "nm", "--json",
    )  # fmt: skip
    assert said.status == 0
    assert said.document == json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert said.document["classes"]["void"]["objects"]["value"] == 2
    table = measure_regions(
        open_image(mask).read(),
        spacing=(0.5, 0.5),
        unit="nm",
        classes=ClassMap.of(["void", "loop"]),
    )
    table.write_csv(tmp_path / "python.csv")
    written = (tmp_path / "out" / "objects.csv").read_text("utf-8")
    assert written == (tmp_path / "python.csv").read_text("utf-8")
    assert "area [nm²]" in written.splitlines()[0]


def test_without_pixel_size_everything_is_in_px(defectseg, mask: Path, tmp_path: Path) -> None:
    said = defectseg("measure", mask, "--out", tmp_path / "out")
    assert said.status == 0
    assert "no pixel size" in said.err.lower()
    heading = (tmp_path / "out" / "objects.csv").read_text("utf-8").splitlines()[0]
    assert "area [px²]" in heading
    assert "nm" not in heading


def test_several_masks_stand_in_one_table_with_their_names(
    defectseg, mask: Path, tmp_path: Path
) -> None:
    other = tmp_path / "B" / "mask.ome.tif"
    other.parent.mkdir()
    other.write_bytes(mask.read_bytes())
    said = defectseg("measure", mask, other, "--out", tmp_path / "out", "--json")
    assert said.status == 0
    with (tmp_path / "out" / "objects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:2] == ["image", "specimen"]
    assert {row["image"] for row in rows} == {f"{tmp_path.name}__mask", "B__mask"}
    assert said.document["classes"]["class 1"]["objects"]["value"] == 4
    assert set(said.document["by_image"]) == {row["image"] for row in rows}


def test_regions_and_foil(defectseg, mask: Path, tmp_path: Path) -> None:
    roi = np.zeros((60, 80), np.uint8)
    roi[:, :40] = 255
    save_array(roi, tmp_path / "roi.tif", axes="yx", calibration=Calibration.uncalibrated(2))
    said = defectseg(
        "measure", mask, "--out", tmp_path / "out", "--roi", tmp_path / "roi.tif",
        "--spacing", "1,1", "--unit", "nm", "--foil-thickness", "85±10", "--thickness-unit", "nm",
        "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    assert said.document["region"]["pixels"] == 60 * 40
    assert said.document["acquisition"]["thickness"]["sigma"] == 10
    density = said.document["classes"]["class 1"]["number_density_foil"]
    assert density["value"] == pytest.approx(1 / (2400e-18 * 85e-9))


def test_groups_of_columns(defectseg, mask: Path, tmp_path: Path) -> None:
    """Columns beyond the basic ones by choice; what cannot be measured is said."""
    said = defectseg(
        "measure", mask, "--out", tmp_path / "out", "--columns", "surface,feret_max,shape,grey",
        "--axis", "x", "--blur", "0.5", "--spacing", "1,1", "--unit", "nm",
    )  # fmt: skip
    assert said.status == 0, said.err
    with (tmp_path / "out" / "objects.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    longest = max(rows, key=lambda row: float(row["feret_max [nm]"]))
    assert float(longest["feret_max [nm]"]) == pytest.approx(np.hypot(9, 19))
    assert float(longest["angle_to_axis [°]"]) == pytest.approx(0, abs=1e-6)
    assert "perimeter_crofton [nm]" in rows[0]
    assert "feret_min [nm]" not in rows[0]
    assert "Nothing of 'grey' could be measured: it needs grey values" in said.err
    wrong = defectseg("measure", mask, "--out", tmp_path / "no", "--columns", "colour")
    assert wrong.status == 1
    assert "'colour'" in wrong.err


def test_nothing_is_overwritten_unasked(defectseg, mask: Path, tmp_path: Path) -> None:
    assert defectseg("measure", mask, "--out", tmp_path / "out").status == 0
    said = defectseg("measure", mask, "--out", tmp_path / "out")
    assert said.status == 1
    assert "exists already and was left as it is" in said.err
    assert defectseg("measure", mask, "--out", tmp_path / "out", "--overwrite").status == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--spacing", "0.5"], "--spacing needs --unit"),
        (["--unit", "nm"], "--unit needs --spacing"),
        (["--spacing", "a,b", "--unit", "nm"], "are not numbers"),
        (["--spacing", "0", "--unit", "nm"], "needs positive numbers"),
        (["--spacing", "1", "--unit", "1/nm"], "--spacing needs --unit"),
        (["--foil-thickness", "thin", "--thickness-unit", "nm"], "is not a number with a unit"),
        (["--foil-thickness", "85"], "--foil-thickness"),
        (["--border", "half"], "half"),
        (["--axis", "up"], "is not z, y, x"),
        (["--axis", "0,0"], "not all 0"),
    ],
)
def test_wrong_options_have_status_2(
    defectseg, mask: Path, tmp_path: Path, options: list[str], says: str
) -> None:
    said = defectseg("measure", mask, "--out", tmp_path / "out", *options)
    assert said.status == 2
    assert says in " ".join(said.err.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_missing_or_strange_file_gets_a_sentence(defectseg, tmp_path: Path) -> None:
    said = defectseg("measure", tmp_path / "none.tif", "--out", tmp_path / "out", "--json")
    assert said.status == 1
    assert "none.tif" in said.document["error"]["sentence"]
    assert len(said.err.strip().splitlines()) == 1
    (tmp_path / "broken.tif").write_bytes(b"II*\x00 and so on")
    said = defectseg("measure", tmp_path / "broken.tif", "--out", tmp_path / "out")
    assert said.status == 1
    assert "broken.tif" in said.err
    assert "Traceback" not in said.err


def test_real_loop_masks_are_measured(defectseg, real_data: Path, tmp_path: Path) -> None:
    masks = sorted((real_data / "tem_loops_316l" / "masks").glob("*.png"))[:3]
    said = defectseg(
        "measure", *masks, "--out", tmp_path / "out", "--spacing", "0.390625", "--unit", "nm",
        "--json",
    )  # fmt: skip
    assert said.status == 0
    found = said.document["by_image"]
    counts = [found[path.stem]["classes"]["object"]["objects"]["value"] for path in masks]
    assert counts == [6, 21, 6]


def test_specimens_are_read_from_the_paths(defectseg, mask: Path, tmp_path: Path) -> None:
    paths = []
    for name in ("A3_1", "A3_2", "B1_1"):
        path = tmp_path / "out" / name / "mask.ome.tif"
        path.parent.mkdir(parents=True)
        path.write_bytes(mask.read_bytes())
        paths.append(path)
    ask = ["measure", *paths, "--out", tmp_path / "all", "--specimen-of"]
    said = defectseg(*ask, "{specimen}_*")
    assert said.status == 0, said.err
    with (tmp_path / "all" / "objects.csv").open(encoding="utf-8") as file:
        specimens = {row["image"]: row["specimen"] for row in csv.DictReader(file)}
    assert specimens == {"A3_1__mask": "A3", "A3_2__mask": "A3", "B1_1__mask": "B1"}
    said = defectseg(*ask, "{specimen}#*")
    assert said.status == 1
    assert "names no specimen" in said.err


def square_discs(tmp_path: Path, name: str, seed: int, side: int = 160) -> Path:
    rng = np.random.default_rng(seed)
    mask = np.zeros((side, side), np.uint8)
    y, x = np.ogrid[:side, :side]
    for row, column in rng.uniform(0, side, (60, 2)):
        mask[(y - row) ** 2 + (x - column) ** 2 <= rng.uniform(2, 4) ** 2] = 1
    path = tmp_path / f"{name}.ome.tif"
    save_array(mask, path, axes="yx", calibration=Calibration.uncalibrated(2))
    return path


def test_a_foil_with_everything_that_does_not_show(defectseg, mask: Path, tmp_path: Path) -> None:
    said = defectseg(
        "measure", mask, "--out", tmp_path / "out", "--classes", "void,loop", "--spacing", "0.5",
        "--unit", "nm", "--foil-thickness", "85±10", "--thickness-unit", "nm", "--hidden-cap",
        "0.5", "--visible", "bcc <100>:110", "--border", "frame", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    loop = said.document["classes"]["loop"]
    d = np.sqrt(4 * 50 / np.pi)
    expected = 1 / (29.5 * 39.5) / (85 + d - 1) / (2 / 3) * 1e27
    assert loop["number_density_foil_corrected"]["value"] == pytest.approx(expected)
    assert {"value", "unit", "low", "high"} <= set(loop["swelling"])
    assert said.document["systematic"]["thickness"]["relative_sigma"] == pytest.approx(10 / 85)
    assert said.document["classes"]["void"]["objects"]["value"] == 1
    assert any("counting frame" in note for note in said.document["warnings"])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--visible", "0.5"), "foil-thickness"),
        (("--foil-thickness", "85 nm", "--visible", "2"), "share"),
        (("--foil-thickness", "85 nm", "--visible", "bcc <100>:111"), "no reflection"),
        (("--foil-thickness", "85 nm", "--lost-zone", "x"), "lost-zone"),
    ],
)
def test_wrong_foils_are_wrong_use(defectseg, mask: Path, tmp_path: Path, options, word) -> None:
    said = defectseg("measure", mask, "--out", tmp_path / "out", *options)
    assert said.status == 2
    assert word in said.err


def test_further_statistics_stand_in_the_summary(defectseg, tmp_path: Path) -> None:
    masks = [square_discs(tmp_path, f"field_{seed}", seed) for seed in range(4)]
    said = defectseg(
        "measure", *masks, "--out", tmp_path / "out", "--spacing", "2", "--unit", "nm",
        "--fit", "lognormal,weibull", "--detection-limit", "5", "--unfold", "em", "--space",
        "--runs", "39", "--structure", "--lines", "object", "--largest-in", "1e7",
        "--correlate", "area,aspect,centroid-0", "--method", "spearman", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    found = said.document["statistics"]
    fits = found["classes"]["object"]["distributions"]
    assert fits["lognormal"]["parameters"]["sigma"]["low"] > 0
    assert 0 < fits["weibull"]["goodness_p"] <= 1
    assert found["classes"]["object"]["unfolded"]["unit"] == "nm⁻³"
    largest = found["classes"]["object"]["largest"]
    assert largest["block_maxima"]["blocks"] == 4
    assert largest["block_maxima"]["of"] == "equivalent_diameter_area"
    assert largest["peaks_over_threshold"]["size"]["value"] > 5
    assert [pair["linked"] for pair in found["correlation"]["pairs"]] == [False] * 3
    one = found["by_image"]["field_0"]["object"]
    assert one["space"]["runs"] == 39
    assert one["structure"]["two_point"][0] == pytest.approx(
        said.document["by_image"]["field_0"]["classes"]["object"]["fraction"]["value"]
    )
    assert one["lines"]["length_density"]["unit"] == "nm⁻¹"
    density = said.document["classes"]["object"]["number_density"]
    assert "4 fields" in density["basis"]
    assert said.document["settings"]["further"]["runs"] == 39


def test_lines_in_a_foil_have_a_density(defectseg, tmp_path: Path) -> None:
    mask = np.zeros((120, 120), np.uint8)
    mask[20::20, :] = 1
    path = tmp_path / "lines.ome.tif"
    save_array(mask, path, axes="yx", calibration=Calibration.uncalibrated(2))
    said = defectseg(
        "measure", path, "--out", tmp_path / "out", "--spacing", "1", "--unit", "nm",
        "--classes", "dislocation", "--lines", "dislocation", "--foil-thickness", "100 nm",
        "--visible", "0.5", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    lines = said.document["statistics"]["by_image"]["lines"]["dislocation"]["lines"]
    assert lines["length"]["value"] == pytest.approx(600, rel=0.01)
    expected = 4 / np.pi * 600 / (120**2 * 100) / 0.5 * 1e18
    assert lines["line_density"]["value"] == pytest.approx(expected, rel=0.01)
    assert lines["line_density_by_crossings"]["unit"] == "m⁻²"


def test_the_denuded_zone_is_at_the_surface_of_the_region(defectseg, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    mask, roi = np.zeros((200, 200), np.uint8), np.zeros((200, 200), np.uint8)
    roi[20:] = 1
    places = rng.integers((60, 2), (198, 198), (300, 2))
    mask[tuple(places.T)] = 1
    paths = [tmp_path / "mask.ome.tif", tmp_path / "roi.ome.tif"]
    for path, array in zip(paths, (mask, roi), strict=True):
        save_array(array, path, axes="yx", calibration=Calibration.uncalibrated(2))
    said = defectseg(
        "measure", paths[0], "--out", tmp_path / "out", "--roi", paths[1],
        "--denuded-zone", "70", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    zone = said.document["statistics"]["by_image"]["mask"]["object"]["denuded_zone"]
    assert zone["low"] < 40 < zone["high"] + 1
    assert zone["value"] == pytest.approx(40, abs=4)


def test_what_means_nothing_is_refused(defectseg, mask: Path, tmp_path: Path) -> None:
    def said(*options: str) -> str:
        found = defectseg("measure", mask, "--out", tmp_path / "out", "--spacing", "1", "--unit",
                          "nm", *options)  # fmt: skip
        assert found.status == 1
        return found.err

    assert "unfolded" in said("--unfold", "em", "--foil-thickness", "80 nm")
    assert "no class 'crack'" in said("--classes", "void,loop", "--lines", "crack")
    assert "no column" in said("--correlate", "area,beauty")
    assert "size distribution" in said("--fit", "gamma")
    assert "at least two" in said("--correlate", "area")
