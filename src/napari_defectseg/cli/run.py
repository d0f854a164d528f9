"""``defectseg run``: a whole analysis as its recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_defectseg.cli.many import analyse_images
from napari_defectseg.cli.options import Also, Out, Resume, extras
from napari_defectseg.cli.work import Debug, Json, Overwrite, Quiet, working

if TYPE_CHECKING:
    from napari_defectseg.results.recipe import ModelReference, Recipe

EXAMPLE = "Example: defectseg run result/recipe.json B1.tif B2.tif --out result-B"


def run(
    recipe: Annotated[Path, typer.Argument(help="A recipe.json, or a result folder.")],
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Image files; a folder is one stack of slices.",
            show_default=False,
        ),
    ],
    out: Out,
    *,
    scores: Annotated[bool, typer.Option("--scores", help="Keep the probabilities, too.")] = False,
    report: Annotated[
        bool | None,
        typer.Option(
            "--report/--no-report",
            help="Write report.html and report.pdf of all images, or none; as the recipe says by "
            "default.",
        ),
    ] = None,
    also: Also = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Do an analysis again on other images: predict, measure and report as its recipe says."""
    wanted = extras(also)
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        from napari_defectseg.batch.analyse import AnalyseSettings
        from napari_defectseg.results.recipe import Recipe, ReportSettings

        known = _with_model_beside(Recipe.read(recipe), recipe)
        if report is not None:
            asked = (known.report or ReportSettings()) if report else None
            known = known.model_copy(update={"report": asked})
        settings = AnalyseSettings(scores=scores, also=wanted, overwrite=overwrite, resume=resume)
        analyse_images(work, images, known, out, settings)


def _with_model_beside(recipe: Recipe, file: Path) -> Recipe:
    """Take relative model paths from the recipe's own folder where the models lie there."""
    folder = file if file.is_dir() else file.parent
    return recipe.model_copy(update={"model": _beside(recipe.model, folder)})


def _beside(reference: ModelReference, folder: Path) -> ModelReference:
    members = tuple(_beside(one, folder) for one in reference.members)
    reference = reference.model_copy(update={"members": members})
    beside = folder / reference.path
    if not reference.path or Path(reference.path).exists() or not beside.exists():
        return reference
    return reference.model_copy(update={"path": str(beside.resolve())})
