"""``defectseg report``: what was found, how, and how sure it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

EXAMPLE = "Example: defectseg report result --out report.html --pdf report.pdf"
Form: TypeAlias = Literal["stl", "ply"]


def report(
    results: Annotated[
        list[Path],
        typer.Argument(metavar="RESULT_DIR...", help="Result folders, or the folder of one image."),
    ],
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")],
    *,
    pdf: Annotated[Path | None, typer.Option(help="A PDF beside it.")] = None,
    title: Annotated[str, typer.Option(help="Title; that of what was analysed by default.")] = "",
    author: Annotated[str, typer.Option(help="Who stands below the title.")] = "",
    pixel_size_error: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            min=0,
            max=100,
            help="One standard deviation of the pixel size; gives systematic errors.",
        ),
    ] = None,
    largest: Annotated[
        int, typer.Option(min=0, max=1000, help="How many of the largest objects are listed.")
    ] = 10,
    table: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="All objects as one table: .csv, .parquet or .xlsx. May be repeated.",
        ),
    ] = None,
    outlines: Annotated[
        Path | None, typer.Option(help="Folder for outlines as ROIs of ImageJ.")
    ] = None,
    meshes: Annotated[
        Path | None, typer.Option(help="Folder for surfaces of objects in volumes.")
    ] = None,
    mesh_form: Annotated[Form, typer.Option("--mesh-format", help="Of the surfaces.")] = "stl",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write a report of results: methods, numbers with their errors, pictures, plots, provenance.

    The HTML file needs nothing beside it. Results of several images are counted together and
    shown one by one. Their objects can be written for other programs in the same call.
    """
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.reports.export import ExportSettings, export_steps
        from napari_defectseg.reports.report import report_steps
        from napari_defectseg.results.recipe import ReportSettings

        settings = ReportSettings(
            title=title, author=author, pixel_size_error=pixel_size_error, largest=largest
        )
        written = work.run(
            report_steps(results, out, pdf=pdf, settings=settings, overwrite=overwrite)
        )
        export = ExportSettings(
            tables=tuple(table or ()),
            outlines=outlines,
            meshes=meshes,
            mesh_form=mesh_form,
            overwrite=overwrite,
        )
        written += work.run(export_steps(results, export))
        names = [str(path) for path in written]
        work.result({"written": names}, "\n".join(names))
