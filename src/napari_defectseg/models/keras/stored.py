"""`Stored`: the weights of a file as layers with arrays that are read when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class StoredLayer:
    """One layer with weights.

    Parameters
    ----------
    name : str
        As the file calls it.
    shapes : tuple of tuple of int
        Of its arrays, in order, channels last.
    kind : str
        Keras' word for its class in snake case where the file has one (``"conv2d"``).
    """

    name: str
    shapes: tuple[Shape, ...]
    kind: str = ""


@dataclass(frozen=True)
class Stored:
    """The weights of a file.

    Parameters
    ----------
    where : str
        The file, for messages.
    layers : tuple of StoredLayer
        Those that have weights. In the order of the network, or, where `by_kind` is true,
        in the order of the network within each class of layers alone.
    read : callable
        Returns the arrays of all layers in the order of `layers`.
    by_kind : bool
    notes : tuple of str
    """

    where: str
    layers: tuple[StoredLayer, ...]
    read: Callable[[], Sequence[Sequence[Array]]] = field(repr=False)
    by_kind: bool = False
    notes: tuple[str, ...] = ()
