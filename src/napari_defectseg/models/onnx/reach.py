"""How far a pixel of the output sees, and on which grid: counted along the graph's operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
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
class _Seen:
    """What one value of the graph depends on.

    Parameters
    ----------
    radius : Fraction or None
        Pixels of the image on one side; None: all.
    step : Fraction
        Pixels of the image between two samples.
    sure : bool
        Whether `step` is known; not after an enlargement by a computed factor.
    """

    radius: Fraction | None = Fraction(0)
    step: Fraction = Fraction(1)
    sure: bool = True


_LOCAL = frozenset(
    "Identity Cast CastLike Dropout Add Sub Mul Div Neg Abs Exp Log Sqrt Pow Reciprocal Relu "
    "LeakyRelu PRelu Elu Selu Celu ThresholdedRelu Clip Sigmoid HardSigmoid HardSwish Softplus "
    "Softsign Tanh Erf Gelu Mish Min Max Sum Mean Where Equal Greater GreaterOrEqual Less "
    "LessOrEqual Not And Or Sign Floor Ceil Round Concat Split Transpose "
    "Squeeze Unsqueeze QuantizeLinear DequantizeLinear Softmax LogSoftmax ArgMax LRN Expand "
    "GatherND Gather".split()
)
"""Operations on each pixel, or along the channels."""
_SHAPES = frozenset(("Shape", "Size", "Constant", "ConstantOfShape"))


def reach_of(graph: Graph, start: str, end: str, dims: int) -> Reach:
    """Return grid and halo of the value `end` with respect to the input `start`.

    Parameters
    ----------
    graph : Graph
    start, end : str
        Names of input and output.
    dims : int
        Spatial axes.
    """
    seen: dict[str, _Seen] = {start: _Seen()}
    grid, reason = 1, ""
    for node in graph.nodes:
        given = [seen[name] for name in node.inputs if name in seen]
        if not given or node.op in _SHAPES:
            continue
        before = _together(given)
        after = _after(node, graph, before, dims) if before.radius is not None else before
        if after.radius is None and before.radius is not None:
            reason = reason or node.op
        if after.sure:
            grid = math.lcm(grid, math.ceil(after.step))
        seen.update((name, after) for name in node.outputs if name)
    found = seen.get(end, _Seen(radius=None))
    if grid > COARSEST:
        return Reach(1, None, "strides")
    if found.radius is None:
        return Reach(grid, None, reason)
    return Reach(grid, math.ceil(found.radius / grid) * grid)


def _together(given: Iterable[_Seen]) -> _Seen:
    given = list(given)
    radii = [one.radius for one in given]
    # Where an enlarged value meets one of known step, both must have the same.
    sure = [one for one in given if one.sure] or given
    step = min(one.step for one in sure)
    known = [radius for radius in radii if radius is not None]
    radius = max(known) if len(known) == len(radii) else None
    return _Seen(radius, step, any(one.sure for one in given))


def _after(node: Node, graph: Graph, before: _Seen, dims: int) -> _Seen:
    rule = _RULES.get(node.op)
    if node.domain not in ("", "ai.onnx"):
        return _Seen(None, before.step)
    if rule is not None:
        return rule(node, graph, before, dims)
    return before if node.op in _LOCAL else _Seen(None, before.step)


def _wider(seen: _Seen, samples: float, step: Fraction, sure: bool | None = None) -> _Seen:
    """Return what is seen after a window of `samples` on one side, in the finer of two steps."""
    radius = (seen.radius or Fraction(0)) + Fraction(samples) * max(seen.step, step)
    return _Seen(radius, step, seen.sure if sure is None else sure)


def _window(node: Node, graph: Graph, before: _Seen, dims: int) -> _Seen:
    """A convolution or pooling."""
    kernel = node.attributes.get("kernel_shape") or _kernel_shape(node, graph)
    if not isinstance(kernel, tuple) or len(kernel) != dims:
        return _Seen(None, before.step)
    strides = _numbers(node, "strides", dims, 1)
    dilations = _numbers(node, "dilations", dims, 1)
    pads = _numbers(node, "pads", 2 * dims, 0)
    reach = 0
    for axis in range(dims):
        extent = (int(kernel[axis]) - 1) * dilations[axis]
        same = str(node.attributes.get("auto_pad", "")).startswith("SAME")
        ahead = extent // 2 if same else min(pads[axis], extent)
        reach = max(reach, ahead, extent - ahead)
    return _Seen(
        (before.radius or Fraction(0)) + reach * before.step,
        before.step * max(strides),
        before.sure,
    )


def _transposed(node: Node, graph: Graph, before: _Seen, dims: int) -> _Seen:
    kernel = node.attributes.get("kernel_shape") or _kernel_shape(node, graph)
    if not isinstance(kernel, tuple) or len(kernel) != dims:
        return _Seen(None, before.step)
    stride = max(_numbers(node, "strides", dims, 1))
    reach = max(
        (int(k) - 1) * d
        for k, d in zip(kernel, _numbers(node, "dilations", dims, 1), strict=True)
    )
    step = before.step / stride
    return _Seen((before.radius or Fraction(0)) + reach * step, step, before.sure)


def _resized(node: Node, graph: Graph, before: _Seen, dims: int) -> _Seen:
    mode = node.attributes.get("mode", "nearest")
    if node.attributes.get("coordinate_transformation_mode") == "align_corners":
        return _Seen(None, before.step)  # every sample depends on the length of the whole image
    name = node.inputs[2 if node.op == "Resize" and len(node.inputs) > 2 else -1]
    scales = graph.value(name) if node.inputs else ()
    factors = [Fraction(s).limit_denominator(64) for s in scales if s > 0]
    reach = 2 if mode == "cubic" else 1
    if len(factors) < dims:
        return _wider(before, reach, before.step, sure=False)
    factor = max(factors) if max(factors) > 1 else min(factors)
    return _wider(before, reach, before.step / factor)


def _blocks(node: Node, graph: Graph, before: _Seen, dims: int) -> _Seen:
    size = int(node.attributes.get("blocksize") or 1)
    step = before.step / size if node.op == "DepthToSpace" else before.step * size
    return _wider(before, 1, step)


def _shifted(node: Node, graph: Graph, before: _Seen, dims: int) -> _Seen:
    """Cutting and padding by amounts that may be computed: one sample to either side."""
    return _wider(before, 0 if before.step == 1 and not before.radius else 1, before.step)


def _reduced(node: Node, graph: Graph, before: _Seen, dims: int) -> _Seen:
    axes = node.attributes.get("axes") or (
        graph.value(node.inputs[1]) if len(node.inputs) > 1 else ()
    )
    along_channels = isinstance(axes, tuple) and tuple(axes) in ((1,), (-dims - 1,))
    return before if along_channels else _Seen(None, before.step)


def _normalised(node: Node, graph: Graph, before: _Seen, dims: int) -> _Seen:
    return _Seen(None, before.step) if node.attributes.get("training_mode") else before


def _reshaped(node: Node, graph: Graph, before: _Seen, dims: int) -> _Seen:
    """An axis of length one comes or goes at full size; anything else may move pixels."""
    return before if before.step == 1 and before.sure else _Seen(None, before.step)


_RULES: dict[str, Callable[[Node, Graph, _Seen, int], _Seen]] = {
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
