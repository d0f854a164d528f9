"""What a session holds, as a result folder and as a recipe."""

from __future__ import annotations

import shutil
import tempfile
from concurrent.futures import Future
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.errors import AlreadyExists, RecipeError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.labels.history import History
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.settings import MeasureSettings
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.naming import stem_of
from napari_defectseg.results.recipe import PixelSize, Recipe
from napari_defectseg.ui.auditing import kept_audit
from napari_defectseg.ui.keeper import keeper_of
from napari_defectseg.ui.population import specimen_of

if TYPE_CHECKING:
    from napari_defectseg.images.space import ReferenceSpace
    from napari_defectseg.inference.prediction import Prediction
    from napari_defectseg.labels.audit import Audit
    from napari_defectseg.models.model import Model
    from napari_defectseg.ui.session import Session


@dataclass(frozen=True)
class SaveSettings:
    """Where a result goes.

    Parameters
    ----------
    folder : Path
        The result folder; the image gets one of its own in it.
    overwrite : bool
        Whether the image's earlier result there may be replaced.
    mixed : bool
        Whether the folder may hold results of other settings.
    """

    folder: Path
    overwrite: bool = False
    mixed: bool = False


@dataclass(frozen=True)
class Snapshot:
    """A session at one moment; what happens later does not change it.

    Parameters
    ----------
    image : CalibratedImage
        With the imaging conditions of the folder.
    labels : LabelMap
        A copy.
    history : History
        Whose labels they are.
    revision : int
        Of the labels that were copied.
    recipe : Recipe or None
        None where nothing was predicted.
    model : Model or None
    prediction : Prediction or None
    measure : MeasureSettings
    space : ReferenceSpace or None
    specimen : str
    journal : Path or None
        Where a copy of the journal is being written; None where no person changed anything.
    written : Future or None
        Tells when that is done.
    audit : Audit or None
        The five-minute review, as far as it has come.
    """

    image: CalibratedImage
    labels: LabelMap
    history: History
    revision: int
    recipe: Recipe | None
    model: Model | None
    prediction: Prediction | None
    measure: MeasureSettings
    space: ReferenceSpace | None = None
    specimen: str = ""
    journal: Path | None = None
    written: Future[Any] | None = None
    audit: Audit | None = None

    @property
    def stem(self) -> str:
        """Name of the image's folder in a result."""
        return stem_of(self.image.origin.path or self.image.name)


def snapshot_of(session: Session, measure: MeasureSettings) -> Snapshot | None:
    """Return what a session holds now; None without image and labels. On the main thread."""
    image, labels, history = session.image, session.labels, session.history
    if image is None or labels is None or history is None:
        return None
    place = Path(tempfile.mkdtemp(prefix="defectseg-journal-"))
    written = keeper_of(session).exported(place)
    if written is None:
        place.rmdir()
    predicted = session.prediction is not None or session.recipe is not None
    return Snapshot(
        image.with_acquisition(image.acquisition.inherit(session.acquisition)),
        labels.copy(),
        history,
        labels.revision,
        recipe_of(session, measure) if predicted and session.model is not None else None,
        session.model,
        session.prediction,
        measure,
        session.space,
        specimen_of(session, image),
        place if written is not None else None,
        written,
        kept_audit(session),
    )


def recipe_of(session: Session, measure: MeasureSettings) -> Recipe:
    """Return what ``defectseg run`` needs to do the same to other images.

    Raises
    ------
    RecipeError
        If no model is chosen.
    """
    from napari_defectseg.batch.analyse import recipe_for
    from napari_defectseg.models.open import lasting_path
    from napari_defectseg.models.settings import spoken

    model, prediction, image = session.model, session.prediction, session.image
    if model is None:
        raise RecipeError("A recipe needs a model, and none is chosen.", hint="Choose one first.")
    chosen: dict[str, Any] = {"measure": measure}
    decode = session.decode or (prediction.decode_settings() if prediction is not None else None)
    if decode is not None:
        chosen["decode"] = decode
    conditions = session.acquisition.as_dict()
    if conditions:
        chosen["acquisition"] = conditions
    if image is not None and image.calibration.source == "typed by you":
        known = image.calibration
        chosen["pixel_size"] = PixelSize(spacing=tuple(known.spacing), unit=known.unit)
    return recipe_for(
        model,
        lasting_path(model),
        settings=spoken(model.card),
        predict=_predict_settings(prediction),
        **chosen,
    )


def save_steps(taken: Snapshot, where: SaveSettings) -> Steps[Path]:
    """Measure and write a result folder. Run it in a worker.

    Raises
    ------
    AlreadyExists
        If a result is there, or results of other settings, and that was not allowed.
    NotSaved
        If the disk is full or read-only; what was there is as it was.
    """
    from napari_defectseg.results.folder import check_free, write_result

    try:
        place = where.folder / taken.stem
        corrected = taken.journal is not None
        check_free(place, overwrite=where.overwrite, corrected=corrected)
        if not where.mixed:
            refuse_mixture(where.folder, taken)
        yield Step(0, 3, "measuring")
        analysis = analysis_of(taken)
        yield Step(1, 3, "copying the edits")
        if taken.written is not None:
            taken.written.result()
        yield Step(2, 3, "writing the result")
        return write_result(where.folder, analysis, stem=taken.stem, overwrite=where.overwrite)
    finally:
        if taken.journal is not None:
            shutil.rmtree(taken.journal, ignore_errors=True)


def refuse_mixture(folder: Path, taken: Snapshot) -> None:
    """Keep results of other settings from standing beside this one unnoticed.

    Raises
    ------
    AlreadyExists
        If the folder has a recipe, and it is another one.
    """
    if taken.recipe is None or not (folder / "recipe.json").is_file():
        return
    known = Recipe.read(folder)
    if not known.works_like(taken.recipe):
        raise AlreadyExists(
            f"{folder} holds results of another model or other settings.",
            hint="Choose another folder, or save it there all the same.",
        )


def analysis_of(taken: Snapshot) -> Analysis:
    """Measure a snapshot; the numbers are those of the window."""
    from napari_defectseg.batch.analyse import record_of
    from napari_defectseg.measurement.populations import summarise
    from napari_defectseg.measurement.regions import measure_regions

    prediction, recipe = taken.prediction, taken.recipe
    table = measure_regions(
        taken.labels,
        image=taken.image,
        space=taken.space,
        scores=None if prediction is None else prediction.scores,
        settings=taken.measure,
    )
    thickness = taken.image.acquisition.thickness
    flat = table.calibration.ndim == 2 and table.calibration.calibrated
    known = taken.model is not None and recipe is not None
    model = record_of(taken.model, recipe) if known else None
    made = Analysis(
        taken.image,
        taken.labels,
        table,
        summarise(table, thickness=thickness if flat else None),
        recipe,
        model,
        journal=taken.journal,
        specimen=taken.specimen,
        audit=taken.audit,
        space=taken.space,
    )
    if prediction is None:
        return made
    engine = str(prediction.plan.get("engine", ""))
    return replace(
        made,
        engine=engine,
        plan=prediction.plan,
        seconds=prediction.seconds,
        warnings=tuple(prediction.warnings),
        disagreement=prediction.disagreement,
    )


def _predict_settings(prediction: Prediction | None) -> PredictSettings:
    """Return how it was predicted; what belongs to this run alone is left out."""
    if prediction is None:
        return PredictSettings()
    said = prediction.provenance.settings
    known = {field.name for field in fields(PredictSettings)} - {"scores_path", "region"}
    return PredictSettings(**{name: value for name, value in said.items() if name in known})
