"""Many images, one after the other: what fails gets a sentence, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.batch.analyse import (
    AnalyseSettings,
    analyse_steps,
    open_recipe_model,
    settled,
)
from napari_defectseg.core.atomic import refuse_existing
from napari_defectseg.core.errors import AlreadyExists, Cancelled, DefectSegError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.images.natural import natural
from napari_defectseg.measurement.populations import Summary, summarise
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.naming import stems
from napari_defectseg.results.recipe import Recipe, ReportSettings
from napari_defectseg.results.register import Entry, add_entry
from napari_defectseg.results.stored import read_result

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model

RECIPE = "recipe.json"
REPORT, REPORT_PDF = "report.html", "report.pdf"


@dataclass(frozen=True)
class Outcome:
    """What became of one image.

    Parameters
    ----------
    image : str
        Its path as it was given.
    folder : Path
        Its folder in the result, which is not there if it failed.
    objects : int
        How many were found.
    summary : Summary or None
        None if it failed.
    warnings : tuple of str
    problem : str
        Why it failed, as a sentence; empty if it did not.
    """

    image: str
    folder: Path
    objects: int = 0
    summary: Summary | None = None
    warnings: tuple[str, ...] = ()
    problem: str = ""


def analyse_many(
    images: Sequence[str | Path],
    recipe: Recipe,
    out: str | Path,
    settings: AnalyseSettings | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Outcome, ...]:
    """Analyse images one after the other; see `analyse_many_steps`."""
    return drive(analyse_many_steps(images, recipe, out, settings), on_step, cancelled)


def analyse_many_steps(
    images: Sequence[str | Path],
    recipe: Recipe,
    out: str | Path,
    settings: AnalyseSettings | None = None,
    *,
    model: Model | None = None,
) -> Steps[tuple[Outcome, ...]]:
    """Analyse images one after the other, each into a folder of its own.

    An image that cannot be analysed gets a sentence; the others go on. The step that ends an
    image carries its `Outcome` as its `partial`; closing the generator keeps what is finished.
    Where the recipe says so, a report of all results in the folder is written behind them.

    Parameters
    ----------
    images : sequence of path
        Two of one stem get ``<parent>__<stem>``.
    recipe : Recipe
    out : path
        The result folder.
    settings : AnalyseSettings, optional
        Its `stem` is not used.
    model : Model, optional
        The recipe's model where it is open already.

    Raises
    ------
    ModelError, RecipeError
        If the model cannot be opened, or is not the recipe's.
    AlreadyExists
        If the folder holds results of another recipe, or a report, that may not be replaced.
    """
    settings = settings or AnalyseSettings()
    out = Path(out)
    yield Step(0, 0, "opening the model")
    model = model or open_recipe_model(recipe)
    recipe = settled(recipe, model)
    _refuse_mixture(out, recipe, settings.overwrite)
    if recipe.report is not None:
        # Before the long work, not behind it.
        for name in (REPORT, REPORT_PDF):
            refuse_existing(out / name, settings.overwrite)
    found: list[Outcome] = []
    for number, (image, stem) in enumerate(zip(images, stems(images), strict=True)):
        title = f"{stem} ({number + 1} of {len(images)})"
        own = replace(settings, stem=stem)
        try:
            if settings.resume and (kept := _kept(image, out / stem)) is not None:
                found.append(kept)
                yield Step(number + 1, len(images), title, partial=kept)
                continue
            steps = analyse_steps(image, recipe, out, own, model=model)
            outcome = _done(image, out / stem, (yield from _named(steps, title)))
        except Cancelled:
            raise
        except DefectSegError as error:
            outcome = _failed(image, out / stem, str(error))
        except MemoryError:
            outcome = _failed(image, out / stem, f"There is not enough memory for {image}.")
        found.append(outcome)
        yield Step(number + 1, len(images), title, partial=found[-1])
    if recipe.report is not None and any(not one.problem for one in found):
        yield from _report(out, recipe.report, settings.overwrite)
    return tuple(found)


def _report(out: Path, settings: ReportSettings, overwrite: bool) -> Steps[tuple[Path, ...]]:
    from napari_defectseg.reports.report import report_steps

    return (
        yield from report_steps(
            [out], out / REPORT, pdf=out / REPORT_PDF, settings=settings, overwrite=overwrite
        )
    )


def _refuse_mixture(out: Path, recipe: Recipe, overwrite: bool) -> None:
    """Keep the results of two recipes from standing in one folder as if they were of one."""
    if overwrite or not (out / RECIPE).is_file():
        return
    known = Recipe.read(out / RECIPE)
    if not known.works_like(recipe):
        raise AlreadyExists(
            f"{out} holds results of another model or other settings and was left as it is.",
            hint="Choose another folder, or allow overwriting.",
        )


def expand(images: Sequence[str | Path]) -> tuple[str, ...]:
    """Return paths with ``*`` and ``?`` filled in where the shell has not done it.

    A pattern that fits nothing stays as it is, so that the error names it.
    """
    found: list[str] = []
    for image in images:
        text = str(image)
        fitting = [] if Path(text).exists() else glob(text)  # noqa: PTH207 - absolute patterns, too
        found += sorted(fitting, key=natural) or [text]
    return tuple(found)


def _named(steps: Steps[Analysis], title: str) -> Steps[Analysis]:
    """Run steps with the image's name in front of their words."""
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                analysis: Analysis = end.value
                return analysis
            yield replace(step, text=f"{title}: {step.text}")
    finally:
        steps.close()


def _kept(image: str | Path, folder: Path) -> Outcome | None:
    """Return what became of an image in a run before; None: it is still to be done.

    Raises
    ------
    AlreadyExists
        If the folder holds the result of another image.
    """
    if not (folder / "summary.json").is_file():
        return None
    ((_, (stored,)), path) = read_result(folder), Path(str(image).partition("::")[0])
    if stored.image_path != path.resolve():
        raise AlreadyExists(
            f"{folder} holds the result of {stored.image_path} and was left as it is.",
            hint="Choose another folder.",
        )
    table = stored.table()
    return Outcome(
        str(image), folder, len(table), summarise(table), tuple(stored.summary["warnings"])
    )


def _done(image: str | Path, folder: Path, analysis: Analysis) -> Outcome:
    """Return what is kept in memory of an analysis: no pixels, no scores."""
    summary = analysis.summary
    return Outcome(
        str(image),
        folder,
        len(analysis.table),
        summary,
        tuple(dict.fromkeys((*analysis.warnings, *summary.warnings))),
    )


def _failed(image: str | Path, folder: Path, problem: str) -> Outcome:
    """Name the image in ``collection.csv``, unless a result of it is there or nothing can be."""
    outcome = Outcome(str(image), folder, problem=problem)
    if folder.exists() or not folder.parent.is_dir():
        return outcome
    path = Path(str(image).partition("::")[0])
    try:
        add_entry(
            folder.parent, Entry(folder.name, str(path.resolve()), state=f"failed: {problem}")
        )
    except DefectSegError:
        return outcome  # the sentence reaches the caller in any case
    return outcome
