"""The whole product in one call: an image and a recipe → a result."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from napari_defectseg.batch.landed import (
    LandedRun,
    goes_by_blocks,
    land_analysis_steps,
    predicted_part,
)
from napari_defectseg.batch.measuring import foil_thickness, measure_settings
from napari_defectseg.core.errors import RecipeError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.open import open_image
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.inference.allocator import give_back
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.labels.decode import DecodeSettings
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.results.analysis import Analysis, ModelRecord
from napari_defectseg.results.extras import needs_scores
from napari_defectseg.results.folder import check_free, write_result
from napari_defectseg.results.naming import stem_of
from napari_defectseg.results.recipe import ModelReference, Recipe

if TYPE_CHECKING:
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.models.model import Model


@dataclass(frozen=True)
class AnalyseSettings:
    """What is kept of an analysis, and where.

    Parameters
    ----------
    stem : str
        Name of the image's folder in the result; that of the image file where empty.
    form : {"tiff", "nrrd", "zarr"}
        File format of mask and labels.
    scores : bool
        Whether the probabilities are written, too.
    also : tuple of str
        Other files that are wanted: ``"probabilities-nrrd"`` (one a class) and ``"class-png"``.
    overwrite : bool
        Whether a result that is there may be replaced, and a run that was stopped begun anew.
    resume : bool
        Go on with a run over an image larger than the memory that was stopped.
    specimen, field : str
        Where the image belongs.
    """

    stem: str = ""
    form: str = "tiff"
    scores: bool = False
    also: tuple[str, ...] = ()
    overwrite: bool = False
    resume: bool = False
    specimen: str = ""
    field: str = ""


def analyse(
    image: CalibratedImage | str | Path,
    recipe: Recipe,
    out: str | Path | None = None,
    settings: AnalyseSettings | None = None,
    *,
    on_step: Callable[[Step], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Analysis:
    """Predict, find the objects, measure and summarise; see `analyse_steps`."""
    return drive(analyse_steps(image, recipe, out, settings), on_step, cancelled)


def analyse_steps(
    image: CalibratedImage | str | Path,
    recipe: Recipe,
    out: str | Path | None = None,
    settings: AnalyseSettings | None = None,
    *,
    model: Model | None = None,
) -> Steps[Analysis]:
    """Predict, find the objects, measure, summarise, and write a result folder.

    Parameters
    ----------
    image : CalibratedImage or path
    recipe : Recipe
        Which model, and every setting.
    out : path, optional
        The result folder to write into; None: nothing is written.
    settings : AnalyseSettings, optional
    model : Model, optional
        The recipe's model where it is open already.

    Returns
    -------
    Analysis
        Its recipe names the model by hash and every threshold that was used.

    Raises
    ------
    ImageError, FileMissing
        If the image cannot be opened, or does not fit the model.
    ModelError, RecipeError
        If the model cannot be opened, or is not the recipe's.
    AlreadyExists, NotSaved
        If there is a result already, or it cannot be written.
    """
    settings = settings or AnalyseSettings()
    began = time.perf_counter()
    stem = settings.stem or _stem(image)
    if out is not None:
        # A place that is taken is refused before the long work, not behind it.
        check_free(Path(out) / stem, overwrite=settings.overwrite)
    yield Step(0, 0, "opening the image and the model")
    model = model or open_recipe_model(recipe)
    recipe = settled(recipe, model)
    picture = prepared(image, recipe)
    run = None if out is None else _landed_run(Path(out) / stem, model, picture, recipe, settings)
    if run is not None:
        made = yield from land_analysis_steps(model, picture, recipe, predict_settings(recipe), run)
    else:
        made = yield from _in_memory(model, picture, recipe, settings, writes=out is not None)
    analysis = replace(
        made,
        model=record_of(model, recipe),
        seconds=time.perf_counter() - began,
        specimen=settings.specimen,
        field=settings.field,
    )
    if out is not None:
        yield Step(0, 0, "writing the result")
        if run is not None:
            give_back()  # the picture of the result needs memory of its own
        also = (*settings.also, *(("scores",) if settings.scores else ()))
        write_result(
            out,
            analysis,
            stem=stem,
            form=settings.form,
            also=also,
            overwrite=settings.overwrite,
        )
    if run is not None:
        run.finish()
    return analysis


def _landed_run(
    place: Path,
    model: Model,
    image: CalibratedImage,
    recipe: Recipe,
    settings: AnalyseSettings,
) -> LandedRun | None:
    """Return the run of an image that goes block by block; None: it fits into the memory."""
    scores = settings.scores or needs_scores(settings.also)
    run = LandedRun(place, settings.form, scores, settings.resume, settings.overwrite)
    begun = run.check_begun()
    return run if begun or goes_by_blocks(model, image, predict_settings(recipe)) else None


def _in_memory(
    model: Model,
    image: CalibratedImage,
    recipe: Recipe,
    settings: AnalyseSettings,
    *,
    writes: bool,
) -> Steps[Analysis]:
    """Predict, find the objects and measure, one stage after the other."""
    prediction = yield from _predicted(model, image, recipe)
    yield Step(0, 0, "finding objects")
    labels = prediction.labels(recipe.decode)
    yield Step(0, 0, "measuring")
    made = measured(predicted_part(image, predict_settings(recipe)), labels, prediction, recipe)
    kept = settings.scores or not writes or needs_scores(settings.also)
    return replace(
        made,
        scores=prediction.scores if kept else None,
        disagreement=prediction.disagreement,
    )


def recipe_for(
    model: Model,
    path: str | Path,
    *,
    settings: dict[str, str] | None = None,
    predict: PredictSettings | None = None,
    **fields: Any,
) -> Recipe:
    """Return the recipe of analyses with an opened model.

    Parameters
    ----------
    model : Model
    path : str or Path
        What it was opened by: a path, or the name of a shipped model.
    settings : dict of str to str, optional
        Fields of its card that were set when it was opened.
    predict : PredictSettings, optional
    **fields
        Other fields of `Recipe`.
    """
    usual = PredictSettings().as_dict()
    stated = (predict or PredictSettings()).as_dict()
    reference = _reference(model, str(path), settings or {})
    changed = {name: value for name, value in stated.items() if value != usual[name]}
    return settled(Recipe(model=reference, predict=changed, **fields), model)


def _reference(model: Model, path: str, settings: dict[str, str]) -> ModelReference:
    """Return how a recipe names a model: by its path, or by those of the models it is made of."""
    from napari_defectseg.models.open import lasting_path
    from napari_defectseg.models.settings import spoken
    from napari_defectseg.models.several import SeveralModels

    about: dict[str, Any] = {"name": model.card.name, "sha256": model.sha256, "settings": settings}
    if path or not isinstance(model, SeveralModels):
        return ModelReference(path=path, **about)
    members = tuple(_reference(one, lasting_path(one), spoken(one.card)) for one in model.models)
    return ModelReference(path="", members=members, combine=model.combine, **about)


def open_recipe_model(recipe: Recipe) -> Model:
    """Open the model of a recipe, or the models that it puts together.

    Raises
    ------
    ModelError
        If it cannot be opened.
    RecipeError
        If its weights are others than the recipe's.
    """
    from napari_defectseg.models.ensemble import combine_models
    from napari_defectseg.models.settings import with_settings

    wanted = recipe.model
    if not wanted.members:
        return _opened(wanted)
    model = combine_models([_opened(one) for one in wanted.members], wanted.combine)
    return model.with_card(with_settings(model.card, wanted.settings))


def _opened(wanted: ModelReference) -> Model:
    from napari_defectseg.models.open import open_model

    if not wanted.path:
        raise RecipeError(
            f"The model {wanted.name} of the recipe was never saved.",
            hint="Save the model as a folder, and make the recipe again with it.",
        )
    model = open_model(wanted.path, settings=wanted.settings or None)
    if wanted.sha256 and model.sha256 != wanted.sha256:
        raise RecipeError(
            f"The model at {wanted.path} has other weights than the recipe was made with.",
            hint="Bring the old model back, or make the recipe again with this one.",
        )
    return model


def settled(recipe: Recipe, model: Model) -> Recipe:
    """Return the recipe with nothing left to a default: hash, thresholds, smallest object.

    Thresholds that the recipe does not name are the card's; the smallest object is the card's
    where the recipe says nothing about objects.
    """
    card = model.card
    decode = recipe.decode
    thresholds = {**card.thresholds, **decode.thresholds}
    if "decode" in recipe.model_fields_set:
        decode = replace(decode, thresholds=thresholds)
    else:
        decode = DecodeSettings(thresholds=thresholds, min_size=card.min_size)
    reference = recipe.model.model_copy(update={"name": card.name, "sha256": model.sha256})
    return recipe.model_copy(update={"model": reference, "decode": decode})


def prepared(image: CalibratedImage | str | Path, recipe: Recipe) -> CalibratedImage:
    """Return the image with the pixel size and the imaging conditions of the recipe."""
    picture = image if isinstance(image, CalibratedImage) else open_image(image)
    if recipe.pixel_size is not None:
        picture = picture.with_calibration(recipe.pixel_size.applied(picture.calibration))
    return picture.with_acquisition(picture.acquisition.inherit(recipe.conditions))


def predict_settings(recipe: Recipe) -> PredictSettings:
    """Return how the recipe predicts.

    Raises
    ------
    RecipeError
        If a setting is unknown or wrong.
    """
    strange = set(recipe.predict) - set(asdict(PredictSettings()))
    if strange:
        raise RecipeError(
            f"The recipe sets {', '.join(sorted(strange))}, which no prediction has.",
            hint=f"It may set {', '.join(asdict(PredictSettings()))}.",
        )
    try:
        return TypeAdapter(PredictSettings).validate_python(recipe.predict)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "a value"
        raise RecipeError(
            f"The recipe's predict.{place} cannot be used: {first['msg']}."
        ) from error


def record_of(model: Model, recipe: Recipe) -> ModelRecord:
    """Return which model it was, with the hash of each of its files."""
    from napari_defectseg.models.several import files_of

    return ModelRecord(model.card.name, recipe.model.path, model.sha256, files_of(model))


def _stem(image: CalibratedImage | str | Path) -> str:
    """Return the name of the image's folder; ``FILE::part`` keeps its part."""
    if not isinstance(image, CalibratedImage):
        return stem_of(image)
    return stem_of(image.origin.path or image.name)


def _predicted(model: Model, image: CalibratedImage, recipe: Recipe) -> Steps[Prediction]:
    from napari_defectseg.inference.predict import predict_steps

    return (yield from predict_steps(model, image, predict_settings(recipe)))


def measured(
    image: CalibratedImage,
    labels: LabelMap,
    prediction: Prediction,
    recipe: Recipe,
    space: ReferenceSpace | None = None,
) -> Analysis:
    """Return the analysis of labels that came from a prediction, corrected or not.

    Parameters
    ----------
    image : CalibratedImage
    labels : LabelMap
    prediction : Prediction
        Its scores give each object's mean probability.
    recipe : Recipe
        How to measure.
    space : ReferenceSpace, optional
        What is counted; None: all of the image.
    """
    measure, notes = measure_settings(image, recipe)
    table = measure_regions(
        labels, image=image, space=space, scores=prediction.scores, settings=measure
    )
    thickness, more = foil_thickness(image)
    return Analysis(
        image=image,
        labels=labels,
        table=table,
        summary=summarise(table, thickness=thickness),
        recipe=recipe,
        engine=str(prediction.plan.get("engine", "")),
        plan=prediction.plan,
        warnings=(*prediction.warnings, *notes, *more),
        space=space,
    )
