"""Any network that a file of Keras describes with layers of the list.

Its layers are its settings, so it is never recognised by the names of tensors alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_defectseg.models.architecture import Shapes
from napari_defectseg.models.graphs.architecture import facts_of
from napari_defectseg.models.graphs.graph import Graph
from napari_defectseg.models.graphs.network import GraphNetwork


def build(settings: Mapping[str, Any]) -> GraphNetwork:
    """Return a new network.

    Raises
    ------
    ModelError
        If the settings are not the layers of a network.
    """
    return GraphNetwork(Graph.from_plain(settings))


def facts(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return dims, channels, grid, halo, parameters and the layers of the network."""
    graph = Graph.from_plain(settings)
    return {"settings": graph.as_plain(), **facts_of(graph)}


def recognise(shapes: Shapes) -> dict[str, Any] | None:
    """Return None: tensors alone do not say how the layers are connected."""
    return None


def nearest(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Return nothing: there is no network of this kind without its description."""
    return {}
