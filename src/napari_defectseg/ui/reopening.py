"""A result folder brought back into a session: image, model, labels, settings, tables."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.core.errors import DefectSegError, FileMissing
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.labels.history import History
from napari_defectseg.labels.restore import restore
from napari_defectseg.results.folder import copy_journal
from napari_defectseg.results.stored import StoredResult, read_result
from napari_defectseg.ui.keeper import journals_root
from napari_defectseg.ui.population import Measured

if TYPE_CHECKING:
    from napari_defectseg.models.model import Model
    from napari_defectseg.results.recipe import Recipe
    from napari_defectseg.ui.follow import Follower
    from napari_defectseg.ui.session import Session


@dataclass(frozen=True)
class Reopened:
    """What a result folder holds, ready to be shown.

    Parameters
    ----------
    folder : Path
    image : CalibratedImage
        The first image, or the one whose folder was chosen.
    history : History
        Of its labels; with every edit where it was corrected.
    space : ReferenceSpace or None
        What was counted; None: all of the image.
    recipe : Recipe or None
    model : Model or None
        None where nothing was predicted, or it cannot be opened: see `notes`.
    results : tuple of Measured
        The tables of all images.
    notes : tuple of str
        What could not be brought back.
    """

    folder: Path
    image: CalibratedImage
    history: History
    space: ReferenceSpace | None
    recipe: Recipe | None
    model: Model | None
    results: tuple[Measured, ...]
    notes: tuple[str, ...] = ()


def reopen_steps(folder: Path, current: CalibratedImage | None) -> Steps[Reopened]:
    """Read a result folder, or the folder of one image in it. Run it in a worker.

    Parameters
    ----------
    folder : Path
    current : CalibratedImage or None
        Taken if it is the image that the result was made of.

    Raises
    ------
    FileMissing, RecipeError
        If there is no result, or its image is gone or another one now.
    """
    yield Step(0, 4, "reading the result")
    recipe, stored = read_result(folder)
    results = tuple(measured for one in stored if (measured := _measured(one)) is not None)
    first = stored[0]
    yield Step(1, 4, "opening the image")
    image = image_of(first, current)
    yield Step(2, 4, "reading the objects")
    history, notes = history_of(first)
    yield Step(3, 4, "opening the model")
    model, note = _model_of(recipe)
    space = first.space()
    return Reopened(folder, image, history, space, recipe, model, results, (*notes, *note))


def take(session: Session, follower: Follower, found: Reopened) -> None:
    """Make what was read the session's."""
    if found.model is not None:
        session.model = found.model
    if found.recipe is not None:
        follower.set_settings(**vars(found.recipe.measure))
        session.acquisition = found.recipe.conditions
    session.results = found.results
    session.image = found.image
    session.take_labels(found.history.labelmap, found.history)
    session.space = found.space
    if found.recipe is not None:
        session.decode = found.recipe.decode
    session.recipe = found.recipe


def image_of(stored: StoredResult, current: CalibratedImage | None) -> CalibratedImage:
    """Return the image of a result: the current one if it is that, else its file.

    Raises
    ------
    FileMissing, RecipeError
        If it is gone, or another one now.
    """
    known = stored.summary["image"]
    same = current is not None and list(current.shape) == known["shape"]
    if current is not None and same and current.sha256() == known["sha256"]:
        return current.with_calibration(stored.calibration)
    try:
        return replace(stored.image(), name=known["name"])
    except FileMissing as error:
        raise FileMissing(
            f"{error.sentence.rstrip('.')}, so the result cannot be shown on it.",
            hint="Open the image first, then the result.",
        ) from error


def history_of(stored: StoredResult) -> tuple[History, tuple[str, ...]]:
    """Return the labels of a result with their history, which goes on in a journal of its own.

    The result's own journal is only read.
    """
    if stored.journal is None:
        return History(stored.labels()), ()
    place = _new_folder(stored)
    try:
        place.mkdir(parents=True)
        copy_journal(stored.journal, place)
        history, sentence = restore(place)
    except (OSError, DefectSegError) as error:
        shutil.rmtree(place, ignore_errors=True)
        return History(stored.labels()), (f"Undo begins anew: {error}",)
    return history, () if "nothing is missing" in sentence else (sentence,)


def _new_folder(stored: StoredResult) -> Path:
    base = journals_root() / f"{stored.summary['image']['sha256'][:16]}-result"
    number = 1
    while (place := base.with_name(f"{base.name}-{number}")).exists():
        number += 1
    return place


def _measured(stored: StoredResult) -> Measured | None:
    try:
        table = stored.table()
    except DefectSegError:
        return None
    name = str(stored.summary["image"]["name"])
    return Measured(name, stored.entry.specimen, table, stored=stored)


def _model_of(recipe: Recipe | None) -> tuple[Model | None, tuple[str, ...]]:
    from napari_defectseg.batch.analyse import open_recipe_model

    if recipe is None:
        return None, ()
    try:
        return open_recipe_model(recipe), ()
    except DefectSegError as error:
        return None, (f"The model could not be opened: {error}",)
