"""Weights in HDF5 files of Keras: the old tree of layers, and the numbered one of Keras 3."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.hdf5.node import Node, opened
from napari_defectseg.models.keras.hdf5 import (
    Array,
    Place,
    child,
    list_of,
    names_in,
    place_of,
    text_of,
    values_at,
)
from napari_defectseg.models.keras.stored import Stored, StoredLayer

Places: TypeAlias = "list[list[Place]]"

NUMBERED = ("layers", "_layer_checkpoint_dependencies")
_NUMBER = re.compile(r"(.*?)(?:_(\d+))?")


def weights_in(content: Path | bytes, where: str) -> Stored:
    """Return the weights of an HDF5 file, shapes alone; arrays are read when asked for.

    Parameters
    ----------
    content : Path or bytes
        A file, or one taken out of an archive.
    where : str
        For messages.

    Raises
    ------
    ModelError
        If it is damaged or holds no weights of Keras.
    """
    with opened(content, where) as root:
        base = "model_weights" if "model_weights" in root else ""
        tree = child(root, base, where) if base else root
        names = list_of(tree, "layer_names", where)
        if names is not None:
            layers, places = _named(tree, names, base, where)
        else:
            layers, places = _numbered(root, where)
    if not layers:
        raise ModelError(f"{where} holds no weights.")

    def read() -> Sequence[Sequence[Array]]:
        with opened(content, where) as root:
            return [[values_at(root, place, where) for place in one] for one in places]

    return Stored(where, tuple(layers), read, by_kind=names is None)


def configuration_in(path: Path, where: str) -> tuple[str, str]:
    """Return the description of the network and the version of Keras, empty if not stated."""
    with opened(path, where) as root:
        version = text_of(root, "keras_version")
        if not version and "model_weights" in root:
            version = text_of(child(root, "model_weights", where), "keras_version")
        return text_of(root, "model_config"), version


def is_keras(path: Path) -> bool:
    """Return whether an HDF5 file has the attributes or groups of Keras; false if damaged."""
    try:
        with opened(path, str(path)) as root:
            signs = ("layer_names", "layer_names0", "model_config")
            return any(sign in root.attributes for sign in signs) or any(
                n in root for n in NUMBERED
            )
    except ModelError:
        return False


def _named(tree: Node, names: list[str], base: str, where: str) -> tuple[list[StoredLayer], Places]:
    """Return the layers in the order of the file's list, as older Keras writes them."""
    layers, places = [], []
    for name in names:
        group = child(tree, name, where)
        weights = list_of(group, "weight_names", where) or []
        found = [
            place_of(child(group, w, where), f"{base}/{name}/{w}".lstrip("/"), where)
            for w in weights
        ]
        if found:
            layers.append(StoredLayer(name, tuple(place.shape for place in found)))
            places.append(found)
    return layers, places


def _numbered(root: Node, where: str) -> tuple[list[StoredLayer], Places]:
    """Return the layers under ``layers/<class>_<number>/vars``, by class and number."""
    base = next((name for name in NUMBERED if name in root), "")
    if not base:
        raise ModelError(f"{where} is an HDF5 file without weights of Keras.")
    group = child(root, base, where)
    layers, places = [], []
    for key in sorted(names_in(group), key=_by_number):
        inside = child(group, key, where)
        if "vars" not in inside:
            continue
        variables = child(inside, "vars", where)
        found = [
            place_of(child(variables, n, where), f"{base}/{key}/vars/{n}", where)
            for n in sorted(names_in(variables), key=_by_number)
        ]
        if found:
            kind = _by_number(key)[0]
            layers.append(StoredLayer(key, tuple(p.shape for p in found), kind))
            places.append(found)
    return layers, places


def _by_number(key: str) -> tuple[str, int]:
    """Return class and running number: ``conv2d_10`` comes after ``conv2d_2``."""
    if key.isdigit():
        return "", int(key[:9])
    found = _NUMBER.fullmatch(key)
    stem, number = (found[1], found[2]) if found else (key, None)
    return stem, int(number[:9]) if number else 0
