"""A bare safetensors file: tensors, and perhaps a word about its classes."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.card import ModelCard, card_in
from napari_defectseg.models.format import Match
from napari_defectseg.models.guess import class_names_in, guess_card
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.states import bare
from napari_defectseg.models.weights import (
    CARD_KEY,
    looks_like_safetensors,
    metadata_of_safetensors,
    read_safetensors,
    shapes_in_safetensors,
)


def recognise(path: Path) -> Match:
    """Say whether `path` is a safetensors file, whole or not."""
    if path.is_dir():
        return Match(False, "it is a folder")
    if path.stat().st_size == 0:
        return Match(False, "it is empty")
    if path.suffix.lower() != ".safetensors" and not looks_like_safetensors(path):
        return Match(False, "it does not begin like a safetensors file")
    return Match(True)


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return the model in a file; without a card one is guessed from its tensors.

    Raises
    ------
    ModelError
        If the file is damaged, or its tensors fit no network.
    """
    shapes = shapes_in_safetensors(path)
    if card is None:
        words = metadata_of_safetensors(path)
        kept = words.get(CARD_KEY)
        stated = class_names_in(words)
        card = card_in(kept, f"The card in {path}") if kept else None
        card = card or guess_card(bare(shapes)[0], str(path), stated=stated)
    return TorchModel(
        card,
        lambda: bare(read_safetensors(path))[0],
        path=str(path),
        format="safetensors",
        sha256=sha256_of_file(path),
        files=(path.name,),
    )
