"""`write_report`: what was found, how, and how sure it is, as a page and as a PDF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_defectseg.core.atomic import refuse_existing
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.core.provenance import now
from napari_defectseg.reports import figures, sheets
from napari_defectseg.reports.gather import Source, gather_steps
from napari_defectseg.reports.methods import methods
from napari_defectseg.reports.plot import Plot
from napari_defectseg.reports.reported import Reported
from napari_defectseg.reports.sheet import Sheet
from napari_defectseg.reports.together import together
from napari_defectseg.reports.uncertainty import error_sheets
from napari_defectseg.results.recipe import ReportSettings


@dataclass(frozen=True)
class Report:
    """Everything a report says, in its order.

    Parameters
    ----------
    title : str
    author : str
    created : str
        ISO 8601 UTC.
    methods : str
        The paragraph for a paper.
    warnings : tuple of str
        What a reader should know before using the numbers.
    numbers : tuple of Sheet
        Numbers, their errors, image by image, the largest objects.
    pictures : tuple of Plot
    plots : tuple of Plot
    provenance : tuple of Sheet
        What was left out, and what made the results.
    """

    title: str
    author: str
    created: str
    methods: str
    warnings: tuple[str, ...]
    numbers: tuple[Sheet, ...]
    pictures: tuple[Plot, ...]
    plots: tuple[Plot, ...]
    provenance: tuple[Sheet, ...]


def write_report(
    sources: Sequence[Source] | Source,
    out: str | Path,
    *,
    pdf: str | Path | None = None,
    settings: ReportSettings | None = None,
    overwrite: bool = False,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Path, ...]:
    """Write a report of results; see `report_steps`."""
    several: Sequence[Source] = sources if isinstance(sources, list | tuple) else [sources]  # type: ignore[list-item]
    steps = report_steps(several, out, pdf=pdf, settings=settings, overwrite=overwrite)
    return drive(steps, on_step, cancelled)


def report_steps(
    sources: Sequence[Source],
    out: str | Path,
    *,
    pdf: str | Path | None = None,
    settings: ReportSettings | None = None,
    overwrite: bool = False,
) -> Steps[tuple[Path, ...]]:
    """Write one HTML file that needs nothing beside it and, where asked for, a PDF.

    Parameters
    ----------
    sources : sequence of Analysis or path
        Result folders, folders of one image in them, or what ``defectseg measure`` left.
    out : path
        The HTML file.
    pdf : path, optional
    settings : ReportSettings, optional
    overwrite : bool

    Returns
    -------
    tuple of Path
        The files that were written.

    Raises
    ------
    FileMissing, RecipeError
        If there is no result, or it cannot be read.
    AlreadyExists, NotSaved
        If a file exists and `overwrite` is false, or cannot be written.
    """
    from napari_defectseg.reports.html import write_html
    from napari_defectseg.reports.pdf import write_pdf

    for path in (out, pdf):
        if path is not None:
            refuse_existing(Path(path), overwrite)
    results = yield from gather_steps(sources)
    yield Step(0, 0, "putting the report together")
    report = compose(results, settings or ReportSettings())
    yield Step(0, 0, "writing the report")
    written = [write_html(report, out, overwrite=overwrite)]
    if pdf is not None:
        yield Step(0, 0, "writing the PDF")
        written.append(write_pdf(report, pdf, overwrite=overwrite))
    return tuple(written)


def compose(results: Sequence[Reported], settings: ReportSettings) -> Report:
    """Return what a report of these results says."""
    total = together(results)
    tables: list[Sheet] = []
    if total.numbers is not None:
        title = "Numbers" if len(results) == 1 else f"Numbers of all {len(results)} images"
        tables.append(sheets.numbers_sheet(total.numbers, title))
        tables += error_sheets(total.numbers, results, settings)
    else:
        for one in results:
            tables.append(sheets.numbers_sheet(one.summary["classes"], f"Numbers: {one.name}"))
            tables += error_sheets(one.summary["classes"], [one], settings, f", {one.name}")
    if len(results) > 1:
        tables.append(sheets.images_sheet(results))
    drawn: list[Plot | None] = []
    if total.table is not None:
        largest = sheets.largest_sheet(total.table, settings.largest)
        tables += [largest] if largest is not None else []
        drawn = [figures.distribution(total.table), figures.against_size(total.table)]
    return Report(
        title=settings.title or _title(results),
        author=settings.author,
        created=now(),
        methods=methods(results),
        warnings=_warnings(results, (total.note, *total.warnings)),
        numbers=tuple(tables),
        pictures=tuple(p for p in map(figures.pictures, results) if p is not None),
        plots=tuple(plot for plot in drawn if plot is not None),
        provenance=(sheets.left_out_sheet(results), sheets.provenance_sheet(results)),
    )


def _title(results: Sequence[Reported]) -> str:
    specimens = dict.fromkeys(one.specimen for one in results if one.specimen)
    if len(results) == 1:
        return f"Defects in {results[0].name}"
    if specimens:
        return f"Defects in {', '.join(specimens)}"
    return f"Defects in {len(results)} images"


def _warnings(results: Sequence[Reported], common: Sequence[str]) -> tuple[str, ...]:
    """Return each warning once; those of a single image with its name."""
    found = dict.fromkeys(note for note in common if note)
    for one in results:
        for note in one.summary.get("warnings", ()):
            if note not in found:
                found[note if len(results) == 1 else f"{one.name}: {note}"] = None
    return tuple(found)
