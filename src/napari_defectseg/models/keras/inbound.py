"""How the layers of a Keras description are connected: each use of a layer with its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.errors import ModelError


@dataclass(frozen=True)
class Call:
    """One use of a layer.

    Parameters
    ----------
    name : str
        Of the layer; with ``"@1"`` behind it for its second use.
    layer_name : str
    layer : mapping
        Its description.
    inputs : tuple of str
        Names of calls.
    """

    name: str
    layer_name: str
    layer: Mapping[str, Any]
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A network as calls of layers.

    Parameters
    ----------
    dims, channels : int
        Of the image that goes in.
    input, output : str
        Names of calls.
    calls : tuple of Call
        In the order of the description, the input left out.
    """

    dims: int
    channels: int
    input: str
    output: str
    calls: tuple[Call, ...]


def calls_of(kind: str, config: Mapping[str, Any], where: str) -> Plan:
    """Return how the layers are connected.

    Raises
    ------
    ModelError
        If there are several inputs or outputs, or the input has no fixed number of channels.
    """
    layers = config["layers"]
    if kind == "Sequential":
        return _sequential(layers, where)
    source = _one(config["input_layers"], "inputs", where)
    output = _one(config["output_layers"], "outputs", where)
    first = next((layer for layer in layers if name_of(layer) == source), None)
    if first is None:
        raise ModelError(f"{where} names the input {source!r}, which is no layer of it.")
    dims, channels = _size(first, where)
    calls = [
        Call(_called(name_of(layer), number), name_of(layer), layer, inputs)
        for layer in layers
        if name_of(layer) != source
        for number, inputs in enumerate(_inputs(layer, where))
    ]
    return Plan(dims, channels, source, output, tuple(calls))


def name_of(layer: Mapping[str, Any]) -> str:
    """Return the name of a layer."""
    return str(layer["config"].get("name") or layer.get("name"))


def _sequential(layers: list[Any], where: str) -> Plan:
    if not layers:
        raise ModelError(f"{where} describes a network without layers.")
    dims, channels = _size(layers[0], where)
    before = "(image)"
    if layers[0]["class_name"] == "InputLayer":
        before, layers = name_of(layers[0]), layers[1:]
    source, calls = before, []
    for layer in layers:
        calls.append(Call(name_of(layer), name_of(layer), layer, (before,)))
        before = name_of(layer)
    return Plan(dims, channels, source, before, tuple(calls))


def _size(layer: Mapping[str, Any], where: str) -> tuple[int, int]:
    config = layer["config"]
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    if not isinstance(shape, list) or len(shape) not in (4, 5):
        raise ModelError(
            f"{where} takes an input of the shape {shape}; images and volumes with channels can "
            f"be used."
        )
    if not isinstance(shape[-1], int):
        raise ModelError(f"{where} does not say how many channels an image has.")
    return len(shape) - 2, shape[-1]


def _one(found: Any, what: str, where: str) -> str:
    """Return the single input or output of a network, as a call."""
    if isinstance(found, list) and found and isinstance(found[0], list):
        if len(found) > 1:
            names = ", ".join(str(item[0]) for item in found[:4])
            raise ModelError(
                f"{where} is a network with {len(found)} {what} ({names}); only networks with "
                f"one can be used.",
                hint="Save a model that ends at the one map that is wanted.",
            )
        found = found[0]
    return _called(str(found[0]), int(found[1]) if what == "outputs" else 0)


def _called(name: str, number: int) -> str:
    return f"{name}@{number}" if number else name


def _inputs(layer: Mapping[str, Any], where: str) -> Iterator[tuple[str, ...]]:
    """Yield the inputs of each use of a layer, in the words of Keras 2 or 3."""
    for use in layer.get("inbound_nodes") or ():
        if isinstance(use, Mapping):
            found = list(_tensors(use.get("args", ()), 0))
            found += list(_tensors(list((use.get("kwargs") or {}).values()), 0))
        else:
            items = use if use and isinstance(use[0], list) else [use]
            found = [_called(str(item[0]), int(item[1])) for item in items]
        if not found:
            raise ModelError(f"{where}: the layer {name_of(layer)!r} has no input.")
        yield tuple(found)


def _tensors(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            name, number, *_ = value["config"]["keras_history"]
            yield _called(str(name), int(number))
    elif isinstance(value, list | tuple) and depth < 8:
        for item in value:
            yield from _tensors(item, depth + 1)
