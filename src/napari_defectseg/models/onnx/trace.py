"""What the operations of a graph say about its ports: layout, channels, activation, labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from napari_defectseg.models.onnx.structure import Dimension, Graph, Node, Port, Tensor

MOST_STEPS = 10_000
_THROUGH = frozenset(
    [
        "Identity",
        "Cast",
        "CastLike",
        "Dropout",
        "Squeeze",
        "Unsqueeze",
        "Reshape",
        "Flatten",
        "Pad",
        "Slice",
        "Clip",
        "Transpose",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Neg",
        "Abs",
        "Sqrt",
        "Pow",
        "Relu",
        "LeakyRelu",
        "PRelu",
        "Elu",
        "Selu",
        "BatchNormalization",
        "Gelu",
        "QuantizeLinear",
        "DequantizeLinear",
        "Resize",
        "Upsample",
        "Softplus",
        "HardSwish",
        "Tanh",
        "Softmax",
        "Sigmoid",
        "Exp",
        "ReduceMax",
    ]
)
"""Operations that leave the number of channels as it is."""
_QUIET = frozenset(
    "Identity Cast CastLike Dropout Squeeze Unsqueeze Reshape Transpose Clip".split()  # noqa: SIM905
)
"""Operations that change no probability."""


@dataclass(frozen=True)
class Start:
    """What the first convolution says about the input.

    Parameters
    ----------
    channels : int
        That it takes, 0: none was found.
    turned : bool
        Whether the axes are put in another order before it.
    """

    channels: int = 0
    turned: bool = False


@dataclass(frozen=True)
class End:
    """What the last operations say about the output.

    Parameters
    ----------
    channels : int
        That the last convolution gives, 0: none was found.
    turned : bool
        Whether the axes are put in another order after it.
    activation : str
        ``"softmax"``, ``"sigmoid"`` or nothing.
    labels : bool
        Whether it gives the number of the best channel in place of scores.
    axis : int or None
        Axis of softmax or of the best channel, among those of the output; None: no such.
    """

    channels: int = 0
    turned: bool = False
    activation: str = ""
    labels: bool = False
    axis: int | None = None


def start_of(graph: Graph, port: Port) -> Start:
    """Return what follows the input, up to the first convolution."""
    takers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            takers.setdefault(name, []).append(node)
    waiting, seen = [(port.name, False)], {port.name}
    while waiting and len(seen) < MOST_STEPS:
        name, turned = waiting.pop(0)
        for node in takers.get(name, []):
            channels = _taken(graph, node, name)
            if channels:
                return Start(channels, turned)
            if node.op not in _THROUGH:
                continue
            turns = turned or (node.op == "Transpose" and _moves(node))
            fresh = [out for out in node.outputs if out and out not in seen]
            seen.update(fresh)
            waiting += [(out, turns) for out in fresh]
    return Start()


def end_of(graph: Graph, port: Port) -> End:
    """Return what precedes the output, back to the last convolution."""
    makers, name = graph.makers(), port.name
    # Where axis i of the output lies among the axes of the value that is looked at.
    order = list(range(len(port.shape or ())))
    found, unchanged = End(), True
    for _ in range(MOST_STEPS):
        node = makers.get(name)
        if node is None:
            break
        channels = _given(graph, node)
        if channels:
            return replace(found, channels=channels)
        activation, labels = _kind(node, makers) if unchanged else ("", False)
        if activation or labels:
            axis = _among(order, node, graph, labels)
            found = replace(found, activation=activation, labels=labels, axis=axis)
        elif node.op not in _THROUGH:
            break
        unchanged = unchanged and node.op in _QUIET
        if node.op == "Transpose":
            found = replace(found, turned=found.turned or _moves(node))
            order = _turned_back(order, node)
        name = _data(node, graph)
    return found


def layout_of(
    shape: tuple[Dimension, ...], channels: int, turned: bool, default: str = "first"
) -> tuple[str, bool]:
    """Return whether channels come ``"first"`` or ``"last"``, and whether that is certain.

    Parameters
    ----------
    shape : tuple of int or str
        With samples and channels.
    channels : int
        What the nearest convolution has, 0: not known.
    turned : bool
        Whether axes are put in another order on the way to it.
    default : str
        Taken where nothing tells.
    """
    first, last = shape[1], shape[-1]
    known = isinstance(first, int), isinstance(last, int)
    if channels and all(known):
        fits = first == channels, last == channels
        if fits[0] != fits[1]:
            return ("first" if fits[0] else "last"), True
    if known[0] != known[1]:
        return ("first" if known[0] else "last"), True
    if channels:
        return ("last" if turned else "first"), True
    if all(known) and first != last:
        return ("first" if int(first) < int(last) else "last"), False
    return default, False


def _taken(graph: Graph, node: Node, name: str) -> int:
    """Return the channels that a convolution takes, 0 if it is none or `name` is its kernel."""
    if node.op not in ("Conv", "ConvTranspose") or node.inputs[:1] != (name,):
        return 0
    shape = _kernel(graph, node)
    group = int(node.attributes.get("group") or 1)
    return (shape[0] if node.op == "ConvTranspose" else shape[1] * group) if len(shape) > 2 else 0


def _given(graph: Graph, node: Node) -> int:
    if node.op not in ("Conv", "ConvTranspose"):
        return 0
    shape = _kernel(graph, node)
    group = int(node.attributes.get("group") or 1)
    return (shape[1] * group if node.op == "ConvTranspose" else shape[0]) if len(shape) > 2 else 0


def _kernel(graph: Graph, node: Node) -> tuple[int, ...]:
    name = node.inputs[1] if len(node.inputs) > 1 else ""
    makers: Mapping[str, Node] = {}
    for _ in range(4):  # a kernel of low precision is widened first
        if name in graph.tensors:
            return graph.tensors[name].shape
        makers = makers or graph.makers()
        node_ = makers.get(name)
        if node_ is None:
            return ()
        value = node_.attributes.get("value")
        if node_.op == "Constant" and isinstance(value, Tensor):
            return value.shape
        if node_.op not in ("Cast", "Identity", "DequantizeLinear") or not node_.inputs:
            return ()
        name = node_.inputs[0]
    return ()


def _kind(node: Node, makers: Mapping[str, Node]) -> tuple[str, bool]:
    """Return the activation that an operation is, and whether it gives labels.

    What is compared with a threshold is a probability of 0 or 1.
    """
    if node.op in ("Greater", "GreaterOrEqual"):
        return "sigmoid", False
    if node.op in ("Softmax", "Sigmoid"):
        return node.op.lower(), False
    if node.op == "Div":  # exp(x) / sum(exp(x)), as older converters write softmax
        parts = [makers.get(name) for name in node.inputs[:2]]
        if [p.op if p else "" for p in parts] == ["Exp", "ReduceSum"]:
            return "softmax", False
    return "", node.op == "ArgMax"


def _among(order: list[int], node: Node, graph: Graph, labels: bool) -> int | None:
    """Return the axis of the output along which softmax or the best channel is taken."""
    stated = node.attributes.get("axis")
    if node.op == "Div":
        return None
    if not isinstance(stated, int):
        stated = 0 if labels else -1 if graph.opsets.get("", 13) >= 13 else 1
    if labels and not node.attributes.get("keepdims", 1):
        return None
    rank = len(order)
    if not -rank <= stated < rank:
        return None
    return order.index(stated % rank) if stated % rank in order else None


def _turned_back(order: list[int], node: Node) -> list[int]:
    perm = node.attributes.get("perm")
    if not isinstance(perm, tuple):
        perm = tuple(reversed(range(len(order))))
    if sorted(perm) != list(range(len(order))):
        return order
    return [int(perm[axis]) for axis in order]


def _moves(node: Node) -> bool:
    perm = node.attributes.get("perm")
    return not isinstance(perm, tuple) or list(perm) != list(range(len(perm)))


def _data(node: Node, graph: Graph) -> str:
    """Return the input that carries the image, not a stored number."""
    for name in node.inputs:
        if name and name not in graph.tensors and not graph.value(name):
            return name
    return ""
