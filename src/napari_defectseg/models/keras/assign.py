"""Which weights of a file belong to which layers of a network; nothing is matched loosely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.graphs.graph import Graph, Node
from napari_defectseg.models.graphs.operations import variables_of
from napari_defectseg.models.graphs.weights import tensors_of
from napari_defectseg.models.keras.stored import Shape, Stored, StoredLayer

if TYPE_CHECKING:
    import torch

Assignment: TypeAlias = "list[int]"

_KINDS = {
    "conv": "conv{}d",
    "depthwise": "depthwise_conv{}d",
    "separable": "separable_conv{}d",
    "transposed": "conv{}d_transpose",
    "batch_norm": "batch_normalization",
    "group_norm": "group_normalization",
    "layer_norm": "layer_normalization",
    "dense": "dense",
    "prelu": "p_re_lu",
}


def assigned(graph: Graph, stored: Stored, kinds: Mapping[str, str] | None = None) -> Assignment:
    """Return for each node with weights the number of its layer in the file.

    By name where the file has all names of the network, else by order (within each class of
    layers where the file has no other order), as Keras does; every shape is compared.

    Raises
    ------
    ModelError
        If layers are missing, left over, or of another shape; says which.
    """
    nodes = graph.weighted
    names = [node.name.split(":")[0] for node in nodes]
    place = {layer.name: i for i, layer in enumerate(stored.layers)}
    if stored.by_kind:
        order = _by_kind(graph, stored, kinds or {})
    elif len(place) == len(names) == len(set(names)) and set(names) == set(place):
        order = [place[name] for name in names]
    else:
        order = list(range(len(stored.layers)))
    _compare(graph, nodes, stored, order)
    return order


def kind_of(node: Node, dims: int) -> str:
    """Return the word of Keras for the class of a node with weights."""
    return _KINDS[node.op].format(dims)


def state_of(
    graph: Graph, stored: Stored, order: Assignment, *, reverse: bool = False
) -> dict[str, torch.Tensor]:
    """Return the tensors of the network, read from the file."""
    arrays = stored.read()
    state: dict[str, torch.Tensor] = {}
    for node, number in zip(graph.weighted, order, strict=True):
        state.update(tensors_of(graph, node, arrays[number], reverse=reverse))
    return state


def _by_kind(graph: Graph, stored: Stored, kinds: Mapping[str, str]) -> Assignment:
    of_file: dict[str, list[int]] = {}
    for number, layer in enumerate(stored.layers):
        of_file.setdefault(layer.kind, []).append(number)
    of_network = [kinds.get(node.name) or kind_of(node, graph.dims) for node in graph.weighted]
    counts = {kind: of_network.count(kind) for kind in of_network}
    for kind in sorted({*counts, *of_file}):
        seen, wanted = len(of_file.get(kind, ())), counts.get(kind, 0)
        if seen != wanted:
            raise ModelError(
                f"{stored.where} holds {seen} layers of the class {kind!r}; the network has "
                f"{wanted}."
            )
    waiting = {kind: iter(numbers) for kind, numbers in of_file.items()}
    return [next(waiting[kind]) for kind in of_network]


def _compare(graph: Graph, nodes: Sequence[Node], stored: Stored, order: Assignment) -> None:
    if len(order) != len(nodes):
        first = _first_difference(graph, nodes, stored.layers)
        raise ModelError(
            f"{stored.where} holds {len(order)} layers with weights; the network has "
            f"{len(nodes)}.{first}",
            hint="The description and the weights may belong to two different models.",
        )
    wrong = []
    for node, number in zip(nodes, order, strict=True):
        layer, wanted = stored.layers[number], variables_of(graph, node)
        if layer.shapes != tuple(shape for _, shape in wanted):
            shown = ", ".join(f"{name} {_words(shape)}" for name, shape in wanted)
            seen = ", ".join(_words(shape) for shape in layer.shapes)
            wrong.append(f"{layer.name} holds {seen} where the network needs {shown}")
    if wrong:
        more = f" (and {len(wrong) - 2} more)" if len(wrong) > 2 else ""
        raise ModelError(
            f"The weights of {stored.where} do not fit the network: {'; '.join(wrong[:2])}{more}.",
            hint="The description and the weights may belong to two different models.",
        )


def _first_difference(graph: Graph, nodes: Sequence[Node], layers: Sequence[StoredLayer]) -> str:
    for node, layer in zip(nodes, layers, strict=False):
        wanted = tuple(shape for _, shape in variables_of(graph, node))
        if layer.shapes != wanted:
            seen = ", ".join(_words(shape) for shape in layer.shapes)
            return (
                f" The first that differs is {layer.name} in the file ({seen}), where the network "
                f"has {node.name} ({', '.join(_words(shape) for shape in wanted)})."
            )
    return ""


def _words(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "one value"
