"""An image that is larger than the memory: predicted, found and measured block by block."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from napari_defectseg.batch.measuring import foil_thickness, measure_settings
from napari_defectseg.core.atomic import not_saved
from napari_defectseg.core.errors import AlreadyExists, DefectSegError
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.provenance import Provenance, now
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.store import few_at_once, finish_store
from napari_defectseg.images.writer import Picture
from napari_defectseg.labels.stored import CLASS, Places, StoredLabels, find_stored_steps
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.stored import measure_stored_steps
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.results.analysis import Analysis
from napari_defectseg.results.folder import SCORES, scores_known
from napari_defectseg.results.recipe import Recipe

if TYPE_CHECKING:
    from napari_defectseg.inference.landing import Landed
    from napari_defectseg.inference.settings import PredictSettings
    from napari_defectseg.models.model import Model

T = TypeVar("T")
UNFINISHED = ".unfinished"
"""What the folder of a run that is not done ends with; it lies beside the result to be."""
SHARE = 4
"""Part of the memory in which objects are found."""


@dataclass(frozen=True)
class LandedRun:
    """What a run over an image that is larger than the memory is asked for.

    Parameters
    ----------
    place : Path
        The image's folder in the result.
    form : {"tiff", "nrrd", "zarr"}
        File format of mask and labels.
    scores : bool
        Whether the probabilities are kept.
    resume : bool
        Go on with a run that was stopped.
    overwrite : bool
        Whether one that was stopped may be begun anew.
    """

    place: Path
    form: str = "zarr"
    scores: bool = False
    resume: bool = False
    overwrite: bool = False

    @property
    def folder(self) -> Path:
        """Where the run keeps what it has done until it is done."""
        return self.place.with_name(self.place.name + UNFINISHED)

    def check_begun(self) -> bool:
        """Return whether there is a run to go on with.

        Raises
        ------
        AlreadyExists
            If one was stopped, and it is said neither to go on nor to begin anew.
        """
        if not self.folder.is_dir():
            return False
        from napari_defectseg.inference.landing import progress_of

        found = progress_of(self.folder)
        if found is None or (self.overwrite and not self.resume):
            return False
        if not self.resume:
            done, total = found
            raise AlreadyExists(
                f"A run into {self.place} was stopped after {done} of {total} tiles; what it found "
                f"is kept in {self.folder}.",
                hint="Go on with it (--resume), or begin anew (--overwrite).",
            )
        return True

    def tell_kept(self, error: DefectSegError) -> None:
        """Add to the hint of an error what of the run is kept."""
        from napari_defectseg.inference.landing import progress_of

        found = progress_of(self.folder)
        if found is not None and found[0] and "go on" not in error.hint.lower():
            kept = f"{found[0]} of {found[1]} tiles are kept; go on with them by --resume."
            error.hint = f"{error.hint} {kept}".strip()

    def finish(self) -> None:
        """Take away what was kept while it was not done, after the result is in its place."""
        shutil.rmtree(self.folder, ignore_errors=True)


def predicted_part(image: CalibratedImage, settings: PredictSettings) -> CalibratedImage:
    """Return what of an image is predicted: all of it, or the region that was asked for.

    Raises
    ------
    ImageError
        If it has no such region.
    """
    if not settings.region:
        return image
    from napari_defectseg.inference.region import Region

    return Region.parse(settings.region).part(image)


def goes_by_blocks(model: Model, image: CalibratedImage, predict: PredictSettings) -> bool:
    """Return whether the scores of an image are more than the memory that a run may take."""
    from napari_defectseg.inference.landing import too_large
    from napari_defectseg.models.several import SeveralModels

    one_way = not isinstance(model, SeveralModels) and predict.volume == "slices"
    return one_way and too_large(model, image, predict)


def land_analysis_steps(
    model: Model,
    image: CalibratedImage,
    recipe: Recipe,
    predict: PredictSettings,
    run: LandedRun,
) -> Steps[Analysis]:
    """Predict, find the objects, measure and summarise without ever holding the whole.

    Mask, labels and scores are written beside the result to be, see `LandedRun.folder`, and are
    the same as those of `analyse` with the same plan.

    Parameters
    ----------
    model : Model
    image : CalibratedImage
    recipe : Recipe
        Settled: with every threshold.
    predict : PredictSettings
    run : LandedRun

    Raises
    ------
    RecipeError
        If the run to go on with is one of something else.
    ImageError, ModelError, DeviceError, NotSaved
        As `predict` does; finished blocks stay.
    """
    from napari_defectseg.inference.memory import default_budget

    memory = predict.memory or default_budget()
    with few_at_once(memory):
        return (yield from _landed(model, image, recipe, predict, run, memory))


def _landed(
    model: Model,
    image: CalibratedImage,
    recipe: Recipe,
    predict: PredictSettings,
    run: LandedRun,
    memory: int,
) -> Steps[Analysis]:
    from napari_defectseg.inference.landing import LandSettings, land_steps

    resume = run.check_begun()
    yield Step(0, 0, "computing the image's checksum")
    sha256 = image.sha256()
    landing = LandSettings(recipe.decode, run.scores, resume, sha256)
    try:
        landed = yield from land_steps(model, image, predict, run.folder, landing)
    except DefectSegError as error:
        run.tell_kept(error)
        raise
    image = predicted_part(image, predict)
    try:
        labels, ready = yield from _objects(landed, image, recipe, run, memory)
        table = yield from _table(landed, labels, image, recipe, memory)
    except DefectSegError:
        raise
    except OSError as error:
        failed = not_saved(run.folder, error)
        failed.hint = "Free some space, then go on: finished blocks are kept."
        raise failed from error
    if run.scores:
        ready[SCORES] = _scores(landed, image, labels)
    thickness, notes = foil_thickness(image)
    warnings = (*landed.warnings, *measure_settings(image, recipe)[1], *notes)
    if landed.again:
        damage = f"{landed.again} tiles of the stopped run were damaged, and computed again."
        warnings = (*warnings, damage)
    return Analysis(
        image=image,
        labels=labels,
        table=table,
        summary=summarise(table, thickness=thickness),
        recipe=recipe,
        engine=str(landed.plan.get("engine", "")),
        plan={**landed.plan, "streamed": True},
        scores=landed.stores.scores if run.scores else None,
        warnings=warnings,
        image_sha256=sha256,
        ready=ready,
    )


def _objects(
    landed: Landed, image: CalibratedImage, recipe: Recipe, run: LandedRun, memory: int
) -> Steps[tuple[StoredLabels, dict[str, Path]]]:
    """Find the objects, and write mask and labels where they can be moved into the result."""
    from napari_defectseg.images.writers import omezarr
    from napari_defectseg.inference.allocator import give_back

    classes, axes = landed.job.model.card.classes, image.label_axes
    front = axes if classes.exclusive else (CLASS, *axes)
    shape = tuple(int(n) for n in landed.stores.mask.shape)
    colours = {item.value: item.colour for item in classes}
    pictures = {
        "labels": Picture(
            _Blank(shape, "int32"), front, image.calibration, "labels", discrete=True
        ),
        "mask": Picture(
            _Blank(shape, "uint8"), front, image.calibration, "mask", colours, discrete=True
        ),
    }
    folders = {role: run.folder / f"{role}.ome.zarr" for role in pictures}
    for folder in folders.values():
        shutil.rmtree(folder, ignore_errors=True)
    arrays = {role: omezarr.begin(folders[role], one) for role, one in pictures.items()}
    places = Places(landed.stores.mask, arrays["labels"], arrays["mask"], omezarr.order_of(front))
    labels = yield from lean(
        find_stored_steps(
            places,
            classes,
            axes,
            image.calibration,
            recipe.decode,
            memory=memory // SHARE,
            provenance=_provenance(landed, image),
        )
    )
    if run.form != "zarr":
        return labels, {}
    yield Step(0, 0, "making coarser levels")
    for role, picture in pictures.items():
        omezarr.finish(folders[role], picture, min(omezarr.LARGEST_PART, memory // SHARE))
    give_back()
    return labels, {folder.name: folder for folder in folders.values()}


def _table(
    landed: Landed, labels: StoredLabels, image: CalibratedImage, recipe: Recipe, memory: int
) -> Steps[RegionTable]:
    stores = landed.stores
    given = {"chosen": stores.own} if stores.scores is None else {"scores": stores.scores}
    return (
        yield from lean(
            measure_stored_steps(
                labels,
                memory=memory // 3,
                image=image,
                settings=measure_settings(image, recipe)[0],
                **given,
            )
        )
    )


def lean(steps: Steps[T]) -> Steps[T]:
    """Run steps; what they leave behind is given back to the system after each of them."""
    from napari_defectseg.inference.allocator import give_back

    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                found: T = end.value
                return found
            give_back()
            yield step


def _scores(landed: Landed, image: CalibratedImage, labels: StoredLabels) -> Path:
    store = landed.stores.scores
    store.attrs.put(scores_known(image, labels.axes, labels.classes))
    finish_store(store)
    return landed.stores.folder / SCORES


def _provenance(landed: Landed, image: CalibratedImage) -> Provenance:
    job = landed.job
    return Provenance(
        made_by="predict",
        inputs={image.origin.path or image.name: landed.image_sha256},
        model=job.model.card.name,
        model_sha256=job.model.sha256,
        settings={**job.settings.as_dict(), "plan": dict(landed.plan)},
        when=now(),
    )


class _Blank:
    """Shape and type of an array that is still to be written."""

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self.shape, self.dtype = shape, dtype
