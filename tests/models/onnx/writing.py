"""Small models of ONNX for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


def small_onnx(
    path: Path, *, end: str = "", dtype: int = 1, size: tuple[Any, ...] = ("h", "w")
) -> Path:
    """Write a convolution of three channels to four, perhaps with something after it."""
    onnx = pytest.importorskip("onnx")
    make = onnx.helper
    rng = np.random.default_rng(0)
    kernel = onnx.numpy_helper.from_array(rng.normal(size=(4, 3, 3, 3)).astype(np.float32), "k")
    nodes = [make.make_node("Cast", ["x"], ["f"], to=1)]
    nodes.append(make.make_node("Conv", ["f", "k"], ["y"], pads=[1, 1, 1, 1]))
    out, kind, shape = "y", 1, [1, 4, *size]
    if end == "ArgMax":
        nodes.append(make.make_node("ArgMax", ["y"], ["z"], axis=1, keepdims=0))
        out, kind, shape = "z", 7, [1, *size]
    elif end:
        nodes.append(make.make_node(end, ["y"], ["z"], domain="evil.ops" if end == "X" else ""))
        out = "z"
    graph = make.make_graph(
        nodes,
        "g",
        [make.make_tensor_value_info("x", dtype, [1, 3, *size])],
        [make.make_tensor_value_info(out, kind, shape)],
        [kernel],
    )
    opsets = [
        make.make_opsetid("", 17),
        *([make.make_opsetid("evil.ops", 1)] if end == "X" else []),
    ]
    onnx.save(make.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path
