"""``defectseg compare``: several conditions on one page, specimens as units."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

EXAMPLE = "Example: defectseg compare before=result-A after=result-B --out page.html --pdf page.pdf"


def compare(
    groups: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=RESULT_DIR...",
            help="A condition or a person, and a result folder of it. A name may be repeated.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")],
    *,
    pdf: Annotated[Path | None, typer.Option(help="A PDF beside it.")] = None,
    title: Annotated[str, typer.Option(help="Title; the names by default.")] = "",
    author: Annotated[str, typer.Option(help="Who stands below the title.")] = "",
    overwrite: Overwrite = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Compare conditions: cumulative curves, differences with intervals, effect sizes and tests.

    A specimen counts once, with all its images: what 'predict' left says which image is of which
    specimen, and so does what 'measure --specimen-of' left. Groups that hold masks of the same
    images, for example of two people, get a table of their agreement, too.
    """
    sources = _groups(groups)
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.reports.compare import compare_steps
        from napari_defectseg.results.recipe import ReportSettings

        settings = ReportSettings(title=title, author=author)
        found = work.run(
            compare_steps(sources, out, pdf=pdf, settings=settings, overwrite=overwrite)
        )
        for warning in found.warnings:
            work.note(warning)
        work.result(found.as_dict(), "\n".join(str(path) for path in found.written))


def _groups(texts: list[str]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for text in texts:
        name, equals, place = text.partition("=")
        if not equals or not name.strip() or not place:
            raise typer.BadParameter(f"{text!r} is not NAME=RESULT_DIR.")
        found.setdefault(name.strip(), []).append(Path(place))
    return found
