"""What each kind of layer does to channels, sizes and the field of view, and what it weighs.

No framework is needed for any of it, so a file can be checked before anything is built.
Shapes of weights are those of Keras (channels last); Abadi et al. 2016 and the Keras
documentation give the rules of padding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.graphs.code import CODE
from napari_defectseg.models.graphs.graph import Graph, Node

Attrs: TypeAlias = Mapping[str, Any]
Variables: TypeAlias = "list[tuple[str, tuple[int, ...]]]"
Interval: TypeAlias = tuple[int, int]

ACTIVATIONS = frozenset(
    [
        "relu",
        "leaky_relu",
        "elu",
        "selu",
        "gelu",
        "gelu_tanh",
        "silu",
        "sigmoid",
        "softmax",
        "tanh",
        "softplus",
        "softsign",
        "exponential",
        "hard_sigmoid_2",
        "hard_sigmoid_3",
        "mish",
        "clipped_relu",
    ]
)


@dataclass(frozen=True)
class Operation:
    """A layer without weights that looks at one pixel at a time.

    Attributes
    ----------
    weighted : bool
    whole : bool
        Whether every pixel of the result depends on the whole image.
    """

    weighted: bool = False
    whole: bool = False

    def channels(self, attrs: Attrs, inputs: Sequence[int]) -> int:
        """Return the number of channels that come out."""
        return inputs[0]

    def variables(self, attrs: Attrs, inputs: Sequence[int]) -> Variables:
        """Return name and shape of each weight, in the order of a file."""
        return []

    def scale(self, attrs: Attrs, axis: int) -> Fraction:
        """Return how long the result is for each pixel of input."""
        return Fraction(1)

    def reach(self, attrs: Attrs, axis: int, wanted: Interval) -> Interval:
        """Return which pixels of input those of the result depend on."""
        return wanted


@dataclass(frozen=True)
class Joining(Operation):
    """Channels of several inputs side by side."""

    def channels(self, attrs: Attrs, inputs: Sequence[int]) -> int:
        """Return the number of channels that come out."""
        return sum(inputs)


@dataclass(frozen=True)
class Combining(Operation):
    """Sum, product, … of several inputs; one channel is spread over many."""

    def channels(self, attrs: Attrs, inputs: Sequence[int]) -> int:
        """Return the number of channels that come out."""
        if len(set(inputs) - {1}) > 1:
            counts = ", ".join(map(str, inputs))
            raise ModelError(f"A layer would combine inputs with {counts} channels.")
        return max(inputs)


@dataclass(frozen=True)
class Window(Operation):
    """What looks through a sliding window: pooling, and the ground of convolutions."""

    def scale(self, attrs: Attrs, axis: int) -> Fraction:
        """Return how long the result is for each pixel of input."""
        return Fraction(1, attrs["strides"][axis])

    def reach(self, attrs: Attrs, axis: int, wanted: Interval) -> Interval:
        """Return which pixels of input those of the result depend on."""
        stride, extent = attrs["strides"][axis], extent_of(attrs, axis)
        before = max(extent - stride, 0) // 2 if attrs["padding"] == "same" else 0
        return wanted[0] * stride - before, wanted[1] * stride - before + extent - 1


@dataclass(frozen=True)
class Convolution(Window):
    """Each channel of the result from all (or one group) of the input's."""

    weighted: bool = True

    def channels(self, attrs: Attrs, inputs: Sequence[int]) -> int:
        """Return the number of channels that come out."""
        groups = attrs.get("groups", 1)
        if inputs[0] % groups or attrs["filters"] % groups:
            raise ModelError(f"{inputs[0]} channels cannot be convolved in {groups} groups.")
        return int(attrs["filters"])

    def variables(self, attrs: Attrs, inputs: Sequence[int]) -> Variables:
        """Return name and shape of each weight, in the order of a file."""
        filters = attrs["filters"]
        kernel = (*attrs["kernel"], inputs[0] // attrs.get("groups", 1), filters)
        return [("kernel", kernel), *_bias(attrs, filters)]


@dataclass(frozen=True)
class Depthwise(Window):
    """Each channel by itself, `multiplier` results of each."""

    weighted: bool = True

    def channels(self, attrs: Attrs, inputs: Sequence[int]) -> int:
        """Return the number of channels that come out."""
        return int(inputs[0] * attrs["multiplier"])

    def variables(self, attrs: Attrs, inputs: Sequence[int]) -> Variables:
        """Return name and shape of each weight, in the order of a file."""
        kernel = (*attrs["kernel"], inputs[0], attrs["multiplier"])
        return [("depthwise_kernel", kernel), *_bias(attrs, self.channels(attrs, inputs))]


@dataclass(frozen=True)
class Separable(Window):
    """A depthwise convolution without bias, then one of 1 × 1."""

    weighted: bool = True

    def channels(self, attrs: Attrs, inputs: Sequence[int]) -> int:
        """Return the number of channels that come out."""
        return int(attrs["filters"])

    def variables(self, attrs: Attrs, inputs: Sequence[int]) -> Variables:
        """Return name and shape of each weight, in the order of a file."""
        filters, multiplier = attrs["filters"], attrs["multiplier"]
        ones = (1,) * len(attrs["kernel"])
        return [
            ("depthwise_kernel", (*attrs["kernel"], inputs[0], multiplier)),
            ("pointwise_kernel", (*ones, inputs[0] * multiplier, filters)),
            *_bias(attrs, filters),
        ]


@dataclass(frozen=True)
class Transposed(Operation):
    """A transposed convolution."""

    weighted: bool = True

    def channels(self, attrs: Attrs, inputs: Sequence[int]) -> int:
        """Return the number of channels that come out."""
        return int(attrs["filters"])

    def variables(self, attrs: Attrs, inputs: Sequence[int]) -> Variables:
        """Return name and shape of each weight, in the order of a file."""
        filters = attrs["filters"]
        return [("kernel", (*attrs["kernel"], filters, inputs[0])), *_bias(attrs, filters)]

    def scale(self, attrs: Attrs, axis: int) -> Fraction:
        """Return how long the result is for each pixel of input."""
        return Fraction(attrs["strides"][axis])

    def reach(self, attrs: Attrs, axis: int, wanted: Interval) -> Interval:
        """Return which pixels of input those of the result depend on."""
        stride, kernel = attrs["strides"][axis], attrs["kernel"][axis]
        cut = max(kernel - stride, 0) // 2 if attrs["padding"] == "same" else 0
        return -((kernel - 1 - wanted[0] - cut) // stride), (wanted[1] + cut) // stride


@dataclass(frozen=True)
class Normalisation(Operation):
    """Batch, group or layer normalisation."""

    weighted: bool = True
    moving: bool = False

    def variables(self, attrs: Attrs, inputs: Sequence[int]) -> Variables:
        """Return name and shape of each weight, in the order of a file."""
        names = [*(["gamma"] if attrs["scale"] else []), *(["beta"] if attrs["center"] else [])]
        names += ["moving_mean", "moving_variance"] if self.moving else []
        if attrs.get("groups", 1) < 1 or inputs[0] % attrs.get("groups", 1):
            raise ModelError(f"{inputs[0]} channels cannot be normalised in {attrs['groups']}.")
        return [(name, (inputs[0],)) for name in names]


@dataclass(frozen=True)
class Slopes(Operation):
    """PReLU with one slope a channel."""

    weighted: bool = True

    def variables(self, attrs: Attrs, inputs: Sequence[int]) -> Variables:
        """Return name and shape of each weight, in the order of a file."""
        return [("alpha", (*(1,) * attrs["dims"], inputs[0]))]


@dataclass(frozen=True)
class Dense(Operation):
    """A matrix over the channels of each pixel."""

    weighted: bool = True

    def channels(self, attrs: Attrs, inputs: Sequence[int]) -> int:
        """Return the number of channels that come out."""
        return int(attrs["filters"])

    def variables(self, attrs: Attrs, inputs: Sequence[int]) -> Variables:
        """Return name and shape of each weight, in the order of a file."""
        return [("kernel", (inputs[0], attrs["filters"])), *_bias(attrs, attrs["filters"])]


@dataclass(frozen=True)
class Enlarging(Operation):
    """Up-sampling, nearest or linear between the centres of pixels."""

    def scale(self, attrs: Attrs, axis: int) -> Fraction:
        """Return how long the result is for each pixel of input."""
        return Fraction(attrs["size"][axis])

    def reach(self, attrs: Attrs, axis: int, wanted: Interval) -> Interval:
        """Return which pixels of input those of the result depend on."""
        size = attrs["size"][axis]
        if attrs["mode"] == "nearest":
            return wanted[0] // size, wanted[1] // size
        half = Fraction(1, 2)
        low, high = ((w + half) / size - half for w in wanted)
        return math.floor(low), math.floor(high) + 1


@dataclass(frozen=True)
class Shifting(Operation):
    """Pixels added (or, with `sign` -1, taken off) around the image."""

    sign: int = 1

    def reach(self, attrs: Attrs, axis: int, wanted: Interval) -> Interval:
        """Return which pixels of input those of the result depend on."""
        before = self.sign * attrs["amounts"][axis][0]
        return wanted[0] - before, wanted[1] - before


OPERATIONS: dict[str, Operation] = {
    "conv": Convolution(),
    "depthwise": Depthwise(),
    "separable": Separable(),
    "transposed": Transposed(),
    "dense": Dense(),
    "batch_norm": Normalisation(moving=True),
    "group_norm": Normalisation(whole=True),
    "layer_norm": Normalisation(),
    "prelu": Slopes(),
    "activation": Operation(),
    "rescale": Operation(),
    CODE: Operation(),
    "max_pool": Window(),
    "average_pool": Window(),
    "global_average": Operation(whole=True),
    "global_max": Operation(whole=True),
    "upsample": Enlarging(),
    "pad": Shifting(),
    "crop": Shifting(sign=-1),
    "concat": Joining(),
    **{
        name: Combining()
        for name in ("add", "multiply", "subtract", "average", "maximum", "minimum")
    },
}


def operation(node: Node) -> Operation:
    """Return what a node does.

    Raises
    ------
    ModelError
        If its kind is unknown.
    """
    found = OPERATIONS.get(node.op)
    if found is None:
        raise ModelError(f"The layer {node.name!r} is of the unknown kind {node.op!r}.")
    if not node.inputs:
        raise ModelError(f"The layer {node.name!r} has no input.")
    return found


def variables_of(graph: Graph, node: Node) -> Variables:
    """Return name and shape (as Keras has them) of the weights of a node."""
    return operation(node).variables(node.attrs, graph.inputs_of(node))


def extent_of(attrs: Attrs, axis: int) -> int:
    """Return how many pixels a window spans, holes included."""
    return int((attrs["kernel"][axis] - 1) * attrs.get("dilation", (1, 1, 1))[axis] + 1)


def _bias(attrs: Attrs, filters: int) -> Variables:
    return [("bias", (filters,))] if attrs.get("bias", True) else []
