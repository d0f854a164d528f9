"""A report says what was found, how, how sure it is and what made it, in one file."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from napari_defectseg.batch.analyse import analyse
from napari_defectseg.core.errors import AlreadyExists, RecipeError
from napari_defectseg.core.progress import drive
from napari_defectseg.reports.gather import gather_steps
from napari_defectseg.reports.report import compose, write_report
from napari_defectseg.results.recipe import ModelReference, Recipe, ReportSettings


class Links(HTMLParser):
    """Everything that a page would fetch from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(v) for k, v in attrs if k in ("src", "href")]


def test_page_and_pdf_are_whole_and_need_nothing_beside_them(result: Path, tmp_path: Path) -> None:
    page, pdf = write_report(result, tmp_path / "r.html", pdf=tmp_path / "r.pdf")
    links = Links()
    links.feed(page.read_text("utf-8"))
    assert links.found
    assert all(link.startswith("data:image/") for link in links.found)
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.read_bytes().rstrip().endswith(b"%%EOF")


def test_what_made_the_numbers_stands_in_it(result: Path, model_folder: Path) -> None:
    results = drive(gather_steps([result]))
    report = compose(results, ReportSettings())
    made = {(row[1], row[2]) for row in report.provenance[1].rows}
    summary = results[0].summary
    texts = " ".join(f"{what} {which}" for what, which in made)
    assert summary["model"]["sha256"] in texts
    assert summary["image"]["sha256"] in texts
    assert str(summary["versions"]["numpy"]) in texts
    assert "thresholds void 0.3" in texts
    assert "void 0.3" in report.methods
    assert "2 images of 1 specimen with a pixel size of 0.5 nm" in report.methods
    assert "No object was checked by a person" in report.methods


def test_numbers_of_several_images_are_counted_as_one(result: Path) -> None:
    results = drive(gather_steps([result]))
    report = compose(results, ReportSettings())
    objects = next(row for row in report.numbers[0].rows if row[0] == "objects")
    total = sum(one.summary["classes"]["void"]["objects"]["value"] for one in results)
    assert re.match(rf"{total}\b", objects[1].replace("\u2009", ""))


def test_systematic_errors_have_rows_of_their_own(result: Path) -> None:
    results = drive(gather_steps([result]))
    report = compose(results, ReportSettings(pixel_size_error=2.0))
    errors = next(sheet for sheet in report.numbers if sheet.title.startswith("Errors"))
    kinds = [row[2] for row in errors.rows]
    assert {"random", "pixel size", "thickness"} == set(kinds)
    rows = list(errors.rows)
    at = next(k for k, row in enumerate(rows) if row[0] == "mean diameter")
    mean = float(rows[at][1].split()[0])
    assert float(rows[at + 1][3].split()[1]) == pytest.approx(0.02 * mean, rel=0.02)
    assert "a⁻²" in next(row[4] for row in rows if "a⁻" in row[4])


def test_an_error_that_nobody_stated_is_said(result: Path) -> None:
    report = compose(drive(gather_steps([result])), ReportSettings())
    errors = next(sheet for sheet in report.numbers if sheet.title.startswith("Errors"))
    assert any("not stated" in row[4] for row in errors.rows)


def test_an_image_that_is_gone_is_told_and_the_overlay_stays(
    result: Path, two_images: list[Path], tmp_path: Path
) -> None:
    two_images[0].unlink()
    results = drive(gather_steps([result / "field 0"]))
    assert results[0].plain is None
    assert results[0].drawn is not None
    assert "classes alone" in results[0].notes[0]
    write_report(result / "field 0", tmp_path / "r.html")


def test_an_analysis_need_not_be_on_the_disk(
    model_folder: Path, two_images: list[Path], tmp_path: Path
) -> None:
    recipe = Recipe(model=ModelReference(path=str(model_folder)), predict={"device": "cpu"})
    found = analyse(two_images[0], recipe)
    write_report(found, tmp_path / "r.html", settings=ReportSettings(title="Mine", author="Ada"))
    text = (tmp_path / "r.html").read_text("utf-8")
    assert "<h1>Mine</h1>" in text
    assert "Ada" in text


def test_names_cannot_change_the_page(result: Path, tmp_path: Path) -> None:
    write_report(result, tmp_path / "r.html", settings=ReportSettings(title="<script>x</script>"))
    assert "<script>" not in (tmp_path / "r.html").read_text("utf-8")


def test_nothing_is_overwritten_unasked(result: Path, tmp_path: Path) -> None:
    (tmp_path / "r.pdf").write_text("mine")
    with pytest.raises(AlreadyExists):
        write_report(result, tmp_path / "r.html", pdf=tmp_path / "r.pdf")
    assert not (tmp_path / "r.html").exists()


def test_a_report_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="needs a result"):
        write_report([], tmp_path / "r.html")
    with pytest.raises(RecipeError, match="holds no result"):
        write_report(tmp_path, tmp_path / "r.html")
