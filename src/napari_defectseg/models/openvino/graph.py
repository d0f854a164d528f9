"""Layers of OpenVINO → `Graph`, in the words of ONNX, so that one reading serves both."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.onnx.structure import BITS, Graph, Node, Port, Tensor
from napari_defectseg.models.openvino.document import AGAIN, Document, Layer, Place, read_document

FEW = 64
TYPES = {
    "f32": 1, "fp32": 1, "u8": 2, "i8": 3, "u16": 4, "i16": 5, "i32": 6, "i64": 7, "boolean": 9,
    "bool": 9, "f16": 10, "fp16": 10, "f64": 11, "fp64": 11, "u32": 12, "u64": 13, "bf16": 16,
    "f8e4m3": 17, "f8e5m2": 19, "u4": 21, "i4": 22, "nf4": 22,
}  # fmt: skip
"""Types by their names in the file, as ONNX numbers them."""
_CODES = {1: "f", 2: "B", 3: "b", 6: "i", 7: "q", 10: "e", 11: "d"}
_OPS = {
    "Convolution": "Conv", "GroupConvolution": "Conv", "BinaryConvolution": "Conv",
    "ConvolutionBackpropData": "ConvTranspose", "GroupConvolutionBackpropData": "ConvTranspose",
    "AvgPool": "AveragePool", "Multiply": "Mul", "Subtract": "Sub", "Divide": "Div",
    "ReLU": "Relu", "PReLU": "PRelu", "Clamp": "Clip", "SoftMax": "Softmax", "Convert": "Cast",
    "Interpolate": "Resize", "ShapeOf": "Shape", "StridedSlice": "Slice", "VariadicSplit": "Split",
    "Broadcast": "Expand", "BatchNormInference": "BatchNormalization",
    "FakeQuantize": "QuantizeLinear", "HSwish": "HardSwish", "Swish": "HardSwish",
    "HSigmoid": "HardSigmoid", "Negative": "Neg", "Power": "Pow", "Maximum": "Max",
    "Minimum": "Min", "Select": "Where", "LogicalAnd": "And", "LogicalOr": "Or",
    "LogicalNot": "Not", "GreaterEqual": "GreaterOrEqual", "LessEqual": "LessOrEqual",
    "SoftPlus": "Softplus", "SoftSign": "Softsign", "Ceiling": "Ceil",
}  # fmt: skip
"""Layers that ONNX has under another name."""
_SET = re.compile(r"opset\d{1,2}")


def graph_of(path: Path) -> tuple[Graph, Path]:
    """Return the graph in a file, and the file of its numbers.

    Raises
    ------
    ModelError
        If it is damaged, its numbers are missing, or it has layers of an extension.
    """
    document = read_document(path)
    where, numbers = str(path), path.with_suffix(".bin")
    _check_sets(document, where)
    if numbers.is_symlink() or not numbers.is_file():
        raise ModelError(
            f"{where} has its numbers in {numbers.name}, which is not a file beside it.",
            hint="Fetch that file too and put both into one folder.",
        )
    translator = _Translator(document, numbers, where)
    return translator.graph(), numbers


def _check_sets(document: Document, where: str) -> None:
    versions = {layer.version for layer in document.layers} | document.inner
    foreign = sorted(v for v in versions if not _SET.fullmatch(v))
    if foreign or not document.layers:
        named = ", ".join(foreign) or "nothing"
        raise ModelError(
            f"{where} needs layers of {named}, which OpenVINO itself does not have: not opened.",
            hint="Convert it without extensions.",
        )


class _Translator:
    """Turns layers into operations one by one.

    Parameters
    ----------
    document : Document
    numbers : Path
    where : str
    """

    def __init__(self, document: Document, numbers: Path, where: str) -> None:
        self._document = document
        self._numbers = numbers
        self._size = numbers.stat().st_size
        self._where = where
        self._layers = {layer.id: layer for layer in document.layers}
        self._tensors: dict[str, Tensor] = {}
        self._names = {
            (layer.id, place.id): _name(layer, place)
            for layer in document.layers
            for place in layer.outputs
        }

    def graph(self) -> Graph:
        """Return all of it."""
        nodes, inputs, outputs = [], [], []
        for layer in self._document.layers:
            if layer.type == "Parameter":
                inputs.append(self._port(layer, layer.outputs[0] if layer.outputs else None))
            elif layer.type == "Result":
                outputs.append(self._result(layer))
            elif layer.type == "Const":
                tensor = self._const(layer)
                self._tensors[tensor.name] = tensor
            else:
                nodes.append(self._node(layer))
        return Graph(
            tuple(nodes),
            tuple(inputs),
            tuple(outputs),
            self._tensors,
            {"": 17},
            dict(self._document.info),
            "OpenVINO",
        )

    def _given(self, layer: Layer) -> list[str]:
        ends = [self._document.edges.get((layer.id, place.id)) for place in layer.inputs]
        return [self._names.get(end, "") if end else "" for end in ends]

    def _port(self, layer: Layer, place: Place | None) -> Port:
        name = _name(layer, place) if place else layer.name
        sizes = [part.strip() for part in layer.data.get("shape", "").split(",") if part.strip()]
        shape = tuple(int(part) if part.isdigit() and int(part) > 0 else "" for part in sizes)
        return Port(name, TYPES.get(layer.data.get("element_type", "").lower(), 0), shape)

    def _result(self, layer: Layer) -> Port:
        place = layer.inputs[0] if layer.inputs else Place("")
        shape = tuple(n if n > 0 else "" for n in place.shape)
        given = self._given(layer)
        return Port(given[0] if given else "", TYPES.get(place.precision.lower(), 0), shape)

    def _const(self, layer: Layer) -> Tensor:
        name = _name(layer, layer.outputs[0]) if layer.outputs else layer.name
        dtype = TYPES.get(layer.data.get("element_type", "").lower(), 0)
        shape = tuple(_numbers(layer.data.get("shape", "")))
        offset, size = (int(layer.data.get(key, "-1")) for key in ("offset", "size"))
        count = math.prod(shape)
        needed = (count * BITS.get(dtype, 8) + 7) // 8
        if offset < 0 or min((*shape, 0)) < 0 or size < needed or offset + size > self._size:
            raise ModelError(
                f"{self._where} takes {layer.name!r} from byte {offset} to {offset + size} of "
                f"{self._numbers.name}, which has {self._size}.",
                hint=AGAIN,
            )
        return Tensor(name, shape, dtype, self._few(dtype, count, offset))

    def _few(self, dtype: int, count: int, offset: int) -> tuple[float, ...]:
        code = _CODES.get(dtype)
        if code is None or count > FEW:
            return ()
        with self._numbers.open("rb") as file:
            file.seek(offset)
            return struct.unpack(f"<{count}{code}", file.read(struct.calcsize(f"<{count}{code}")))

    def _node(self, layer: Layer) -> Node:
        given, data = self._given(layer), layer.data
        outputs = tuple(self._names[layer.id, place.id] for place in layer.outputs)
        op = _OPS.get(layer.type, layer.type)
        attributes = _attributes(data)
        if op in ("Conv", "ConvTranspose"):
            given, more = self._kernel(layer, given)
            attributes |= more
        elif op == "Resize":
            given, more = self._enlarging(layer, given)
            attributes |= more
        elif op == "Transpose" and len(given) > 1:
            attributes["perm"] = tuple(int(n) for n in self._value(given[1]))
        elif op == "TopK" and len(outputs) > 1 and self._value(given[1]) == (1,):
            op, outputs = "ArgMax", outputs[1:]
        elif op == "Pad" and len(given) > 2:
            ends = tuple(int(n) for name in given[1:3] for n in self._value(name))
            attributes.update({"pads": ends} if ends else {})
        elif op.startswith("Reduce") and len(given) > 1:
            attributes["axes"] = tuple(int(n) for n in self._value(given[1]))
        return Node(op, tuple(given), outputs, attributes)

    def _value(self, name: str) -> tuple[float, ...]:
        return self._tensors[name].values if name in self._tensors else ()

    def _kernel(self, layer: Layer, given: list[str]) -> tuple[list[str], dict[str, Any]]:
        """Return the inputs with a kernel of the shape that ONNX gives it, and the groups."""
        shape = tuple(layer.inputs[1].shape) if len(layer.inputs) > 1 else ()
        if len(shape) < 3 or min(shape) < 1:
            return given, {}
        group = 1
        if layer.type.startswith("Group"):
            group, shape = shape[0], (shape[0] * shape[1], *shape[2:])
        name = f"{layer.id} kernel"
        self._tensors[name] = Tensor(name, shape, 0)
        space = shape[2:]
        return [given[0], name], {"group": group, "kernel_shape": space}

    def _enlarging(self, layer: Layer, given: list[str]) -> tuple[list[str], dict[str, Any]]:
        """Return the inputs with the factors where ONNX has them."""
        by_factors = layer.data.get("shape_calculation_mode", "sizes") == "scales"
        at = 2 if len(given) > 3 or (len(given) == 3 and layer.version == "opset4") else 1
        factors = given[at] if by_factors and len(given) > at else ""
        mode = layer.data.get("mode", "nearest").replace("linear_onnx", "linear")
        return [given[0], "", factors], {"mode": mode}


def _attributes(data: Mapping[str, str]) -> dict[str, Any]:
    """Return attributes under the names that ONNX gives them."""
    found: dict[str, Any] = {}
    for name in ("strides", "dilations"):
        if name in data:
            found[name] = tuple(_numbers(data[name]))
    if "pads_begin" in data:
        found["pads"] = tuple(_numbers(data["pads_begin"]) + _numbers(data.get("pads_end", "")))
    if "kernel" in data:
        found["kernel_shape"] = tuple(_numbers(data["kernel"]))
    for name, ours in (("axis", "axis"), ("block_size", "blocksize")):
        if data.get(name, "").lstrip("-").isdigit():
            found[ours] = int(data[name])
    for name in ("auto_pad", "coordinate_transformation_mode"):
        if name in data:
            value = data[name]
            found[name] = value.upper() if name == "auto_pad" else value
    return found


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part.strip()]


def _name(layer: Layer, place: Place) -> str:
    """Return the first name of a value, which the runtime knows too, else one of ours."""
    first = place.names.split(",")[0].strip()
    return first or f"{layer.name}:{place.id}"
