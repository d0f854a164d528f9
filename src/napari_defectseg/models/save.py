"""Write a model as a folder: ``card.json`` and ``weights.safetensors``, or several such."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.core.atomic import atomic_folder
from napari_defectseg.models.model import Model, StateDict, torch_model

if TYPE_CHECKING:
    from napari_defectseg.models.several import SeveralModels

CARD = "card.json"
WEIGHTS = "weights.safetensors"
MEMBERS = "models"
"""Folder of the models that several models consist of."""


def save_model(model: Model, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a model folder, whole or not at all.

    Of several models each is written whole into a folder inside, so that the folder can be
    moved and sent.

    Parameters
    ----------
    model : Model
    path : str or Path
        The folder to make.
    overwrite : bool
        Replace what is there.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ModelError
        If its weights are not here, because it only runs.
    AlreadyExists
        If the folder exists and `overwrite` is false.
    NotSaved
        If it cannot be written.
    ModelError
        If its weights cannot be read.
    """
    from napari_defectseg.models.several import SeveralModels

    path = Path(path)
    if isinstance(model, SeveralModels):
        with atomic_folder(path, overwrite=overwrite) as part:
            _write_several(model, part)
        return path
    one = torch_model(model, "written as a model folder")
    state = one.state_dict()
    with atomic_folder(path, overwrite=overwrite) as part:
        _write_one(state, one, part)
    return path


def _write_one(state: StateDict, model: Model, part: Path) -> None:
    from napari_defectseg.models.weights import write_safetensors

    write_safetensors(state, part / WEIGHTS)
    model.card.write(part / CARD)


def _write_several(model: SeveralModels, part: Path) -> None:
    from napari_defectseg.core.provenance import sha256_of_file

    members = []
    for number, one in enumerate(model.models, start=1):
        word = re.sub(r"[^A-Za-z0-9]+", "-", one.card.name).strip("-")[:40] or "model"
        place = f"{MEMBERS}/{number}-{word}"
        folder = part / place
        folder.mkdir(parents=True)
        _write_one(torch_model(one).state_dict(), one, folder)
        members.append(
            {"name": one.card.name, "path": place, "sha256": sha256_of_file(folder / WEIGHTS)}
        )
    settings = {**model.card.architecture_settings, "members": members}
    kept = model.card.model_copy(update={"architecture_settings": settings})
    kept.write(part / CARD)
