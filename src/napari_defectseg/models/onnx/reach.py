"""How far a pixel of the output sees, and on which grid: counted along the graph's operations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from napari_defectseg.models.onnx.structure import Graph, Node

COARSEST = 4096


@dataclass(frozen=True)
class Reach:
    """What tiling needs to know.

    Parameters
    ----------
    grid : int
        Pixels of the image between two samples of the coarsest level.
    halo : int or None
        Pixels around a pixel that its result depends on, a multiple of `grid`; None: all.
    reason : str
        The operation that sees the whole image or is not known here.
    """

    grid: int = 1
    halo: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class _Step:
    """How finely one value of the graph samples the image.

    Parameters
    ----------
    size : Fraction
        Pixels of the image between two samples.
    sure : bool
        Not after an enlargement by a computed factor.
    """

    size: Fraction = Fraction(1)
    sure: bool = True


@dataclass(frozen=True)
class _Effect:
    """What one operation does to the grid, and what it needs around a region of its result.

    Parameters
    ----------
    after : _Step
    needs : callable or None
        Pixels around a region of the result → pixels around it of the input; None: all.
    """

    after: _Step
    needs: Callable[[Fraction], Fraction] | None


_LOCAL = frozenset(
    [
        "Identity",
        "Cast",
        "CastLike",
        "Dropout",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "Neg",
        "Abs",
        "Exp",
        "Log",
        "Sqrt",
        "Pow",
        "Reciprocal",
        "Relu",
        "LeakyRelu",
        "PRelu",
        "Elu",
        "Selu",
        "Celu",
        "ThresholdedRelu",
        "Clip",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Softplus",
        "Softsign",
        "Tanh",
        "Erf",
        "Gelu",
        "Mish",
        "Min",
        "Max",
        "Sum",
        "Mean",
        "Where",
        "Equal",
        "Greater",
        "GreaterOrEqual",
        "Less",
        "LessOrEqual",
        "Not",
        "And",
        "Or",
        "Sign",
        "Floor",
        "Ceil",
        "Round",
        "Concat",
        "Split",
        "Transpose",
        "Squeeze",
        "Unsqueeze",
        "QuantizeLinear",
        "DequantizeLinear",
        "Softmax",
        "LogSoftmax",
        "ArgMax",
        "LRN",
        "Expand",
        "GatherND",
        "Gather",
    ]
)
"""Operations on each pixel, or along the channels."""
_SHAPES = frozenset(("Shape", "Size", "Constant", "ConstantOfShape"))


def reach_of(graph: Graph, start: str, end: str, dims: int) -> Reach:
    """Return grid and halo of the value `end` with respect to the input `start`.

    First the step of every value is found, forwards; then, backwards, how many pixels around a
    region that begins and ends on the grid are needed to compute it.

    Parameters
    ----------
    graph : Graph
    start, end : str
        Names of input and output.
    dims : int
        Spatial axes.
    """
    steps = {start: _Step()}
    effects: list[tuple[Node, _Effect]] = []
    for node in graph.nodes:
        given = [steps[name] for name in node.inputs if name in steps]
        if given and node.op not in _SHAPES:
            effects.append((node, _effect(node, graph, _together(given), dims)))
            steps.update((name, effects[-1][1].after) for name in node.outputs if name)
    grid = 1
    for one in steps.values():
        grid = math.lcm(grid, math.ceil(one.size)) if one.sure else grid
    if grid > COARSEST:
        return Reach(1, None, "strides")
    needed, reason = _needed(effects, end)
    if reason or start not in needed:
        return Reach(grid, None, reason)
    return Reach(grid, math.ceil(needed[start] / grid) * grid)


def _needed(effects: list[tuple[Node, _Effect]], end: str) -> tuple[dict[str, Fraction], str]:
    """Return the pixels needed around each value, and the operation that needs all, if any."""
    needed = {end: Fraction(0)}
    for node, effect in reversed(effects):
        wanted = [needed[name] for name in node.outputs if name in needed]
        if not wanted:
            continue
        if effect.needs is None:
            return needed, node.op
        more = effect.needs(max(wanted))
        for name in node.inputs:
            needed[name] = max(more, needed.get(name, more))
    return needed, ""


def _together(given: list[_Step]) -> _Step:
    """Return the step of values that meet; an enlarged one has that of the other."""
    sure = [one.size for one in given if one.sure]
    return _Step(min(sure)) if sure else _Step(min(one.size for one in given), False)


def _effect(node: Node, graph: Graph, before: _Step, dims: int) -> _Effect:
    rule = _RULES.get(node.op)
    if node.domain not in ("", "ai.onnx"):
        return _Effect(before, None)
    if rule is not None:
        return rule(node, graph, before, dims)
    return _Effect(before, _same if node.op in _LOCAL else None)


def _same(need: Fraction) -> Fraction:
    return need


def _upward(need: Fraction, step: Fraction) -> Fraction:
    """Return the next multiple of a step."""
    return math.ceil(need / step) * step


def _window(node: Node, graph: Graph, before: _Step, dims: int) -> _Effect:
    """Follow a convolution or pooling."""
    kernel = node.attributes.get("kernel_shape") or _kernel_shape(node, graph)
    strides = _numbers(node, "strides", dims, 1)
    after = _Step(before.size * max(strides), before.sure)
    if not isinstance(kernel, tuple) or len(kernel) != dims:
        return _Effect(after, None)
    dilations = _numbers(node, "dilations", dims, 1)
    pads = _numbers(node, "pads", 2 * dims, 0)
    same = str(node.attributes.get("auto_pad", "")).startswith("SAME")
    reach = 0
    for axis in range(dims):
        extent = (int(kernel[axis]) - 1) * dilations[axis]
        # One stride may be all that lies behind, and with SAME one more sample before.
        ahead = (extent + 1) // 2 if same else min(pads[axis], extent)
        behind = extent - (extent // 2 if same else ahead) - strides[axis] + 1
        reach = max(reach, ahead, behind + (strides[axis] > 1 and same))
    return _Effect(after, lambda need: _upward(need, after.size) + reach * before.size)


def _transposed(node: Node, graph: Graph, before: _Step, dims: int) -> _Effect:
    kernel = node.attributes.get("kernel_shape") or _kernel_shape(node, graph)
    strides = _numbers(node, "strides", dims, 1)
    after = _Step(before.size / max(strides), before.sure)
    if not isinstance(kernel, tuple) or len(kernel) != dims:
        return _Effect(after, None)
    dilations = _numbers(node, "dilations", dims, 1)
    pads = _numbers(node, "pads", 2 * dims, 0)
    same = str(node.attributes.get("auto_pad", "")).startswith("SAME")

    def needs(need: Fraction) -> Fraction:
        most = Fraction(0)
        for axis in range(dims):
            stride, extent = strides[axis], (int(kernel[axis]) - 1) * dilations[axis]
            pad = 0 if same else pads[axis]
            samples = need / after.size
            left = math.floor((samples + extent - pad) / stride)
            right = math.floor((samples - 1 + max(pad, extent if same else 0)) / stride) + 1
            most = max(most, left * before.size, right * before.size)
        return most

    return _Effect(after, needs)


def _resized(node: Node, graph: Graph, before: _Step, dims: int) -> _Effect:
    mode = node.attributes.get("mode", "nearest")
    name = node.inputs[2 if node.op == "Resize" and len(node.inputs) > 2 else -1]
    scales = graph.value(name)
    factors = [Fraction(s).limit_denominator(64) for s in scales if s > 0]
    known = len(factors) >= dims
    factor = (max(factors) if max(factors) > 1 else min(factors)) if known else Fraction(1)
    after = _Step(before.size / factor, before.sure and known)
    if node.attributes.get("coordinate_transformation_mode") == "align_corners":
        return _Effect(after, None)  # every sample depends on the length of the whole image
    reach = {"cubic": 2, "linear": 1}.get(str(mode), 0)
    coarse = max(before.size, after.size)
    return _Effect(after, lambda need: _upward(need, coarse) + reach * coarse)


def _blocks(node: Node, graph: Graph, before: _Step, dims: int) -> _Effect:
    size = int(node.attributes.get("blocksize") or 1)
    after = before.size / size if node.op == "DepthToSpace" else before.size * size
    return _Effect(_Step(after, before.sure), lambda need: _upward(need, max(before.size, after)))


def _shifted(node: Node, graph: Graph, before: _Step, dims: int) -> _Effect:
    """Cutting and padding: by what is stated, or by one sample where it is computed."""
    amounts = node.attributes.get("pads") or (
        graph.value(node.inputs[1]) if node.op == "Pad" and len(node.inputs) > 1 else ()
    )
    most = max((abs(int(n)) for n in amounts), default=1) if isinstance(amounts, tuple) else 1
    return _Effect(before, lambda need: need + min(most, COARSEST) * before.size)


def _reduced(node: Node, graph: Graph, before: _Step, dims: int) -> _Effect:
    axes = node.attributes.get("axes") or (
        graph.value(node.inputs[1]) if len(node.inputs) > 1 else ()
    )
    along_channels = isinstance(axes, tuple) and tuple(axes) in ((1,), (-dims - 1,))
    return _Effect(before, _same if along_channels else None)


def _normalised(node: Node, graph: Graph, before: _Step, dims: int) -> _Effect:
    return _Effect(before, None if node.attributes.get("training_mode") else _same)


def _reshaped(node: Node, graph: Graph, before: _Step, dims: int) -> _Effect:
    """Let an axis of length one come or go at full size; anything else may move pixels."""
    return _Effect(before, _same if before.size == 1 and before.sure else None)


_RULES: dict[str, Callable[[Node, Graph, _Step, int], _Effect]] = {
    **dict.fromkeys(("Conv", "MaxPool", "AveragePool", "LpPool", "ConvInteger"), _window),
    "ConvTranspose": _transposed,
    **dict.fromkeys(("Resize", "Upsample"), _resized),
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth"), _blocks),
    **dict.fromkeys(("Slice", "Pad"), _shifted),
    **dict.fromkeys(("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2"), _reduced),
    "BatchNormalization": _normalised,
    "Reshape": _reshaped,
}


def _kernel_shape(node: Node, graph: Graph) -> tuple[int, ...]:
    tensor = graph.tensors.get(node.inputs[1]) if len(node.inputs) > 1 else None
    return tensor.shape[2:] if tensor else ()


def _numbers(node: Node, name: str, count: int, usual: int) -> list[int]:
    found = node.attributes.get(name)
    if isinstance(found, tuple) and len(found) == count:
        return [int(value) for value in found]
    return [usual] * count
