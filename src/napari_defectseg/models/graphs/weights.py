"""Weights in the order and shape of Keras, as the tensors of a graph's network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from napari_defectseg.models.graphs.graph import Graph, Node
from napari_defectseg.models.graphs.network import key_of
from napari_defectseg.models.graphs.operations import variables_of

if TYPE_CHECKING:
    import torch

Array: TypeAlias = np.ndarray[Any, Any]

_SUFFIXES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "alpha": "weight",
}


def tensors_of(
    graph: Graph, node: Node, arrays: Sequence[Array], *, reverse: bool = False
) -> dict[str, torch.Tensor]:
    """Return the tensors of a node under their names in the network.

    Parameters
    ----------
    graph : Graph
    node : Node
        With weights.
    arrays : sequence of ndarray
        In the order and shape of `variables_of`.
    reverse : bool
        Whether the file counts the spatial axes the other way round (x, y, z).
    """
    import torch

    found: dict[str, torch.Tensor] = {}
    for (name, _), array in zip(variables_of(graph, node), arrays, strict=True):
        suffix = _suffix(node.op, name)
        value = np.asarray(array, np.float32)
        if "kernel" in name:
            value = _kernel(node.op, name, value, graph.dims, reverse=reverse)
        elif name == "alpha":
            value = value.reshape(-1)
        found[f"layers.{key_of(node.name)}.{suffix}"] = torch.from_numpy(
            np.array(value, np.float32, order="C")
        )
    return {**_left_out(graph, node), **found}


def shapes_of(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Return name and shape of each learnt tensor of the network, without building it."""
    import torch

    from napari_defectseg.models.architecture import learnt
    from napari_defectseg.models.graphs.network import GraphNetwork

    with torch.device("meta"):
        state = GraphNetwork(graph).state_dict()
    return learnt({name: tuple(tensor.shape) for name, tensor in state.items()})


def _suffix(op: str, name: str) -> str:
    if op == "separable":
        part = "depthwise" if name == "depthwise_kernel" else "pointwise"
        return f"{part}.{'bias' if name == 'bias' else 'weight'}"
    suffix = _SUFFIXES.get(name.removeprefix("depthwise_"), "weight")
    return f"layer.{suffix}" if op == "transposed" else suffix


def _kernel(op: str, name: str, value: Array, dims: int, *, reverse: bool) -> Array:
    """Return a kernel with channels first; Keras has them last."""
    if op == "dense":
        return value.T.reshape(*value.T.shape, *(1,) * dims)
    space = list(range(dims))[:: -1 if reverse else 1]
    if name == "depthwise_kernel":  # (space, in, m) -> (in * m, 1, space)
        turned = value.transpose(dims, dims + 1, *space)
        return turned.reshape(-1, 1, *turned.shape[2:])
    # (space, in, out) -> (out, in, space); transposed ones hold (space, out, in) -> (in, out, …)
    return value.transpose(dims + 1, dims, *space)


def _left_out(graph: Graph, node: Node) -> dict[str, torch.Tensor]:
    """Return what a normalisation without scale or centre has in torch all the same."""
    import torch

    if node.op not in ("batch_norm", "group_norm", "layer_norm"):
        return {}
    count = graph.inputs_of(node)[0]
    key = f"layers.{key_of(node.name)}"
    return {f"{key}.weight": torch.ones(count), f"{key}.bias": torch.zeros(count)}
