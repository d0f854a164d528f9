"""The weights in a file of ``torch.export`` (.pt2), read as data; the program stays closed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.inert_values import Storage, StoredTensor, StrangePickle
from napari_defectseg.models.inertfile import KINDS, Reading
from napari_defectseg.models.package import DAMAGE, zip_at

if TYPE_CHECKING:
    import torch

CONFIG = "data/weights/model_weights_config.json"
MODEL = "models/model.json"
LONGEST = 16 << 20
LARGEST_SIDE = 1 << 16
NUMBERS = {1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16"}
NUMBERS |= {7: "float32", 8: "float64", 12: "bool", 13: "bfloat16"}
_STORAGES = {dtype: kind for kind, dtype in KINDS.items() if kind != "UntypedStorage"}


def read_exported(path: Path) -> dict[str, torch.Tensor]:
    """Return the weights by name; empty where they are not stored as plain numbers.

    Raises
    ------
    ModelError
        If the file is damaged, or claims more than it holds.
    """
    try:
        with zip_at(path) as archive:
            return _weights(archive)
    except (*DAMAGE, LookupError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as weights: {error}.",
            hint="If it was cut off while it was copied, fetch it again.",
        ) from error


def input_sizes(path: Path) -> tuple[int | None, ...]:
    """Return the lengths of the first input, None for a free one; empty if they are not told."""
    try:
        with zip_at(path) as archive:
            name = next(n for n in archive.namelist() if n.endswith(MODEL))
            if archive.getinfo(name).file_size > LONGEST:
                return ()
            module = json.loads(archive.read(name))["graph_module"]
        inputs = [s["user_input"]["arg"] for s in module["signature"]["input_specs"]
                  if "user_input" in s]  # fmt: skip
        tensor = module["graph"]["tensor_values"][inputs[0]["as_tensor"]["name"]]
        sizes = [size.get("as_int") for size in tensor["sizes"]]
    except (*DAMAGE, StopIteration, LookupError, TypeError, AttributeError, RecursionError):
        return ()
    plain = all(n is None or (type(n) is int and 0 < n <= LARGEST_SIDE) for n in sizes)
    return tuple(sizes) if plain else ()


def _weights(archive: zipfile.ZipFile) -> dict[str, torch.Tensor]:
    members = {m.filename: m for m in archive.infolist()}
    name = next((n for n in members if n.endswith(CONFIG)), "")
    if not name or members[name].file_size > LONGEST:
        return {}
    table: Any = json.loads(archive.read(name))
    table = table.get("config", table)
    folder = name.removesuffix("model_weights_config.json")

    def raw(storage: Storage, size: int) -> bytes:
        member = members.get(folder + storage.key)
        plain = member is not None and member.compress_type == zipfile.ZIP_STORED
        if member is None or not plain or member.file_size < size:
            raise StrangePickle(f"{storage.key} is shorter than it says")
        return archive.read(member)

    reading = Reading(raw)
    return {
        str(key): reading.tensor(_stored(entry))
        for key, entry in table.items()
        if entry.get("use_pickle") is False
    }


def _stored(entry: Mapping[str, Any]) -> StoredTensor:
    meta, key = entry["tensor_meta"], entry["path_name"]
    dtype = NUMBERS.get(meta["dtype"], "")
    sizes = tuple(int(n["as_int"]) for n in meta["sizes"])
    strides = tuple(int(n["as_int"]) for n in meta["strides"])
    offset = int(meta["storage_offset"]["as_int"])
    if not dtype or len(sizes) != len(strides) or min(*sizes, *strides, offset, 0) < 0:
        raise StrangePickle(f"{key} has numbers that make no sense")
    return StoredTensor(Storage(_STORAGES[dtype], str(key), 0), offset, sizes, strides)
