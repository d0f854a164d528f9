"""Files of Keras: HDF5 (network and weights, or weights alone), ``.keras``, and JSON.

Read straight into a torch network; Keras and TensorFlow are not needed, and nothing that a
file may contain is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_defectseg.core.errors import DefectSegError, ModelError
from napari_defectseg.core.provenance import sha256_of_file
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.format import Match
from napari_defectseg.models.hdf5.node import AGAIN, opened
from napari_defectseg.models.hdf5.source import is_hdf5
from napari_defectseg.models.inside import STARDIST
from napari_defectseg.models.keras.archive import archive_in, looks_like_keras
from napari_defectseg.models.keras.assign import state_of
from napari_defectseg.models.keras.card import card_of
from napari_defectseg.models.keras.configuration import (
    KerasNetwork,
    network_in,
    parsed,
)
from napari_defectseg.models.keras.h5weights import configuration_in, is_keras, weights_in
from napari_defectseg.models.keras.known import Found, by_graph, by_weights
from napari_defectseg.models.keras.stored import Stored
from napari_defectseg.models.model import TorchModel

MOST_BESIDE = 50
LARGEST_JSON = 16 << 20
WEIGHT_SUFFIXES = (".h5", ".hdf5", ".keras")
WITH_NETWORK = "Put the JSON of model.to_json() beside it, or save the whole model: model.save()."


@dataclass(frozen=True)
class Contents:
    """What a file of Keras holds: a description, weights, or both."""

    network: KerasNetwork | None
    stored: Stored | None
    files: tuple[Path, ...]


def recognise(path: Path) -> Match:
    """Say whether `path` is a file of Keras, whole or not."""
    if path.is_dir():
        return Match(False, "it is a folder")
    if is_hdf5(path):
        if is_keras(path):
            return Match(True)
        if not _opens(path):
            return Match(False, "it is a damaged HDF5 file", AGAIN)
        return Match(False, "it is an HDF5 file without a network or weights of Keras")
    if looks_like_keras(path) or (path.suffix == ".keras" and path.stat().st_size):
        return Match(True)
    if _is_description(path):
        return Match(True)
    return Match(False, "it is neither HDF5 nor an archive or a description of Keras")


def open(path: Path, card: ModelCard | None) -> TorchModel:  # noqa: A001 - the protocol's word
    """Return the model in a file; without a card one is made from its layers.

    Raises
    ------
    ModelError
        If the file is damaged, holds layers that are not on the list, or weights that fit
        no network; says what was seen.
    """
    found, network, stored, files = _resolved(path)
    activation = network.activation if network is not None else ""
    notes = stored.notes
    card = card or card_of(found, str(path), activation=activation, notes=notes)
    return TorchModel(
        card,
        lambda: state_of(found.graph, stored, found.order, reverse=found.reverse),
        path=str(path),
        format="keras",
        sha256=sha256_of_file(path),
        files=tuple(file.name for file in files),
    )


def _resolved(path: Path) -> tuple[Found, KerasNetwork | None, Stored, tuple[Path, ...]]:
    """Return network and weights of a file, with what stands beside it where it needs that."""
    here = contents(path)
    if here.network is not None and here.stored is not None:
        found = by_graph(here.network.graph, here.stored, here.network.kinds)
        return found, here.network, here.stored, here.files
    if here.stored is not None:
        return _with_description(path, here.stored)
    assert here.network is not None
    return _with_weights(path, here.network)


def contents(path: Path) -> Contents:
    """Return the description and the weights in one file.

    Raises
    ------
    ModelError
        If it is damaged, or its layers are not on the list.
    """
    where = str(path)
    if is_hdf5(path):
        text, version = configuration_in(path, where)
        network = network_in(parsed(text, where), where, version) if text else None
        return Contents(network, weights_in(path, where), (path,))
    if _is_description(path):
        network = network_in(parsed(path.read_bytes(), where), where)
        return Contents(network, None, (path,))
    archive = archive_in(path)
    version = str(parsed(archive.metadata, where).get("keras_version", ""))
    network = network_in(parsed(archive.config, where), where, version)
    return Contents(network, weights_in(archive.weights, where), (path,))


def _with_description(
    path: Path, stored: Stored
) -> tuple[Found, KerasNetwork | None, Stored, tuple[Path, ...]]:
    reasons = []
    for other in _beside(path, (".json", ".keras")):
        try:
            network = contents(other).network
            if network is not None:
                found = by_graph(network.graph, stored, network.kinds)
                return found, network, stored, (path, other)
        except DefectSegError as error:
            reasons.append(f"{other.name}: {error.sentence}")
    found_alone = by_weights(stored)
    if found_alone is not None:
        return found_alone, None, stored, (path,)
    shapes = ", ".join(
        f"{layer.name} {'×'.join(map(str, layer.shapes[0]))}" for layer in stored.layers[:4]
    )
    more = f" Beside it: {reasons[0]}" if reasons else ""
    raise ModelError(
        f"{path} holds weights of Keras without the network they belong to, and they fit none "
        f"that this program knows: {len(stored.layers)} layers, first {shapes}, ….{more}",
        hint=STARDIST if {"prob", "dist"} <= {x.name for x in stored.layers} else WITH_NETWORK,
    )


def _with_weights(
    path: Path, network: KerasNetwork
) -> tuple[Found, KerasNetwork | None, Stored, tuple[Path, ...]]:
    fitting: list[tuple[Path, Found, Stored]] = []
    reasons = []
    for other in _beside(path, WEIGHT_SUFFIXES):
        try:
            stored = contents(other).stored
            if stored is not None:
                found = by_graph(network.graph, stored, network.kinds)
                fitting.append((other, found, stored))
        except DefectSegError as error:
            reasons.append(f"{other.name}: {error.sentence}")
    if not fitting:
        more = f" ({reasons[0]})" if reasons else ""
        raise ModelError(
            f"{path} describes a network, but no weights that fit it lie beside it{more}.",
            hint="Put the file of its weights (.h5) into the same folder.",
        )
    fitting.sort(key=lambda item: "weights" not in item[0].name)
    other, found, stored = fitting[0]
    return found, network, stored, (path, other)


def _beside(path: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Yield files in the same folder, those that begin like it first."""
    stem = path.name.split(".")[0].split("_")[0]
    others = [p for p in sorted(path.parent.iterdir()) if p != path and p.suffix in suffixes]
    others.sort(key=lambda p: not p.name.startswith(stem))
    yield from (p for p in others[:MOST_BESIDE] if p.is_file() and recognise(p).fits)


def _is_description(path: Path) -> bool:
    size = path.stat().st_size
    if path.suffix.lower() != ".json" or not 2 <= size <= LARGEST_JSON:
        return False
    with path.open("rb") as file:
        head = file.read(4096)
    return head.lstrip().startswith(b"{") and b'"class_name"' in head


def _opens(path: Path) -> bool:
    try:
        with opened(path, str(path)):
            return True
    except ModelError:
        return False
