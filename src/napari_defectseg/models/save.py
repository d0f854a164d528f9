"""Write a model as a folder: ``card.json`` and ``weights.safetensors``."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.core.atomic import atomic_folder
from napari_defectseg.models.model import TorchModel

CARD = "card.json"
WEIGHTS = "weights.safetensors"


def save_model(model: TorchModel, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a model folder, whole or not at all.

    Parameters
    ----------
    model : TorchModel
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
    AlreadyExists
        If the folder exists and `overwrite` is false.
    NotSaved
        If it cannot be written.
    """
    from napari_defectseg.models.weights import write_safetensors

    path = Path(path)
    state = model.state_dict()
    with atomic_folder(path, overwrite=overwrite) as part:
        write_safetensors(state, part / WEIGHTS)
        model.card.write(part / CARD)
    return path
