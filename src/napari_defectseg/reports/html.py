"""A report as one HTML file: pictures, plots and style are inside it."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.atomic import write_text
from napari_defectseg.reports.plot import Plot
from napari_defectseg.reports.style import drawing

if TYPE_CHECKING:
    from napari_defectseg.reports.report import Report

TEMPLATE = "report.html.jinja"
DOTS = 200
"""Dots per inch of pictures."""


def write_html(report: Report, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a report as HTML, whole or not at all.

    Raises
    ------
    AlreadyExists, NotSaved
        If the file exists and `overwrite` is false, or cannot be written.
    """
    write_text(path, as_html(report), overwrite=overwrite)
    return Path(path)


def as_html(report: Report) -> str:
    """Return the page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    page = Environment(
        loader=PackageLoader("napari_defectseg.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(TEMPLATE)
    with drawing():
        pictures = [_shown(plot, "png") for plot in report.pictures]
        plots = [_shown(plot, "svg") for plot in report.plots]
    return str(page.render(report=report, pictures=pictures, plots=plots))


def _shown(plot: Plot, form: str) -> dict[str, Any]:
    data = io.BytesIO()
    date = {"Date": None} if form == "svg" else {}
    plot.figure().savefig(data, format=form, dpi=DOTS, metadata=date)
    kind = "image/svg+xml" if form == "svg" else "image/png"
    coded = base64.b64encode(data.getvalue()).decode("ascii")
    return {"title": plot.title, "caption": plot.caption, "data": f"data:{kind};base64,{coded}"}
