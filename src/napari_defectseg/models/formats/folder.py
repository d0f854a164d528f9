"""Our own model folder: ``card.json`` beside ``weights.safetensors``."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.save import CARD, WEIGHTS
from napari_defectseg.models.weights import read_safetensors, shapes_in_safetensors


def recognise(path: Path) -> Match:
    """Say whether `path` is a folder with a card."""
    if not path.is_dir():
        return Match(False, "it is not a folder")
    if not (path / CARD).is_file():
        return Match(False, f"it has no {CARD}")
    return Match(True)


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return the model in a folder; weights are read when the network is first needed.

    Raises
    ------
    ModelError
        If the card or the weights are missing or broken.
    """
    weights = path / WEIGHTS
    card = card or ModelCard.read(path / CARD)
    if not weights.is_file():
        raise ModelError(f"{path} has a card but no {WEIGHTS}.")
    shapes_in_safetensors(weights)  # a truncated file is found now, not in the middle of a run
    return TorchModel(
        card,
        lambda: read_safetensors(weights),
        path=str(path),
        format="folder",
        sha256=sha256_of_file(weights),
        files=(CARD, WEIGHTS),
    )
