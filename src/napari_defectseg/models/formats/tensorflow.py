"""Checkpoints of TensorFlow 1 and 2, and SavedModels of Keras 2; read without TensorFlow."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import DefectSegError, ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.architectures.defectsegnet import about_defect
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.keras import defectsegnet
from napari_defectseg.models.keras.assign import state_of
from napari_defectseg.models.keras.card import card_of
from napari_defectseg.models.keras.checkpoint import Checkpoint, checkpoint_at, index_of
from napari_defectseg.models.keras.configuration import KerasNetwork, network_in, parsed
from napari_defectseg.models.keras.known import Found, by_graph, by_weights
from napari_defectseg.models.keras.objects import has_objects, objects_in
from napari_defectseg.models.keras.savedmodel import (
    DESCRIPTION,
    VARIABLES,
    folder_of,
    is_described,
    network_of,
)
from napari_defectseg.models.keras.stored import Stored
from napari_defectseg.models.model import TorchModel

CONVERT = (
    "Convert it to ONNX in an environment of its own, without opening it here: "
    "python -m napari_defectseg.models.convert_tensorflow {} model.onnx"
)
AS_DATA = "{} is a SavedModel: its layers and weights were read, its program was not run."
MOST_BESIDE = 20


def recognise(path: Path) -> Match:
    """Say whether `path` is a checkpoint, or a folder with one."""
    folder = folder_of(path)
    if folder is not None:
        if is_described(folder):
            return Match(True)
        return Match(
            False, "it is a SavedModel of TensorFlow, which is a program", CONVERT.format("FOLDER")
        )
    if index_of(path) is not None:
        return Match(True)
    what = "the folder holds no checkpoint" if path.is_dir() else "it is no index of a checkpoint"
    return Match(False, f"{what} of TensorFlow")


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return the model in a checkpoint.

    Raises
    ------
    ModelError
        If it is damaged, or its variables belong to no network that is known or described.
    """
    folder = folder_of(path)
    if folder is not None:
        return _saved_model(path, folder, card)
    index = index_of(path)
    if index is None:
        raise ModelError(f"{path} holds no checkpoint of TensorFlow.")
    if index.suffix != ".index":
        raise ModelError(
            f"{path} is a checkpoint in the first form of TensorFlow, as it was before 2017.",
            hint="Load it once with TensorFlow 1 and save it again (tf.train.Saver).",
        )
    checkpoint = checkpoint_at(index)
    if defectsegnet.FIRST in checkpoint.tensors:
        return _defectsegnet(path, checkpoint, card)
    if has_objects(checkpoint):
        return _keras(path, checkpoint, card)
    names = [n for n in checkpoint.tensors if not n.endswith(("/Adam", "/Adam_1", "_power"))]
    raise ModelError(
        f"{path} is a checkpoint of a network that this program does not build: {len(names)} "
        f"variables, first {', '.join(names[:4])}.",
        hint=CONVERT.format(f"{checkpoint.prefix.name}.meta"),
    )


def _saved_model(path: Path, folder: Path, card: ModelCard | None) -> TorchModel:
    network, checkpoint = network_of(folder), checkpoint_at(folder / VARIABLES)
    stored = objects_in(checkpoint)
    found = by_graph(network.graph, stored, network.kinds)
    card = card or card_of(
        found, str(folder), activation=network.activation, notes=(AS_DATA.format(folder.name),)
    )
    return _model(
        path,
        checkpoint,
        card,
        lambda: state_of(found.graph, stored, found.order, reverse=found.reverse),
        (folder / DESCRIPTION,),
    )


def _defectsegnet(path: Path, checkpoint: Checkpoint, card: ModelCard | None) -> TorchModel:
    net = defectsegnet.network_of(checkpoint)
    if card is None:
        found = Found(net.architecture, net.settings, net.graph, [])
        name = net.target or checkpoint.prefix.name
        outputs = net.graph.channels[net.graph.output]
        card = card_of(found, name, about=about_defect(net.target, net.segment, outputs=outputs))
    return _model(
        path,
        checkpoint,
        card,
        lambda: defectsegnet.state_of(checkpoint, net.graph),
        net.files,
    )


def _keras(path: Path, checkpoint: Checkpoint, card: ModelCard | None) -> TorchModel:
    stored = objects_in(checkpoint)
    found, network, files = _described(checkpoint, stored)
    activation = network.activation if network is not None else ""
    card = card or card_of(found, str(path), activation=activation)
    return _model(
        path,
        checkpoint,
        card,
        lambda: state_of(found.graph, stored, found.order, reverse=found.reverse),
        files,
    )


def _described(
    checkpoint: Checkpoint, stored: Stored
) -> tuple[Found, KerasNetwork | None, tuple[Path, ...]]:
    """Return the network by a description beside the checkpoint, else a known one."""
    folder, reasons = checkpoint.prefix.parent, []
    for other in sorted(folder.glob("*.json"))[:MOST_BESIDE]:
        try:
            text = other.read_bytes() if other.stat().st_size < 16 << 20 else b""
            network = network_in(parsed(text, str(other)), str(other))
            return by_graph(network.graph, stored, network.kinds), network, (other,)
        except DefectSegError as error:
            reasons.append(f"{other.name}: {error.sentence}")
    found = by_weights(stored)
    if found is None:
        more = f" Beside it: {reasons[0]}" if reasons else ""
        raise ModelError(
            f"{checkpoint.prefix} holds {len(stored.layers)} layers of a Keras model whose "
            f"network is not known.{more}",
            hint="Put the JSON of model.to_json() beside it.",
        )
    return found, None, ()


def _name(file: Path, path: Path) -> str:
    """Return how a file is called beside or below the path that was opened."""
    base = path if path.is_dir() else path.parent
    return file.relative_to(base).as_posix() if file.is_relative_to(base) else file.name


def _model(
    path: Path, checkpoint: Checkpoint, card: ModelCard, load: Any, more: tuple[Path, ...]
) -> TorchModel:
    files = (*checkpoint.files, *more)
    whole = hashlib.sha256("".join(sha256_of_file(file) for file in files).encode())
    return TorchModel(
        card,
        load,
        path=str(path),
        format="tensorflow",
        sha256=whole.hexdigest(),
        files=tuple(_name(file, path) for file in files),
    )
