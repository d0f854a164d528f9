"""Small files in the formats of Keras and TensorFlow, written without either."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from napari_defectseg.models.graphs.graph import Graph
from napari_defectseg.models.graphs.operations import variables_of
from napari_defectseg.models.keras.assign import kind_of
from napari_defectseg.models.keras.checksum import masked_crc
from napari_defectseg.models.keras.configuration import network_in
from napari_defectseg.models.keras.defectsegnet import names_of

Arrays = list[list[np.ndarray]]


def seeded(graph: Graph, seed: int = 0) -> Arrays:
    """Return weights in the shapes of Keras: kernels around 0, variances above it."""
    rng = np.random.default_rng(seed)
    found: Arrays = []
    for node in graph.weighted:
        values = []
        for name, shape in variables_of(graph, node):
            array = rng.normal(0, 0.4, shape).astype(np.float32)
            values.append(np.abs(array) + 0.5 if name in ("gamma", "moving_variance") else array)
        found.append(values)
    return found


def layer(kind: str, name: str, before: str | list[str] = "", **config: Any) -> dict[str, Any]:
    """Return the description of one layer, in the words of Keras 2."""
    names = [before] if isinstance(before, str) else before
    nodes = [[[n, 0, 0, {}] for n in names]] if before else []
    return {
        "class_name": kind,
        "name": name,
        "config": {"name": name, **config},
        "inbound_nodes": nodes,
    }


def functional(layers: list[dict[str, Any]], dims: int = 2, channels: int = 1) -> dict[str, Any]:
    """Return the description of a network; the first layer gets the input ``"image"``."""
    shape = [None] * (dims + 1) + [channels]
    first = layer("InputLayer", "image", batch_input_shape=shape)
    return {
        "class_name": "Functional",
        "config": {
            "name": "small",
            "layers": [first, *layers],
            "input_layers": [["image", 0, 0]],
            "output_layers": [[layers[-1]["config"]["name"], 0, 0]],
        },
    }


def small_config() -> dict[str, Any]:
    """Return a network of two convolutions with one pooling between."""
    size = {"kernel_size": [3, 3], "padding": "same"}
    return functional(
        [
            layer("Conv2D", "first", "image", filters=4, activation="relu", **size),
            layer("MaxPooling2D", "pool", "first", pool_size=[2, 2]),
            layer("Conv2D", "second", "pool", filters=3, **size),
            layer("UpSampling2D", "up", "second", size=[2, 2]),
            layer("Concatenate", "join", ["up", "first"], axis=-1),
            layer("Conv2D", "last", "join", filters=3, kernel_size=[1, 1], activation="softmax"),
        ]
    )


def write_h5(
    graph: Graph, arrays: Arrays, path: Path, config: Mapping[str, Any] | None = None
) -> Path:
    """Write an HDF5 file as Keras 2 does: weights alone, or with the network."""
    with h5py.File(path, "w") as file:
        group = file
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
            file.attrs["keras_version"] = "2.15.0"
            group = file.create_group("model_weights")
        names = [node.name.split(":")[0] for node in graph.weighted]
        group.attrs["layer_names"] = names
        for name, node, values in zip(names, graph.weighted, arrays, strict=True):
            inside = group.create_group(name)
            weights = [f"{name}/{n}:0" for n, _ in variables_of(graph, node)]
            inside.attrs["weight_names"] = weights
            for weight, value in zip(weights, values, strict=True):
                inside.create_dataset(weight, data=value)
    return path


def write_keras(path: Path, config: Mapping[str, Any] | None = None) -> Path:
    """Write an archive as Keras 3 does, of the small network."""
    config = config or small_config()
    graph = network_in(config, "test").graph
    inner = path.with_suffix(".inner")
    counts: dict[str, int] = {}
    with h5py.File(inner, "w") as file:
        for node, values in zip(graph.weighted, seeded(graph), strict=True):
            kind = kind_of(node, graph.dims)
            number = counts[kind] = counts.get(kind, -1) + 1
            group = file.create_group(f"layers/{kind}{f'_{number}' if number else ''}/vars")
            for i, value in enumerate(values):
                group.create_dataset(str(i), data=value)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.8.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.write(inner, "model.weights.h5")
    inner.unlink()
    return path


def write_defectsegnet(graph: Graph, folder: Path) -> Path:
    """Write a checkpoint as TensorFlow 1 does, with slots of an optimiser beside the weights."""
    named = {
        name: value
        for node, values in zip(graph.weighted, seeded(graph), strict=True)
        for name, value in zip(names_of(node), values, strict=True)
    }
    named["beta1_power"] = np.float32(0.9)
    named["variable_scope1/conv2d/kernel/Adam"] = named["variable_scope1/conv2d/kernel"]
    place = folder / "checkpoint_folder"
    place.mkdir()
    write_bundle(named, place / "net.ckpt")
    (place / "checkpoint").write_text('model_checkpoint_path: "/somewhere/else/net.ckpt"\n')
    return place


def write_saved_model(
    graph: Graph, arrays: Arrays, folder: Path, config: Mapping[str, Any]
) -> Path:
    """Write a SavedModel as Keras 2 does, without the graph in it."""
    (folder / "variables").mkdir(parents=True)
    named = {
        f"layer_with_weights-{number}/{name}/.ATTRIBUTES/VARIABLE_VALUE": value
        for number, (node, values) in enumerate(zip(graph.weighted, arrays, strict=True))
        for (name, _), value in zip(variables_of(graph, node), values, strict=True)
    }
    write_bundle(named, folder / "variables" / "variables")
    text = json.dumps({"name": "small", **config}).encode()
    node = _field(3, b"root") + _field(5, text)
    (folder / "keras_metadata.pb").write_bytes(_field(1, node))
    (folder / "saved_model.pb").write_bytes(b"\x08\x01")
    return folder


def write_bundle(named: Mapping[str, Any], prefix: Path) -> None:
    """Write a checkpoint of one part."""
    entries = [(b"", b"\x08\x01\x1a\x02\x08\x01")]
    data = b""
    for name, value in sorted(named.items()):
        array = np.asarray(value, np.float32)
        raw = array.tobytes()
        sizes = b"".join(_field(2, b"\x08" + _varint(n)) for n in array.shape)
        place = b"\x20" + _varint(len(data)) + b"\x28" + _varint(len(raw))
        check = b"\x35" + struct.pack("<I", masked_crc(raw))
        entries.append((name.encode(), b"\x08\x01" + _field(2, sizes) + place + check))
        data += raw
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)
    blocks = _block(entries)
    meta_at = len(blocks)
    whole = blocks + _block([])
    index_at = len(whole)
    handle = _varint(0) + _varint(meta_at - 5)
    whole += _block([(b"zzz", handle)])
    footer = _varint(meta_at) + _varint(index_at - meta_at - 5)
    footer += _varint(index_at) + _varint(len(whole) - index_at - 5)
    magic = struct.pack("<Q", 0xDB4775248B80FB57)
    Path(f"{prefix}.index").write_bytes(whole + footer.ljust(40, b"\0") + magic)


def _block(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    out = b"".join(
        _varint(0) + _varint(len(key)) + _varint(len(value)) + key + value for key, value in entries
    )
    out += struct.pack("<II", 0, 1)
    return out + b"\0" + struct.pack("<I", masked_crc(out + b"\0"))


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(n: int) -> bytes:
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])
