"""Write a model as a folder: ``card.json`` and ``weights.safetensors``."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.core.atomic import atomic_folder
from napari_defectseg.models.arraymodel import OpenedModel, with_network

CARD = "card.json"
WEIGHTS = "weights.safetensors"


def save_model(model: OpenedModel, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a model folder, whole or not at all.

    Parameters
    ----------
    model : OpenedModel
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
    """
    from napari_defectseg.models.weights import write_safetensors

    path = Path(path)
    state = with_network(model, "written as a model folder").state_dict()
    with atomic_folder(path, overwrite=overwrite) as part:
        write_safetensors(state, part / WEIGHTS)
        model.card.write(part / CARD)
    return path
