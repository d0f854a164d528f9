"""`GraphNetwork`: a graph as a torch module."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn

from napari_defectseg.models.graphs.code import check_code
from napari_defectseg.models.graphs.functions import run
from napari_defectseg.models.graphs.graph import INPUT, Graph, Node
from napari_defectseg.models.graphs.layers import module_of


class GraphNetwork(nn.Module):
    """The network of a graph; ends at its logits.

    Parameters
    ----------
    graph : Graph
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        check_code(graph.as_plain(), "The network")
        self.graph = graph
        self.layers = nn.ModuleDict()
        for node in graph.weighted:
            inputs = graph.inputs_of(node)[0]
            outputs = graph.channels[node.name]
            module = module_of(node.op, graph.dims, inputs, outputs, node.attrs)
            self.layers[key_of(node.name)] = module
        self._let_go = _last_uses(graph)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, in_channels, *spatial)
            Spatial lengths are multiples of the grid.

        Returns
        -------
        Tensor, shape (n, out_channels, *spatial)
        """
        return self.between(x, ())[self.graph.output]

    def between(self, x: torch.Tensor, names: Collection[str]) -> dict[str, torch.Tensor]:
        """Return the logits and what the named nodes give, each under its name."""
        alive = {INPUT: x}
        wanted = {*names, self.graph.output}
        for node in self.graph.order:
            alive[node.name] = self._step(node, [alive[name] for name in node.inputs])
            for name in self._let_go[node.name]:
                if name not in wanted:
                    del alive[name]
        return {name: alive[name] for name in wanted}

    def _step(self, node: Node, inputs: list[torch.Tensor]) -> torch.Tensor:
        key = key_of(node.shares or node.name)
        if key in self.layers:
            result: torch.Tensor = self.layers[key](inputs[0])
            return result
        return run(node.op, inputs, node.attrs)


def key_of(name: str) -> str:
    """Return the name of a node's module: no dots, no words of torch."""
    key = name.replace(".", "_").replace("/", "_")
    return f"{key}_" if hasattr(nn.ModuleDict, key) else key


def _last_uses(graph: Graph) -> dict[str, list[str]]:
    """Return for each node whose results are not needed after it."""
    last = {name: node.name for node in graph.order for name in node.inputs}
    found: dict[str, list[str]] = {node.name: [] for node in graph.order}
    for name, user in last.items():
        found[user].append(name)
    return found
