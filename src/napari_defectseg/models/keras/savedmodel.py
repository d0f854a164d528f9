"""SavedModels of Keras 2: the description in ``keras_metadata.pb`` and the variables, as data.

The graph in ``saved_model.pb`` is a program of TensorFlow; it is neither read nor run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.keras.configuration import KerasNetwork, network_in, parsed
from napari_defectseg.models.keras.table import AGAIN
from napari_defectseg.models.protobuf import Damaged, fields

PROGRAM, DESCRIPTION = "saved_model.pb", "keras_metadata.pb"
VARIABLES = Path("variables") / "variables.index"
LARGEST = 64 << 20
ROOT = "root"
DEEPEST = 60


def folder_of(path: Path) -> Path | None:
    """Return the folder of the SavedModel that a path means, None if it means none."""
    folder = path.parent if path.is_file() and path.name in (PROGRAM, DESCRIPTION) else path
    return folder if folder.is_dir() and (folder / PROGRAM).is_file() else None


def is_described(folder: Path) -> bool:
    """Return whether a SavedModel says in data which layers it consists of."""
    return (folder / DESCRIPTION).is_file() and (folder / VARIABLES).is_file()


def network_of(folder: Path) -> KerasNetwork:
    """Return the network that a SavedModel describes.

    Raises
    ------
    ModelError
        If the description is damaged, is that of a class of the author's own, or holds layers
        that are not on the list.
    """
    path = folder / DESCRIPTION
    if path.stat().st_size > LARGEST:
        raise ModelError(f"{path} is {path.stat().st_size} bytes long, too long for a description.")
    try:
        text = _root(path.read_bytes())
    except Damaged as error:
        raise ModelError(f"{path} is damaged: {error}.", hint=AGAIN) from error
    values = _plain(parsed(text, str(path)), 0)
    kind = str(values.get("class_name", ""))
    if not isinstance(values.get("config"), dict) or "layers" not in values["config"]:
        raise ModelError(
            f"{path} describes a model of the class {kind[:60]!r}, which is the author's own: its "
            "layers are said in program code alone.",
            hint="Save its weights and the JSON of model.to_json(), or export it to ONNX.",
        )
    return network_in(values, str(path), str(values.get("keras_version") or "2"))


def _root(content: bytes) -> bytes:
    """Return the JSON of the outermost object: each node has number, path, kind and JSON."""
    for number, kind, node in fields(content):
        if number == 1 and kind == 2:
            inside = {n: value for n, k, value in fields(node) if k == 2}
            if inside.get(3) == ROOT.encode():
                text: bytes = inside.get(5, b"")
                return text
    raise Damaged("it has no outermost object")


def _plain(value: Any, depth: int) -> Any:
    """Return JSON values with lists where TensorFlow writes tuples."""
    if depth > DEEPEST:
        raise ModelError("The description of the network is too deep.")
    if isinstance(value, dict):
        if value.get("class_name") == "__tuple__" and isinstance(value.get("items"), list):
            value = value["items"]
        else:
            return {key: _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    return value
