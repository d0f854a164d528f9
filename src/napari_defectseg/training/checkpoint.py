"""A training that was killed goes on: everything it needs, written after each round."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.errors import TrainingError
from napari_defectseg.training.plan import TrainingPlan
from napari_defectseg.training.progress import Progress

VERSION = 1


def identity(plan: TrainingPlan, dataset_sha256: str, parent_sha256: str) -> str:
    """Return what a checkpoint belongs to: plan, data and beginning."""
    words = json.dumps([plan.as_dict(), dataset_sha256, parent_sha256], sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()


def write(path: Path, belongs: str, state: dict[str, Any], epochs: list[Progress]) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : Path
    belongs : str
        See `identity`.
    state : dict
        Tensors and plain values.
    epochs : list of Progress
    """
    plain = [asdict(epoch) for epoch in epochs]
    document = {"version": VERSION, "belongs": belongs, "state": state, "epochs": plain}
    # Torch refuses names that begin with a dot; an open file has no name for it.
    with atomic_path(path) as part, part.open("wb") as file:
        torch.save(document, file)


def read(path: Path, belongs: str) -> tuple[dict[str, Any], list[Progress]] | None:
    """Return state and rounds of a checkpoint, None if there is none.

    Raises
    ------
    TrainingError
        If it is damaged, or belongs to another plan, dataset or beginning.
    """
    if not path.is_file():
        return None
    try:
        document = torch.load(path, map_location="cpu", weights_only=True)
        same = document["version"] == VERSION and document["belongs"] == belongs
        epochs = [Progress(**values) for values in document["epochs"]]
        state: dict[str, Any] = document["state"]
    except Exception as error:  # torch raises whatever the damaged bytes lead to
        raise TrainingError(
            f"{path} cannot be read: {error}.", hint="Remove it to begin anew."
        ) from error
    if not same:
        raise TrainingError(
            f"{path} belongs to a training with another plan, dataset or beginning.",
            hint="Use those, or remove it to begin anew.",
        )
    return state, epochs
