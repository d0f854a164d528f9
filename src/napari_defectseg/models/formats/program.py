"""Programs of torch (TorchScript, torch.export): their weights as data, or run after trust.

Loading such a file already runs what its author wrote. Where its weights fit a network of ours,
that network runs with them instead; where a person trusts the file, a private copy of it runs
in a process of its own.
"""

from __future__ import annotations

import json
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.exported import input_sizes, read_exported
from napari_defectseg.models.format import Match
from napari_defectseg.models.guess import class_names_in, guess_card
from napari_defectseg.models.inertfile import read_inert
from napari_defectseg.models.model import Model, TorchModel
from napari_defectseg.models.package import DAMAGE, is_zip, zip_at
from napari_defectseg.models.programs import Told, trusted_model
from napari_defectseg.models.recognise import recognise as recognise_network
from napari_defectseg.models.states import State, find_state
from napari_defectseg.models.torchfile import program_in
from napari_defectseg.models.trust.consent import NotTrusted
from napari_defectseg.models.trust.examine import Examined, examine_program
from napari_defectseg.models.trust.record import trusted

NOTE = "The file is {}; only its weights were read, nothing of it was run."
LABELS = ("labels.txt", "labels.json", "classes.txt", "classes.json", "config.json")
LONGEST = 1 << 16


def recognise(path: Path) -> Match:
    """Say whether `path` is a program of torch."""
    program = _program(path)
    return Match(bool(program), "" if program else "it is no program of torch")


def open(path: Path, card: ModelCard | None) -> Model:  # noqa: A001 - the protocol's word
    """Return the program if it is trusted, else our own network with its weights.

    Raises
    ------
    NotTrusted
        If the weights fit no network of ours: then the program would have to be run.
    ModelError
        If it is damaged, or is not opened at all.
    """
    found = examine_program(path)
    if found is None:
        raise ModelError(f"{path} is no program of torch.")
    shapes = _shapes(_state_or_none(path, found))
    names = stated_names(path)
    record = trusted(found.sha256)
    if record is not None:
        sizes = input_sizes(path) if found.runtime == "torch_export" else ()
        told = Told(path, "program", shapes, names, sizes)
        return trusted_model(record, told, card)
    if card is None:
        if recognise_network(shapes) is None:
            raise NotTrusted(found, _why(shapes))
        card = guess_card(shapes, str(path), stated=names, notes=(NOTE.format(found.what),))
    return TorchModel(
        card,
        lambda: _state(path, found),
        path=str(path),
        format="program",
        sha256=found.sha256,
        files=(path.name,),
        trust="program",
    )


def weights_fit(path: Path) -> bool:
    """Return whether a program's weights fit a network of ours: then it need not be run."""
    found = examine_program(path)
    return bool(found and recognise_network(_shapes(_state_or_none(path, found))))


def stated_names(path: Path) -> tuple[str, ...]:
    """Return names of classes in the texts that TorchScript carries beside its code."""
    try:
        with zip_at(path) as archive:
            for member in archive.infolist():
                name = member.filename.split("/")
                labels = name[1:2] == ["extra"] and name[-1] in LABELS
                if labels and member.file_size <= LONGEST:
                    return _names(archive.read(member).decode("utf-8", "replace"))
    except (*DAMAGE, NotImplementedError):
        return ()
    return ()


def _names(text: str) -> tuple[str, ...]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        parts = [part.strip() for line in text.splitlines() for part in line.split(",")]
        return class_names_in({"labels": [part for part in parts if part]})
    return class_names_in(values if isinstance(values, dict) else {"labels": values})


def _why(shapes: dict[str, tuple[int, ...]]) -> str:
    if not shapes:
        return "Its weights cannot be taken out of it."
    return f"Its weights ({len(shapes)} tensors) fit no network that this program builds."


def _program(path: Path) -> str:
    if not is_zip(path):
        return ""
    try:
        with zip_at(path) as archive:
            return program_in(archive.namelist())
    except DAMAGE:
        return ""


def _shapes(state: State) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _state_or_none(path: Path, found: Examined) -> State:
    """Return the weights of a program, none where it stores them in a way of its own."""
    if found.runtime == "torch_export":
        try:
            return _state(path, found)
        except ModelError:
            return {}
    return _state(path, found)


def _state(path: Path, found: Examined) -> State:
    tree = read_exported(path) if found.runtime == "torch_export" else read_inert(path).tree
    if not isinstance(tree, dict) or not tree:
        return {}
    return find_state(tree, str(path), path.stat().st_size).state
