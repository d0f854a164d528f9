"""Whether the sizes and numbers in a graph make sense, before anything is built of it."""

from __future__ import annotations

from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.graphs.graph import WIDEST, Graph, Node
from napari_defectseg.models.graphs.operations import ACTIVATIONS, operation, variables_of

LARGEST_KERNEL = 127


def checked(graph: Graph) -> Graph:
    """Return the graph if sizes and numbers in it make sense.

    Raises
    ------
    ModelError
        If not; nothing large has been built before.
    """
    for node in graph.nodes:
        operation(node)
        try:
            _check(node, graph.dims)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(
                f"The layer {node.name!r} ({node.op}) has a setting that is missing or strange: "
                f"{error}."
            ) from error
        if node.shares and graph.by_name.get(node.shares, node).op != node.op:
            raise ModelError(f"{node.name!r} shares the weights of another kind of layer.")
    for node in graph.weighted:
        variables_of(graph, node)
    return graph


def _check(node: Node, dims: int) -> None:
    attrs = node.attrs
    for name, most in (("kernel", LARGEST_KERNEL), ("strides", 64), ("dilation", 64), ("size", 64)):
        if name in attrs:
            values = attrs[name]
            if len(values) != dims or not all(_whole(v) and 1 <= v <= most for v in values):
                raise ModelError(f"The layer {node.name!r} has {name} {values}.")
    for name in ("filters", "multiplier", "groups"):
        if name in attrs and not (_whole(attrs[name]) and 1 <= attrs[name] <= WIDEST):
            raise ModelError(f"The layer {node.name!r} has {name} {attrs[name]}.")
    if attrs.get("padding", "same") not in ("same", "valid"):
        raise ModelError(f"The layer {node.name!r} has padding {attrs['padding']!r}.")
    if node.op == "activation" and attrs["kind"] not in ACTIVATIONS:
        raise ModelError(f"The layer {node.name!r} has the activation {attrs['kind']!r}.")
    for pair in attrs.get("amounts", ()):
        if len(pair) != 2 or not all(_whole(v) and 0 <= v <= 4096 for v in pair):
            raise ModelError(f"The layer {node.name!r} pads by {pair}.")
    if "amounts" in attrs and len(attrs["amounts"]) != dims:
        raise ModelError(f"The layer {node.name!r} pads {len(attrs['amounts'])} axes.")
    for name in _NEEDED.get(node.op, ()):
        attrs[name]


_NEEDED: dict[str, tuple[str, ...]] = {
    "conv": ("filters", "kernel", "strides", "padding"),
    "depthwise": ("multiplier", "kernel", "strides", "padding"),
    "separable": ("filters", "multiplier", "kernel", "strides", "padding"),
    "transposed": ("filters", "kernel", "strides", "padding"),
    "dense": ("filters",),
    "batch_norm": ("eps", "scale", "center"),
    "group_norm": ("groups", "eps", "scale", "center"),
    "layer_norm": ("eps", "scale", "center"),
    "max_pool": ("kernel", "strides", "padding"),
    "average_pool": ("kernel", "strides", "padding"),
    "upsample": ("size", "mode"),
    "pad": ("amounts", "mode"),
    "crop": ("amounts",),
    "rescale": ("scale", "offset"),
}


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
