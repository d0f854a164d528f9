"""``report``, ``rerun`` and ``diff`` from results that ``predict`` and ``measure`` left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.images.save import save_array


@pytest.fixture
def result(defectseg, model_folder: Path, two_images: list[Path], tmp_path: Path) -> Path:
    out = tmp_path / "result"
    said = defectseg("predict", *two_images, "--model", model_folder, "--out", out, "-q")
    assert said.status == 0, said.err
    return out


def test_report_writes_both_files_and_names_them(defectseg, result: Path, tmp_path: Path) -> None:
    html, pdf = tmp_path / "r.html", tmp_path / "r.pdf"
    said = defectseg("report", result, "--out", html, "--pdf", pdf, "--json")
    assert said.status == 0, said.err
    assert said.document == {"written": [str(html), str(pdf)]}
    assert html.exists()
    assert pdf.exists()


def test_rerun_and_diff_agree(defectseg, result: Path, tmp_path: Path) -> None:
    place = next(path for path in sorted(result.iterdir()) if path.is_dir())
    said = defectseg("rerun", place / "summary.json", "--out", tmp_path / "again", "--json")
    assert said.status == 0, said.err
    assert said.document["same"] is True
    said = defectseg("diff", place, tmp_path / "again" / place.name)
    assert said.status == 0
    assert said.out.strip() == "The same."


def test_what_measure_left_is_reported_and_compared(defectseg, tmp_path: Path) -> None:
    mask = np.zeros((30, 30), np.uint8)
    mask[4:9, 5:11] = 1
    save_array(
        mask, tmp_path / "m.tif", axes=("y", "x"), calibration=Calibration.of((0.5, 0.5), "nm")
    )
    for name, smallest in (("a", "count"), ("b", "exclude")):
        said = defectseg(
            "measure", tmp_path / "m.tif", "--out", tmp_path / name, "--border", smallest, "-q"
        )
        assert said.status == 0, said.err
    said = defectseg("diff", tmp_path / "a", tmp_path / "b", "--json")
    assert "settings.measure.border" in {item["what"] for item in said.document["differences"]}
    said = defectseg("report", tmp_path / "a", "--out", tmp_path / "r.html")
    assert said.status == 0, said.err
    assert "The masks were made elsewhere." in (tmp_path / "r.html").read_text("utf-8")


def test_a_folder_without_result_is_one_sentence(defectseg, tmp_path: Path) -> None:
    said = defectseg("report", tmp_path, "--out", tmp_path / "r.html")
    assert said.status == 1
    assert "holds no result" in said.err


def test_run_writes_the_report_of_the_recipe(
    defectseg, result: Path, two_images: list[Path], tmp_path: Path
) -> None:
    """The whole analysis, as the recipe says: predict, measure, report."""
    from napari_defectseg.results.recipe import Recipe, ReportSettings

    recipe = Recipe.read(result).model_copy(update={"report": ReportSettings(title="Batch 7")})
    recipe.write(tmp_path / "recipe.json")
    assert Recipe.read(tmp_path / "recipe.json").report == ReportSettings(title="Batch 7")
    out = tmp_path / "again"
    said = defectseg("run", tmp_path / "recipe.json", *two_images, "--out", out)
    assert said.status == 0, said.err
    assert "Batch 7" in (out / "report.html").read_text("utf-8")
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF")
    said = defectseg("run", tmp_path / "recipe.json", two_images[0], "--out", out)
    assert said.status == 1
    assert "report.html" in said.err
    without = tmp_path / "without"
    said = defectseg(
        "run", tmp_path / "recipe.json", two_images[0], "--out", without, "--no-report"
    )
    assert said.status == 0
    assert not (without / "report.html").exists()


def test_compare_writes_a_page_and_prints_its_numbers(
    defectseg, result: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    said = defectseg("compare", f"a={result}", f"b={result}", "--out", page, "--json")
    assert said.status == 0, said.err
    assert said.document["written"] == [str(page)]
    assert {"number_density", "fraction"} <= {
        one["quantity"] for one in said.document["differences"]
    }
    assert "next to nothing" in said.err
    assert defectseg("compare", "a", "b", "--out", page).status == 2
    said = defectseg("compare", f"a={result}", "--out", tmp_path / "p.html")
    assert said.status == 1
    assert "nothing to be compared with" in said.err
