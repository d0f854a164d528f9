"""A result made again from its ``summary.json``, and compared with what it was."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_defectseg.batch.analyse import (
    measured,
    open_recipe_model,
    predict_settings,
    prepared,
    record_of,
)
from napari_defectseg.batch.landed import predicted_part
from napari_defectseg.batch.remeasure import remeasure_steps
from napari_defectseg.core.errors import FileMissing, RecipeError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.restore import restore
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.diff import compare
from napari_defectseg.results.extras import EXTRAS, PLACES
from napari_defectseg.results.folder import FORMATS, check_free, write_result
from napari_defectseg.results.recipe import VERSION, Recipe
from napari_defectseg.results.stored import StoredResult, read_measured, read_result

PLANNED = ("device", "threads", "memory")
"""What of a resolved plan is given to the prediction, so that it plans the same again."""


@dataclass(frozen=True)
class Rerun:
    """A result that was made again.

    Parameters
    ----------
    folder : Path
        Where it is.
    differences : tuple of str
        What came out otherwise, in sentences; none if nothing did.
    """

    folder: Path
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether everything came out as it was."""
        return not self.differences

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "folder": str(self.folder),
            "same": self.same,
            "differences": list(self.differences),
        }


def rerun(
    summary: str | Path,
    out: str | Path,
    *,
    overwrite: bool = False,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Rerun:
    """Make a result again; see `rerun_steps`."""
    return drive(rerun_steps(summary, out, overwrite=overwrite), on_step, cancelled)


def rerun_steps(summary: str | Path, out: str | Path, *, overwrite: bool = False) -> Steps[Rerun]:
    """Make a result again from its summary, with the plan it was made with, and compare.

    Parameters
    ----------
    summary : path
        A ``summary.json``, or the folder that holds it. Corrections by hand are replayed from
        the journal beside it.
    out : path
        The result folder to write into.
    overwrite : bool

    Raises
    ------
    FileMissing
        If the summary, the image or the mask is not there.
    RecipeError
        If it cannot be read, does not say enough, or an input has changed.
    ModelError
        If the model cannot be opened, or has other weights.
    AlreadyExists, NotSaved
        If there is a result already, or it cannot be written.
    """
    place = _folder(Path(summary))
    out = Path(out)
    known = read_measured(place)
    if known is not None:
        yield from remeasure_steps(known, out, overwrite=overwrite)
        again = read_measured(out)
    else:
        known = _one(place)
        yield from _again(known, out, overwrite)
        again = _one(out / place.name)
    assert again is not None
    found = compare(known, again, again.folder.name)
    return Rerun(again.folder, tuple(item.sentence for item in found))


def recipe_of_summary(stored: StoredResult) -> Recipe:
    """Return the recipe that a summary holds.

    Raises
    ------
    RecipeError
        If it holds none.
    """
    settings = stored.summary.get("settings") or {}
    if not isinstance(settings.get("model"), dict):
        raise RecipeError(
            f"{stored.folder} was not predicted, or by an older version: it cannot be made again.",
            hint="Labels drawn by hand are their own origin: copy the folder.",
        )
    return Recipe.from_dict({"version": VERSION, **settings}, str(stored.folder / "summary.json"))


def planned(recipe: Recipe, stored: StoredResult) -> Recipe:
    """Return the recipe with the plan that was resolved when the result was made."""
    plan = stored.summary.get("plan") or {}
    fixed = {name: plan[name] for name in PLANNED if plan.get(name) is not None}
    if "models" not in plan:  # several models have one engine each
        fixed |= {"engine": plan["engine"]} if plan.get("engine") else {}
    return recipe.model_copy(update={"predict": {**recipe.predict, **fixed}})


def _again(stored: StoredResult, out: Path, overwrite: bool) -> Steps[Analysis]:
    from napari_defectseg.inference.predict import predict_steps

    began = time.perf_counter()
    corrected = stored.journal is not None
    check_free(out / stored.folder.name, overwrite=overwrite, corrected=corrected)
    yield Step(0, 0, "opening the image and the model")
    recipe = recipe_of_summary(stored)
    picture = _prepared(stored, recipe)
    model = open_recipe_model(recipe)
    settings = predict_settings(planned(recipe, stored))
    prediction = yield from predict_steps(model, picture, settings)
    yield Step(0, 0, "finding objects and measuring")
    labels = _replayed(stored) or prediction.labels(recipe.decode)
    part = predicted_part(picture, settings)
    made = measured(part, labels, prediction, recipe, stored.space())
    also = _also(stored.folder)
    analysis = replace(
        made,
        model=record_of(model, recipe),
        scores=prediction.scores if also else None,
        disagreement=prediction.disagreement,
        journal=stored.journal,
        specimen=stored.entry.specimen,
        field=stored.entry.field,
        seconds=time.perf_counter() - began,
    )
    yield Step(0, 0, "writing the result")
    write_result(
        out,
        analysis,
        stem=stored.folder.name,
        form=_form(stored.folder),
        also=also,
        overwrite=overwrite,
    )
    return analysis


def _prepared(stored: StoredResult, recipe: Recipe) -> CalibratedImage:
    """Return the image as the recipe prepares it, with the pixel size that was used."""
    picture = prepared(stored.original(), recipe)
    known = stored.calibration
    same = (tuple(picture.calibration.spacing), picture.calibration.unit) == (
        tuple(known.spacing),
        known.unit,
    )
    return picture if same else picture.with_calibration(known)


def _replayed(stored: StoredResult) -> LabelMap | None:
    """Return the labels that the journal ends with; None without one."""
    if stored.journal is None:
        return None
    history, sentence = restore(stored.journal, attach=False)
    if "nothing is missing" not in sentence:
        raise RecipeError(f"{stored.journal}: {sentence}")
    return history.labelmap


def _form(folder: Path) -> str:
    return next((form for form, end in FORMATS.items() if (folder / f"mask{end}").exists()), "tiff")


def _also(folder: Path) -> tuple[str, ...]:
    """Return what was written beside mask, objects and table."""
    files = ("scores.zarr", *PLACES)
    found = zip(files, ("scores", *EXTRAS), strict=True)
    return tuple(name for file, name in found if (folder / file).exists())


def _folder(summary: Path) -> Path:
    place = summary if summary.is_dir() else summary.parent
    if not (place / "summary.json").is_file() or (
        not summary.is_dir() and summary.name != "summary.json"
    ):
        raise FileMissing(
            f"{summary} is no summary.json.", hint="Give the summary.json of a result."
        )
    return place.resolve()


def _one(place: Path) -> StoredResult:
    return next(one for one in read_result(place)[1] if one.folder.name == place.name)
