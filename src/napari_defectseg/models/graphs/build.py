"""`Builder`: write the graph of a known network layer by layer, in the order of its files."""

from __future__ import annotations

from typing import Any

from napari_defectseg.models.graphs.checks import checked
from napari_defectseg.models.graphs.graph import INPUT, Graph, Node


class Builder:
    """Collects nodes; every method returns the name of what it added.

    Parameters
    ----------
    dims, in_channels : int
    """

    def __init__(self, dims: int, in_channels: int) -> None:
        self.dims = dims
        self.in_channels = in_channels
        self.nodes: list[Node] = []

    def add(self, name: str, op: str, *inputs: str, **attrs: Any) -> str:
        """Add any node."""
        self.nodes.append(Node(name, op, inputs or (INPUT,), attrs))
        return name

    def conv(self, name: str, x: str, filters: int, size: int = 3, *, padding: str = "same") -> str:
        """Add a convolution of stride 1 with bias."""
        window = {"kernel": [size] * self.dims, "strides": [1] * self.dims, "padding": padding}
        return self.add(name, "conv", x, filters=filters, **window)

    def depthwise(self, name: str, x: str, multiplier: int, size: int = 3) -> str:
        """Add a depthwise convolution of stride 1 with bias."""
        window = {"kernel": [size] * self.dims, "strides": [1] * self.dims, "padding": "same"}
        return self.add(name, "depthwise", x, multiplier=multiplier, **window)

    def norm(self, name: str, x: str, momentum: float = 0.99) -> str:
        """Add a batch normalisation with the numbers of Keras."""
        numbers = {"eps": 1e-3, "momentum": momentum}
        return self.add(name, "batch_norm", x, scale=True, center=True, **numbers)

    def act(self, name: str, x: str, kind: str = "relu") -> str:
        """Add an activation."""
        return self.add(name, "activation", x, kind=kind)

    def conv_norm_act(self, name: str, x: str, filters: int, size: int = 3) -> str:
        """Add a convolution, its normalisation and ReLU."""
        conv = self.conv(f"{name}.conv", x, filters, size)
        return self.act(name, self.norm(f"{name}.norm", conv))

    def pool(self, name: str, x: str) -> str:
        """Add the maximum over blocks of 2."""
        two = [2] * self.dims
        return self.add(name, "max_pool", x, kernel=two, strides=two, padding="valid")

    def up(self, name: str, x: str) -> str:
        """Add up-sampling by 2, each pixel repeated."""
        return self.add(name, "upsample", x, size=[2] * self.dims, mode="nearest")

    def graph(self, output: str) -> Graph:
        """Return the graph that ends at a node."""
        return checked(Graph(self.dims, self.in_channels, tuple(self.nodes), output))
