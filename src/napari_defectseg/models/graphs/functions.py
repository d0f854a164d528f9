"""Layers without weights as functions of torch tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch.nn import functional as F  # noqa: N812 - the usual name

from napari_defectseg.models.graphs.layers import pad_same

Attrs: TypeAlias = Mapping[str, Any]
Tensors: TypeAlias = "list[torch.Tensor]"
Function: TypeAlias = Callable[[Tensors, Attrs], torch.Tensor]


def run(op: str, inputs: Tensors, attrs: Attrs) -> torch.Tensor:
    """Return the result of a layer without weights.

    Parameters
    ----------
    op : str
    inputs : list of Tensor, shape (n, c, *spatial)
    attrs : mapping
    """
    return _FUNCTIONS[op](inputs, attrs)


def _activation(inputs: Tensors, attrs: Attrs) -> torch.Tensor:
    return _ACTIVATIONS[attrs["kind"]](inputs[0], float(attrs.get("alpha", 0.0)), attrs)


def _clipped(x: torch.Tensor, alpha: float, attrs: Attrs) -> torch.Tensor:
    threshold = float(attrs.get("threshold", 0.0))
    result = torch.where(x >= threshold, x, alpha * (x - threshold))
    most = attrs.get("most")
    return result if most is None else result.clamp(max=float(most))


_ACTIVATIONS: dict[str, Callable[[torch.Tensor, float, Attrs], torch.Tensor]] = {
    "relu": lambda x, a, s: F.relu(x),
    "leaky_relu": lambda x, a, s: F.leaky_relu(x, a),
    "elu": lambda x, a, s: F.elu(x, a),
    "selu": lambda x, a, s: F.selu(x),
    "gelu": lambda x, a, s: F.gelu(x),
    "gelu_tanh": lambda x, a, s: F.gelu(x, approximate="tanh"),
    "silu": lambda x, a, s: F.silu(x),
    "sigmoid": lambda x, a, s: torch.sigmoid(x),
    "softmax": lambda x, a, s: torch.softmax(x, dim=1),
    "tanh": lambda x, a, s: torch.tanh(x),
    "softplus": lambda x, a, s: F.softplus(x),
    "softsign": lambda x, a, s: F.softsign(x),
    "exponential": lambda x, a, s: torch.exp(x),
    "mish": lambda x, a, s: F.mish(x),
    "hard_sigmoid_2": lambda x, a, s: (0.2 * x + 0.5).clamp(0, 1),
    "hard_sigmoid_3": lambda x, a, s: F.hardsigmoid(x),
    "clipped_relu": _clipped,
}


def _max_pool(inputs: Tensors, attrs: Attrs) -> torch.Tensor:
    x, kernel, strides = inputs[0], list(attrs["kernel"]), list(attrs["strides"])
    if attrs["padding"] == "same":
        x = pad_same(x, kernel, strides, value=float("-inf"))
    pool = F.max_pool2d if len(kernel) == 2 else F.max_pool3d
    result: torch.Tensor = pool(x, kernel, strides)
    return result


def _average_pool(inputs: Tensors, attrs: Attrs) -> torch.Tensor:
    x, kernel, strides = inputs[0], list(attrs["kernel"]), list(attrs["strides"])
    pool: Any = F.avg_pool2d if len(kernel) == 2 else F.avg_pool3d
    if attrs["padding"] != "same":
        result: torch.Tensor = pool(x, kernel, strides)
        return result
    # Only pixels of the image count, as in Keras.
    ones = pad_same(torch.ones_like(x[:1, :1]), kernel, strides)
    shared: torch.Tensor = pool(pad_same(x, kernel, strides), kernel, strides)
    counted: torch.Tensor = pool(ones, kernel, strides)
    return shared / counted


def _upsample(inputs: Tensors, attrs: Attrs) -> torch.Tensor:
    x, size = inputs[0], attrs["size"]
    if attrs["mode"] == "nearest":
        for axis, times in enumerate(size, start=2):
            x = x if times == 1 else x.repeat_interleave(times, dim=axis)
        return x
    lengths = [n * t for n, t in zip(x.shape[2:], size, strict=True)]
    return F.interpolate(x, size=lengths, mode="bilinear", align_corners=False)


def _pad(inputs: Tensors, attrs: Attrs) -> torch.Tensor:
    amounts = [n for pair in reversed(list(attrs["amounts"])) for n in pair]
    mode = "replicate" if attrs["mode"] == "edge" else "constant"
    return F.pad(inputs[0], amounts, mode=mode)


def _crop(inputs: Tensors, attrs: Attrs) -> torch.Tensor:
    x = inputs[0]
    for axis, (before, after) in enumerate(attrs["amounts"], start=2):
        x = x.narrow(axis, before, x.shape[axis] - before - after)
    return x


def _rescale(inputs: Tensors, attrs: Attrs) -> torch.Tensor:
    return inputs[0] * float(attrs["scale"]) + float(attrs["offset"])


def _over_space(x: torch.Tensor) -> list[int]:
    return list(range(2, x.ndim))


def _fold(combine: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Function:
    def folded(inputs: Tensors, attrs: Attrs) -> torch.Tensor:
        result = inputs[0]
        for other in inputs[1:]:
            result = combine(result, other)
        return result

    return folded


_FUNCTIONS: dict[str, Function] = {
    "activation": _activation,
    "max_pool": _max_pool,
    "average_pool": _average_pool,
    "global_average": lambda x, a: x[0].mean(dim=_over_space(x[0]), keepdim=True),
    "global_max": lambda x, a: x[0].amax(dim=_over_space(x[0]), keepdim=True),
    "upsample": _upsample,
    "pad": _pad,
    "crop": _crop,
    "rescale": _rescale,
    "concat": lambda x, a: torch.cat(x, dim=1),
    "add": _fold(torch.add),
    "multiply": _fold(torch.mul),
    "subtract": _fold(torch.sub),
    "maximum": _fold(torch.maximum),
    "minimum": _fold(torch.minimum),
    "average": lambda x, a: _fold(torch.add)(x, a) / len(x),
}
