"""Conditions are compared by specimens; masks of the same images by their agreement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.batch.measure import measure_steps, specimens_of, write_measured
from napari_defectseg.batch.taking import MeasureJob
from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import RecipeError
from napari_defectseg.core.progress import drive
from napari_defectseg.images.save import save_array
from napari_defectseg.reports.compare import compare_steps
from napari_defectseg.results.recipe import PixelSize


def field(path: Path, count: int, radius: int, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    mask = np.zeros((90, 90), np.uint8)
    y, x = np.ogrid[:90, :90]
    cells = rng.permutation(36)[:count]
    for cell in cells:
        cy, cx = 7 + 15 * (cell // 6), 7 + 15 * (cell % 6)
        mask[(y - cy) ** 2 + (x - cx) ** 2 <= radius**2] = 1
    path.parent.mkdir(parents=True, exist_ok=True)
    save_array(mask, path, axes="yx", calibration=Calibration.uncalibrated(2))
    return path


def condition(root: Path, counts: dict[str, list[int]], radius: int, *, named: bool = True) -> Path:
    masks = [
        field(root / "masks" / f"{specimen}_{k}.tif", count, radius, 10 * k + count)
        for specimen, many in counts.items()
        for k, count in enumerate(many)
    ]
    specimens = specimens_of(masks, "{specimen}_*") if named else {}
    size = PixelSize(spacing=(1.0,), unit="nm")
    job = MeasureJob(masks, classes=("void",), pixel_size=size, specimens=specimens)
    return write_measured(drive(measure_steps(job)), root / "measured")


@pytest.fixture
def conditions(tmp_path: Path) -> dict[str, list[Path]]:
    before = condition(tmp_path / "before", {"A": [8, 9], "B": [10, 11], "C": [0, 9]}, 3)
    after = condition(tmp_path / "after", {"D": [20, 22], "E": [24], "F": [21, 23, 19]}, 5)
    return {"before": [before], "after": [after]}


def test_specimens_are_the_units_and_fields_are_pooled(conditions, tmp_path: Path) -> None:
    found = drive(compare_steps(conditions, tmp_path / "page.html", pdf=tmp_path / "page.pdf"))
    (density,) = found.differences["void", "number_density"]
    assert density.counts == (3, 3)
    # Objects of both fields of a specimen over the area of both.
    field_area = 90 * 90 * 1e-6
    own = [17 / 2, 21 / 2, 9 / 2]
    assert density.means[0] == pytest.approx(np.mean(own) / field_area)
    assert density.low < density.value < density.high
    assert density.effect > 2
    assert density.p < density.adjusted < 0.05 or density.p == density.adjusted
    (size,) = found.differences["void", "mean_equivalent_diameter"]
    assert size.value == pytest.approx(4, abs=0.5)
    page = (tmp_path / "page.html").read_text("utf-8")
    for word in ("Hedges", "before → after", "Specimens", "n = 129 in 3 specimens"):
        assert word in page or word.startswith("n =")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_images_without_specimens_are_said_to_be_counted_one_by_one(tmp_path: Path) -> None:
    groups = {
        "a": [condition(tmp_path / "a", {"A": [8, 9, 7]}, 3, named=False)],
        "b": [condition(tmp_path / "b", {"B": [8, 9]}, 3)],
    }
    found = drive(compare_steps(groups, tmp_path / "page.html"))
    assert any("every image counts as one" in note for note in found.warnings)
    assert any("b: 1 specimen;" in note for note in found.warnings)
    (density,) = found.differences["void", "number_density"]
    assert density.counts == (3, 1)
    assert np.isnan(density.p)
    assert found.as_dict()["differences"][0]["p"] is None


def test_two_peoples_masks_of_the_same_images_get_their_agreement(tmp_path: Path) -> None:
    one = condition(tmp_path / "ann", {"A": [8, 9]}, 4)
    other = condition(tmp_path / "bob", {"A": [8, 9]}, 3)
    found = drive(compare_steps({"ann": [one], "bob": [other]}, tmp_path / "page.html"))
    (sheet,) = found.agreement
    assert sheet.title.startswith("Agreement of ann and bob")
    assert [row[0] for row in sheet.rows] == ["A_0", "A_1"]
    discs = [sum(y * y + x * x <= r * r for y in range(-r, r + 1) for x in range(-r, r + 1))
             for r in (3, 4)]  # fmt: skip
    assert float(sheet.rows[0][2]) == pytest.approx(discs[0] / discs[1], abs=0.005)
    assert sheet.rows[0][4] == "8, 8"
    assert float(sheet.rows[0][5]) == 1


def test_results_of_predictions_are_compared_with_their_masks(result: Path, tmp_path: Path) -> None:
    found = drive(compare_steps({"a": [result], "b": [result]}, tmp_path / "page.html"))
    (sheet,) = found.agreement
    assert len(sheet.rows) == 4
    assert {row[2] for row in sheet.rows} <= {"1.00", "—"}
    (fraction,) = found.differences["void", "fraction"]
    assert fraction.value == 0
    assert fraction.counts == (1, 1), "both images are of one specimen"


def test_one_condition_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nothing to be compared with"):
        drive(compare_steps({"a": [tmp_path]}, tmp_path / "page.html"))


def test_the_summary_of_measure_has_specimens_as_a_level(tmp_path: Path) -> None:
    import json

    place = condition(tmp_path / "a", {"A": [8, 9], "B": [10]}, 3)
    summary = json.loads((place / "summary.json").read_text("utf-8"))
    assert summary["by_specimen"]["A"]["void"]["objects"]["value"] == 17
    mean = summary["over_specimens"]["void"]["number_density"]
    assert mean["value"] == pytest.approx((8.5 + 10) / 2 / (90 * 90 * 1e-6))
    assert "2 specimens as units" in mean["basis"]
    assert len(summary["region"]["fields"]) == 3
