"""Known networks among the files of Keras: by their layers, or by the weights alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.graphs.architecture import GraphArchitecture, Kernels
from napari_defectseg.models.graphs.graph import Graph
from napari_defectseg.models.graphs.same import same_network
from napari_defectseg.models.keras.assign import Assignment, assigned
from napari_defectseg.models.keras.stored import Stored

GENERIC = "keras"
"""Name in the registry of the network that is any graph."""


@dataclass(frozen=True)
class Found:
    """A network and where its weights lie in a file.

    Parameters
    ----------
    architecture : str
    settings : dict
    graph : Graph
    order : list of int
        For each node with weights the number of its layer in the file.
    reverse : bool
        Whether the file counts the spatial axes the other way round.
    """

    architecture: str
    settings: dict[str, Any]
    graph: Graph
    order: Assignment
    reverse: bool = False


def by_graph(graph: Graph, stored: Stored, kinds: dict[str, str]) -> Found:
    """Return the network that a file describes, under the name of a known one if it is one.

    Raises
    ------
    ModelError
        If the weights do not fit the description.
    """
    order = assigned(graph, stored, kinds)
    place = {node.name: number for node, number in zip(graph.weighted, order, strict=True)}
    kernels = [
        shape for number in order for shape in stored.layers[number].shapes if len(shape) >= 4
    ]
    for name, known in _known():
        settings = known.from_kernels(kernels)
        own = known.graph(settings) if settings is not None else None
        paired = same_network(own, graph) if own is not None else None
        if own is not None and settings is not None and paired is not None:
            numbers = [place[paired[node.name]] for node in own.weighted]
            return Found(name, settings, own, numbers, known.reverse)
    return Found(GENERIC, graph.as_plain(), graph, order)


def by_weights(stored: Stored) -> Found | None:
    """Return the known network that has exactly these weights in this order, else None."""
    for name, known in _known():
        settings = known.from_kernels(_kernels(stored))
        if settings is None:
            continue
        graph = known.graph(settings)
        try:
            order = assigned(graph, stored)
        except ModelError:
            continue
        return Found(name, settings, graph, order, known.reverse)
    return None


def _known() -> Iterator[tuple[str, GraphArchitecture[Any]]]:
    for name, architecture in ARCHITECTURES.items():
        if isinstance(architecture, GraphArchitecture):
            yield name, architecture


def _kernels(stored: Stored) -> Kernels:
    """Return the shapes of all kernels, first and last one in their places."""
    layers = list(stored.layers)
    if stored.by_kind:  # classes come one after the other: plain convolutions hold both ends
        plain = [layer for layer in layers if layer.kind in ("conv2d", "conv3d")]
        others = [layer for layer in layers if layer.kind not in ("conv2d", "conv3d")]
        layers = plain[:1] + others + plain[1:]
    return [shape for layer in layers for shape in layer.shapes if len(shape) >= 4]
