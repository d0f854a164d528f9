"""A report as a PDF: A4 pages that text, tables and plots flow down, plots as vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.reports.pages import Pages
from napari_defectseg.reports.style import drawing

if TYPE_CHECKING:
    from napari_defectseg.reports.report import Report


def write_pdf(report: Report, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a report as PDF, whole or not at all.

    Raises
    ------
    AlreadyExists, NotSaved
        If the file exists and `overwrite` is false, or cannot be written.
    """
    from matplotlib.backends.backend_pdf import PdfPages

    about = {"Title": report.title, "Author": report.author, "Creator": "napari-defectseg"}
    with (
        atomic_path(path, overwrite=overwrite) as part,
        drawing(),
        PdfPages(part, metadata={**about, "CreationDate": None}) as file,
    ):
        pages = Pages(report.title)
        _fill(pages, report)
        for page in pages.finished():
            file.savefig(page)
    return Path(path)


def _fill(pages: Pages, report: Report) -> None:
    pages.text(report.title, 16, bold=True)
    by = f"{report.author} · " if report.author else ""
    pages.text(f"{by}{report.created}", 8, grey=True)
    pages.heading("Methods")
    pages.text(report.methods)
    if report.warnings:
        pages.heading("Before you use the numbers")
        for note in report.warnings:
            pages.text(f"•  {note}", 8)
    pages.heading("Results")
    for sheet in report.numbers:
        pages.sheet(sheet)
    for plot in report.plots:
        pages.plot(plot)
    if report.pictures:
        pages.heading("Images", report.pictures[0].height + 0.4)
        for plot in report.pictures:
            pages.plot(plot)
    pages.heading("What made this")
    for sheet in report.provenance:
        pages.sheet(sheet)
