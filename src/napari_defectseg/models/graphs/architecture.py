"""`GraphArchitecture`: a known network that is written as a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import Published, Shapes, learnt
from napari_defectseg.models.graphs.field import grid_of, halo_of
from napari_defectseg.models.graphs.graph import Graph
from napari_defectseg.models.graphs.operations import variables_of

if TYPE_CHECKING:
    import torch

S = TypeVar("S")
Kernels = list[tuple[int, ...]]
"""Shapes of the kernels in the order of a file of Keras, channels last."""
Fields = dict[str, Any]


@dataclass(frozen=True)
class GraphArchitecture(Generic[S]):
    """One kind of network: how it is built, recognised, and what it means.

    Parameters
    ----------
    settings : type
        Frozen dataclass of what it is built from; checks itself.
    graph_of : callable
        Settings to graph, its nodes in the order of the published files.
    read : callable
        Shapes of the kernels in file order to settings, None if it is another network; may
        claim too much, for all shapes are compared afterwards.
    about : callable
        Settings to what the authors say about the network.
    reverse : bool
        Whether the published files count the spatial axes as x, y, z.
    """

    settings: Callable[..., S]
    graph_of: Callable[[S], Graph]
    read: Callable[[Kernels], dict[str, Any] | None]
    about: Callable[[S], Published]
    reverse: bool = False

    def build(self, settings: Mapping[str, Any]) -> torch.nn.Module:
        """Return a new network.

        Raises
        ------
        ModelError
            If a setting is unknown or makes no sense.
        """
        from napari_defectseg.models.graphs.network import GraphNetwork

        return GraphNetwork(self.graph(settings))

    def graph(self, settings: Mapping[str, Any]) -> Graph:
        """Return the layers of the network with these settings."""
        return self.graph_of(self.known(settings))

    def known(self, settings: Mapping[str, Any]) -> S:
        """Return the settings, complete and checked."""
        try:
            return self.settings(**settings)
        except TypeError as error:
            raise ModelError(f"These are not the settings of the network: {error}.") from error

    def facts(self, settings: Mapping[str, Any]) -> Fields:
        """Return dims, channels, grid, halo, parameters and all settings of the network."""
        known = self.known(settings)
        return {"settings": plain(known), **facts_of(self.graph_of(known))}

    def recognise(self, shapes: Shapes) -> dict[str, Any] | None:
        """Return the settings of the network with exactly these tensors, None if another."""
        found = self._read(shapes)
        if found is None or _tensors(self.graph(found)) != learnt(shapes):
            return None
        return plain(self.known(found))

    def nearest(self, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """Return the learnt tensors of the network of this kind that comes nearest."""
        return _tensors(self.graph(self._read(shapes) or {}))

    def from_kernels(self, kernels: Kernels) -> dict[str, Any] | None:
        """Return the settings that the kernels of a file of Keras say, in its order.

        They may claim too much: every weight is compared afterwards.
        """
        found = self._settings(kernels)
        return None if found is None else plain(self.known(found))

    def published(self, settings: Mapping[str, Any]) -> Published:
        """Return what the authors say about the network."""
        return self.about(self.known(settings))

    def _read(self, shapes: Shapes) -> dict[str, Any] | None:
        """Read the settings off tensors under the names of our own network."""
        place = {name: i for i, name in enumerate(_kernel_names(self.graph({})))}
        found = [name for name, shape in shapes.items() if name in place or len(shape) >= 4]
        # Names that only a deeper network has lie somewhere before the last one, the head.
        found.sort(key=lambda name: place.get(name, len(place) - 1.5))
        return self._settings([_as_keras(shapes[name]) for name in found])

    def _settings(self, kernels: Kernels) -> dict[str, Any] | None:
        if not kernels or any(min(shape) < 1 for shape in kernels):
            return None
        found = self.read(kernels)
        try:
            return found if found is None or self.graph(found) else None
        except ModelError:  # widths that make no sense: another network
            return None


def plain(settings: Any) -> dict[str, Any]:
    """Return settings as JSON values, for a card."""
    return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(settings).items()}


def facts_of(graph: Graph) -> Fields:
    """Return what follows from a graph: parameters, dims, channels, grid, halo."""
    import math

    counts = [
        math.prod(shape)
        for node in graph.weighted
        for name, shape in variables_of(graph, node)
        if not name.startswith("moving_")
    ]
    return {
        "parameters": sum(counts),
        "dims": graph.dims,
        "in_channels": graph.in_channels,
        "out_channels": graph.channels[graph.output],
        "grid": grid_of(graph),
        "halo": halo_of(graph),
    }


def _tensors(graph: Graph) -> dict[str, tuple[int, ...]]:
    from napari_defectseg.models.graphs.weights import shapes_of

    return shapes_of(graph)


def _kernel_names(graph: Graph) -> list[str]:
    from napari_defectseg.models.graphs.network import key_of

    inside = {"transposed": "layer.weight"}
    return [
        f"layers.{key_of(node.name)}.{inside.get(node.op, 'weight')}"
        for node in graph.weighted
        if node.op in ("conv", "depthwise", "transposed")
    ]


def _as_keras(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a kernel as a file of Keras would hold it."""
    return (*shape[2:], shape[1], shape[0]) if len(shape) >= 4 else (0,)
