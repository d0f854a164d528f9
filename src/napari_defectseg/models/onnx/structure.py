"""What a file of ONNX holds, without its numbers: `Graph`, of nodes, ports and tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FLOAT, UINT8, INT8, INT32, INT64, BOOL, FLOAT16, DOUBLE = 1, 2, 3, 6, 7, 9, 10, 11

BITS = {
    FLOAT: 32, UINT8: 8, INT8: 8, 4: 16, 5: 16, INT32: 32, INT64: 64, BOOL: 8, FLOAT16: 16,
    DOUBLE: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4,
    23: 4, 24: 8,
}  # fmt: skip
"""Bits of a value, by the number that ONNX gives its type; texts have none."""
NAMES = {FLOAT: "float32", UINT8: "uint8", INT8: "int8", 4: "uint16", 5: "int16", INT32: "int32"}
NAMES |= {INT64: "int64", BOOL: "bool", FLOAT16: "float16", DOUBLE: "float64"}
"""Types of inputs and outputs that are cast to and from float32."""

Dimension = int | str
"""A length, or the name of one that is free (perhaps empty)."""


@dataclass(frozen=True)
class Outside:
    """Bytes of a tensor that lie in another file.

    Parameters
    ----------
    location : str
        As the file states it.
    offset, length : int
        Bytes; length -1: as many as its shape needs.
    """

    location: str
    offset: int = 0
    length: int = -1


@dataclass(frozen=True)
class Tensor:
    """A stored tensor.

    Parameters
    ----------
    name : str
    shape : tuple of int
    dtype : int
        As ONNX numbers it.
    values : tuple of float or int
        Its values where there are few, else empty.
    outside : Outside or None
    """

    name: str
    shape: tuple[int, ...]
    dtype: int
    values: tuple[float, ...] = ()
    outside: Outside | None = None


@dataclass(frozen=True)
class Port:
    """An input or output.

    Parameters
    ----------
    name : str
    dtype : int
        As ONNX numbers it, 0: it is no tensor.
    shape : tuple of int or str, or None
        None: not stated.
    """

    name: str
    dtype: int
    shape: tuple[Dimension, ...] | None


@dataclass(frozen=True)
class Node:
    """One operation.

    Parameters
    ----------
    op, domain : str
    inputs, outputs : tuple of str
        Names of values; an empty name: left out.
    attributes : mapping of str to object
        Numbers, texts, tuples of numbers, `Tensor`.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    domain: str = ""


@dataclass(frozen=True)
class Graph:
    """A model's operations in order, its ports and its stored tensors.

    Parameters
    ----------
    nodes : tuple of Node
        In an order in which they can be computed.
    inputs, outputs : tuple of Port
        Inputs without the stored tensors.
    tensors : mapping of str to Tensor
        By name.
    opsets : mapping of str to int
        Domain to version.
    metadata : mapping of str to str
    producer : str
    domains : frozenset of str
        Of all operations, those inside of bodies and functions too.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    tensors: Mapping[str, Tensor]
    opsets: Mapping[str, int] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    producer: str = ""
    domains: frozenset[str] = frozenset()

    def makers(self) -> dict[str, Node]:
        """Return the operation that gives each value."""
        return {name: node for node in self.nodes for name in node.outputs if name}

    def value(self, name: str) -> tuple[float, ...]:
        """Return a small stored or constant value, empty if it is neither."""
        if name in self.tensors:
            return self.tensors[name].values
        for node in self.nodes:
            if node.op == "Constant" and name in node.outputs:
                return _constant(node)
        return ()

    @property
    def parameters(self) -> int:
        """Number of stored floats, without single numbers."""
        floats = (FLOAT, FLOAT16, DOUBLE, 16)
        kept = (t for t in self.tensors.values() if t.shape and t.dtype in floats)
        return sum(math.prod(tensor.shape) for tensor in kept)


def _constant(node: Node) -> tuple[float, ...]:
    for key in ("value", "value_int", "value_float", "value_ints", "value_floats"):
        found = node.attributes.get(key)
        if isinstance(found, Tensor):
            return found.values
        if isinstance(found, int | float):
            return (found,)
        if isinstance(found, tuple):
            return tuple(v for v in found if isinstance(v, int | float))
    return ()
