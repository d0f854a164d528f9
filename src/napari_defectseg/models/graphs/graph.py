"""`Graph`: a convolutional network as a list of named layers, plain enough for a card.

One word for each kind of layer (`operations` knows them), sizes as lists with one entry a
spatial axis. The list is in the order in which a weight file holds the layers; the order of
computation follows from the inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from napari_defectseg.core.errors import ModelError

INPUT = "input"
MOST_NODES = 5000
WIDEST = 1 << 16
"""Channels of one layer; a file that claims more is damaged or made to harm."""


@dataclass(frozen=True)
class Node:
    """One layer, or one more use of a layer.

    Parameters
    ----------
    name : str
    op : str
        Kind of layer, one of `operations.OPERATIONS`.
    inputs : tuple of str
        Names of nodes, in order.
    attrs : mapping
        What the kind needs: filters, kernel, strides, …
    shares : str
        Name of the node whose weights it uses; empty: its own.
    """

    name: str
    op: str
    inputs: tuple[str, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)
    shares: str = ""


@dataclass(frozen=True)
class Graph:
    """A network from one image to one map of logits.

    Parameters
    ----------
    dims, in_channels : int
    nodes : tuple of Node
        Without the image itself, which is called ``"input"``.
    output : str
        The node that gives the logits.
    """

    dims: int
    in_channels: int
    nodes: tuple[Node, ...]
    output: str

    def __post_init__(self) -> None:
        if self.dims not in (2, 3):
            raise ModelError(f"A network has 2 or 3 dimensions, not {self.dims}.")
        if not 1 <= self.in_channels <= WIDEST:
            raise ModelError(f"A network cannot have {self.in_channels} channels of input.")
        if len(self.nodes) > MOST_NODES:
            raise ModelError(f"The network has {len(self.nodes)} layers, more than {MOST_NODES}.")
        if len(self.by_name) != len(self.nodes) or INPUT in self.by_name:
            raise ModelError("Two layers of the network have one name.")
        if self.output not in self.by_name:
            raise ModelError(f"The output {self.output!r} is no layer of the network.")

    @cached_property
    def by_name(self) -> dict[str, Node]:
        """Name to node."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def order(self) -> tuple[Node, ...]:
        """The nodes that the output needs, each after its inputs.

        Raises
        ------
        ModelError
            If an input is missing, or the layers go round in a circle.
        """
        done: dict[str, Node] = {}
        open_: set[str] = set()
        stack = [self.output]
        while stack:
            name = stack[-1]
            node = self.by_name.get(name)
            if node is None:
                raise ModelError(f"A layer of the network needs {name!r}, which is not there.")
            waiting = [i for i in node.inputs if i != INPUT and i not in done]
            if name in done or not waiting:
                done.setdefault(name, node)
                stack.pop()
            elif name in open_:
                raise ModelError(f"The layers of the network go round in a circle at {name!r}.")
            else:
                open_.add(name)
                stack.extend(reversed(waiting))
        return tuple(done.values())

    @cached_property
    def channels(self) -> dict[str, int]:
        """Number of channels that each node gives, the input among them."""
        from napari_defectseg.models.graphs.operations import operation

        found = {INPUT: self.in_channels}
        for node in self.order:
            inputs = [found[name] for name in node.inputs]
            count = operation(node).channels(node.attrs, inputs)
            if not 1 <= count <= WIDEST:
                raise ModelError(f"The layer {node.name!r} would have {count} channels.")
            found[node.name] = count
        return found

    @cached_property
    def weighted(self) -> tuple[Node, ...]:
        """Nodes with weights of their own, in the order of a weight file."""
        from napari_defectseg.models.graphs.operations import operation

        used = {node.name for node in self.order} | {n.shares for n in self.order if n.shares}
        kept = (n for n in self.nodes if n.name in used and not n.shares)
        return tuple(node for node in kept if operation(node).weighted)

    def inputs_of(self, node: Node) -> list[int]:
        """Return the number of channels of each of its inputs."""
        return [self.channels[name] for name in node.inputs]

    def as_plain(self) -> dict[str, Any]:
        """Return plain JSON values, for a card."""
        return {
            "dims": self.dims,
            "in_channels": self.in_channels,
            "nodes": [
                [n.name, n.op, list(n.inputs), dict(n.attrs), *([n.shares] if n.shares else [])]
                for n in self.nodes
            ],
            "output": self.output,
        }

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Graph:
        """Return the graph written by `as_plain`.

        Raises
        ------
        ModelError
            If something is missing, unknown, or makes no sense.
        """
        from napari_defectseg.models.graphs.checks import checked

        try:
            nodes = tuple(
                Node(str(n), str(op), tuple(map(str, inputs)), dict(attrs), *map(str, rest[:1]))
                for n, op, inputs, attrs, *rest in values["nodes"]
            )
            graph = cls(
                int(values["dims"]), int(values["in_channels"]), nodes, str(values["output"])
            )
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"This is not the list of layers of a network: {error}.") from error
        if extra := set(values) - {"dims", "in_channels", "nodes", "output"}:
            raise ModelError(f"A network has no setting {sorted(extra)[0]!r}.")
        return checked(graph)
