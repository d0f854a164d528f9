"""A small model of OpenVINO, written without OpenVINO: one halving, one doubling, a softmax."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

FREE = -1


class Writer:
    """Collects layers, edges and numbers."""

    def __init__(self) -> None:
        self.layers: list[str] = []
        self.edges: list[str] = []
        self.numbers = b""

    def add(
        self, kind: str, data: dict[str, Any], given: Sequence[tuple[int, list[int]]],
        shape: list[int] | None,
    ) -> tuple[int, list[int]]:  # fmt: skip
        """Add a layer; return it with the shape of what it gives."""
        number = len(self.layers)
        told = " ".join(f'{key}="{value}"' for key, value in data.items())
        text = f'<layer id="{number}" name="{kind} {number}" type="{kind}" version="opset1">'
        text += f"<data {told}/>" if told else ""
        if given:
            ports = [_port(place, size, "") for place, (_, size) in enumerate(given)]
            text += f"<input>{''.join(ports)}</input>"
        if shape is not None:
            text += f"<output>{_port(len(given), shape, f'value{number}')}</output>"
        self.layers.append(f"{text}</layer>")
        for place, (source, _) in enumerate(given):
            port = self.layers[source].count("<port ") - 1
            self.edges.append(
                f'<edge from-layer="{source}" from-port="{port}" to-layer="{number}" '
                f'to-port="{place}"/>'
            )
        return number, shape or []

    def const(self, values: np.ndarray) -> tuple[int, list[int]]:
        """Add numbers."""
        kind = {"f": "f32", "i": "i64"}[values.dtype.kind]
        raw = values.astype({"f32": np.float32, "i64": np.int64}[kind]).tobytes()
        shape = list(values.shape)
        data = {
            "element_type": kind, "shape": ", ".join(map(str, shape)),
            "offset": len(self.numbers), "size": len(raw),
        }  # fmt: skip
        self.numbers += raw
        return self.add("Const", data, (), shape)

    def text(self) -> str:
        """Return the XML."""
        layers, edges = "".join(self.layers), "".join(self.edges)
        return (
            f'<?xml version="1.0"?><net name="small" version="11"><layers>{layers}</layers>'
            f"<edges>{edges}</edges><rt_info><model_info>"
            '<labels value="background void"/></model_info></rt_info></net>'
        )


def _port(number: int, shape: list[int], names: str) -> str:
    dims = "".join(f"<dim>{n}</dim>" for n in shape)
    named = f' names="{names}"' if names else ""
    return f'<port id="{number}" precision="FP32"{named}>{dims}</port>'


def small_openvino(path: Path, *, seed: int = 0) -> Path:
    """Write a model of one channel and two classes, and return the file of its layers."""
    dice, net = np.random.default_rng(seed), Writer()
    plain = {"dilations": "1, 1", "pads_begin": "1, 1", "pads_end": "1, 1", "auto_pad": "explicit"}

    def convolved(x: Any, inputs: int, outputs: int, stride: int) -> Any:
        kernel = net.const(dice.normal(size=(outputs, inputs, 3, 3)))
        data = {"strides": f"{stride}, {stride}", **plain}
        made = net.add("Convolution", data, [x, kernel], [FREE, outputs, FREE, FREE])
        bias = net.const(dice.normal(size=(1, outputs, 1, 1)))
        return net.add("Add", {"auto_broadcast": "numpy"}, [made, bias], made[1])

    shape = [FREE, 1, FREE, FREE]
    image = net.add("Parameter", {"shape": "?,1,?,?", "element_type": "f32"}, (), shape)
    fine = convolved(image, 1, 4, 2)
    fine = net.add("ReLU", {}, [fine], fine[1])
    kernel = net.const(dice.normal(size=(4, 2, 2, 2)))
    data = {"strides": "2, 2", **plain, "pads_begin": "0, 0", "pads_end": "0, 0",
            "output_padding": "0, 0"}  # fmt: skip
    logits = net.add("ConvolutionBackpropData", data, [fine, kernel], [FREE, 2, FREE, FREE])
    scores = net.add("SoftMax", {"axis": 1}, [logits], logits[1])
    net.add("Result", {}, [scores], None)
    path.with_suffix(".bin").write_bytes(net.numbers)
    path.write_text(net.text())
    return path
