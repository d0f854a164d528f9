"""The description of a network that Keras writes, as a graph; an allow-list of layers.

Functional and Sequential networks of convolutional layers, as Keras 2 and Keras 3 write them.
Nothing in the description is run: layers that hold code (Lambda) or that belong to other
packages are refused by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.graphs.checks import checked
from napari_defectseg.models.graphs.graph import INPUT, MOST_NODES, Graph, Node
from napari_defectseg.models.keras.inbound import Call, calls_of
from napari_defectseg.models.keras.layers import Context, Translated, check_origin, translate

LONGEST = 8 << 20
_BRACKETS = re.compile(r"[\[\]{}]")
DEEPEST = 100
_STRANGE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What values of another type or size make Python raise."""
NETWORKS = ("Functional", "Model", "Sequential")
EXPORT = "Export the model to ONNX in the program that made it, and open that file."


@dataclass(frozen=True)
class KerasNetwork:
    """What a description says.

    Parameters
    ----------
    graph : Graph
        Ends at its logits: the last softmax or sigmoid is taken off.
    activation : str
        What was taken off: ``"softmax"``, ``"sigmoid"`` or ``"none"``.
    kinds : dict of str to str
        Node with weights to the word of Keras for its class, ``"conv2d"``.
    name : str
    notes : tuple of str
    """

    graph: Graph
    activation: str
    kinds: dict[str, str]
    name: str = ""
    notes: tuple[str, ...] = ()


def parsed(text: str | bytes, where: str) -> dict[str, Any]:
    """Return the JSON object in a text; long or deeply nested ones are refused.

    Raises
    ------
    ModelError
        If it is not one.
    """
    if len(text) > LONGEST or _depth(text) > DEEPEST:
        raise ModelError(f"{where} describes its network in a text that is too long or too deep.")
    try:
        values = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ModelError(f"The description of the network in {where} is not JSON.") from error
    if not isinstance(values, dict):
        raise ModelError(f"The description of the network in {where} is no JSON object.")
    return values


def _depth(text: str | bytes) -> int:
    """Return how many brackets are open at once, at most; those in texts count too."""
    plain = text if isinstance(text, str) else text.decode("utf-8", "replace")
    depth = deepest = 0
    for found in _BRACKETS.finditer(plain):
        depth += 1 if found[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def network_in(values: Mapping[str, Any], where: str, version: str = "") -> KerasNetwork:
    """Return the network that a description of Keras states.

    Parameters
    ----------
    values : mapping
        ``model_config`` of an HDF5 file, ``config.json`` of a ``.keras`` file, or the JSON of
        ``model.to_json()``.
    where : str
        The file, for messages.
    version : str
        Of Keras; numbers of some activations depend on it.

    Raises
    ------
    ModelError
        If it holds layers that are not on the list, code, several inputs or outputs, or is
        damaged.
    """
    if "class_name" not in values and "layers" in values:  # model.get_config() alone
        kind = "Functional" if "input_layers" in values else "Sequential"
        values = {"class_name": kind, "config": values}
    if values.get("class_name") not in NETWORKS:
        raise ModelError(
            f"{where} describes a network of the class {str(values.get('class_name'))[:60]!r}; "
            f"Functional and Sequential ones can be built.",
            hint=EXPORT,
        )
    version = str(values.get("keras_version") or version)
    try:
        return _network(values["class_name"], values["config"], where, version)
    except _STRANGE as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"The description of the network in {where} has something missing or strange: "
            f"{type(error).__name__} {str(error)[:80]}.",
            hint=EXPORT,
        ) from error


def _network(kind: str, config: Any, where: str, version: str) -> KerasNetwork:
    if isinstance(config, list):  # Sequential of Keras before 2.2.3
        config = {"layers": config}
    layers = config["layers"]
    if len(layers) > MOST_NODES:
        raise ModelError(f"{where} describes {len(layers)} layers, more than {MOST_NODES}.")
    for layer in layers:
        check_origin(layer, where)
    plan = calls_of(kind, config, where)
    context = Context(where, plan.dims, version)
    nodes: list[Node] = []
    kinds: dict[str, str] = {}
    alias = {plan.input: INPUT}
    firsts: dict[str, str] = {}
    for call in plan.calls:
        made = translate(call.layer, context)
        _append(nodes, kinds, alias, firsts, call, made)
    nodes = [replace(n, inputs=tuple(_bare(i, alias) for i in n.inputs)) for n in nodes]
    output = _bare(plan.output, alias)
    return _ended(plan, nodes, output, kinds, str(config.get("name", "")))


def _bare(name: str, alias: Mapping[str, str]) -> str:
    """Return the node behind layers that do nothing."""
    seen: set[str] = set()
    while name in alias and name not in seen:
        seen.add(name)
        name = alias[name]
    return name


def _append(
    nodes: list[Node],
    kinds: dict[str, str],
    alias: dict[str, str],
    firsts: dict[str, str],
    call: Call,
    made: list[Translated],
) -> None:
    """Add the nodes of one use of a layer; layers that do nothing are another name."""
    inputs = call.inputs
    if not made:
        alias[call.name] = inputs[0]
        return
    for position, part in enumerate(made):
        name = call.name if position == len(made) - 1 else f"{call.name}:{position}"
        place = f"{call.layer_name}:{position}"
        shares = firsts.get(place, "") if part.kind else ""
        nodes.append(Node(name, part.op, inputs, part.attrs, shares))
        if part.kind and not shares:
            firsts[place] = name
            kinds[name] = part.kind
        inputs = (name,)


def _ended(
    plan: Any, nodes: list[Node], output: str, kinds: dict[str, str], name: str
) -> KerasNetwork:
    alias_free = {node.name: node for node in nodes}
    last = alias_free.get(output)
    activation = "none"
    if (
        last is not None
        and last.op == "activation"
        and last.attrs["kind"] in ("softmax", "sigmoid")
    ):
        activation, output = last.attrs["kind"], last.inputs[0]
    graph = checked(Graph(plan.dims, plan.channels, tuple(nodes), output))
    return KerasNetwork(graph, activation, kinds, name)
