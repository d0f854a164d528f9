"""Programs of torch (TorchScript, torch.export): closed; their weights are read as data.

Loading such a file already runs what its author wrote, so it is never loaded. Where its weights
fit a network of ours, that network runs with them instead.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.exported import read_exported
from napari_defectseg.models.format import Match
from napari_defectseg.models.guess import guess_card
from napari_defectseg.models.inertfile import read_inert
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.package import DAMAGE, is_zip
from napari_defectseg.models.recognise import recognise as recognise_network
from napari_defectseg.models.states import State, find_state
from napari_defectseg.models.torchfile import SAVE_STATE, program_in

NOTE = "The file is {}; only its weights were read, nothing of it was run."


def recognise(path: Path) -> Match:
    """Say whether `path` is a program of torch."""
    program = _program(path)
    return Match(bool(program), "" if program else "it is no program of torch")


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return our own network with the program's weights.

    Raises
    ------
    ModelError
        If the weights fit no network of ours: then the program would have to be run.
    """
    program = _program(path)
    state = _state(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if card is None:
        if recognise_network(shapes) is None:
            raise ModelError(
                f"{path} is {program}, which would have to be run, and it stays closed. Its "
                f"weights ({len(shapes)} tensors) fit no network that this program builds.",
                hint=SAVE_STATE,
            )
        card = guess_card(shapes, str(path), notes=(NOTE.format(program),))
    return TorchModel(
        card,
        lambda: _state(path),
        path=str(path),
        format="program",
        sha256=sha256_of_file(path),
        files=(path.name,),
    )


def _program(path: Path) -> str:
    if not is_zip(path):
        return ""
    try:
        with zipfile.ZipFile(path) as archive:
            return program_in(archive.namelist())
    except DAMAGE:
        return ""


def _state(path: Path) -> State:
    exported = _program(path).endswith("torch.export")
    tree = read_exported(path) if exported else read_inert(path).tree
    if not isinstance(tree, dict) or not tree:
        return {}
    return find_state(tree, str(path), path.stat().st_size).state
