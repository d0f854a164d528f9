"""A state dict, checkpoint or whole module of torch (.pt, .pth, .ckpt), read as data alone."""

from __future__ import annotations

from pathlib import Path

from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.guess import class_names_in, guess_card
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.states import State, find_state
from napari_defectseg.models.torchfile import SAVE_STATE, read_torch, why_not


def recognise(path: Path) -> Match:
    """Say whether `path` is a file of ``torch.save``; what is in it is not read."""
    reason = why_not(path)
    return Match(not reason, reason, SAVE_STATE if "would have to be run" in reason else "")


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return the model in a file; without a card one is guessed from its tensors.

    Raises
    ------
    ModelError
        If the file is damaged, would have to be run, holds no weights, or fits no network.
    """
    read = read_torch(path)
    found = find_state(read.tree, str(path), path.stat().st_size)
    if card is None:
        shapes = {name: tuple(tensor.shape) for name, tensor in found.state.items()}
        stated = class_names_in(read.tree)
        notes = (*found.notes, *read.notes)
        card = guess_card(
            shapes,
            f"{path}{read.title}",
            stated=stated,
            notes=notes,
            chain=read.chain,
            classes=read.classes,
        )
    return TorchModel(
        card,
        lambda: _state(path),
        path=str(path),
        format="state_dict",
        sha256=sha256_of_file(path),
        files=(path.name,),
    )


def _state(path: Path) -> State:
    return find_state(read_torch(path).tree, str(path), path.stat().st_size).state
