"""A file of ONNX → `Graph`: our own reader of its structure, bounded; no number is copied.

The fields are those of ``onnx.proto`` (ONNX 1.23, IR version 13). What is stored is held against
what is declared, so that no file can make a runtime reserve what it does not hold.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.onnx.structure import BITS, Graph, Node, Outside, Port, Tensor
from napari_defectseg.models.protobuf import Bytes, Damaged, Fields, signed, text, varint

LARGEST = 8 << 30
MOST_OUTERMOST = 10_000
DEEPEST = 4
"""Bodies of conditions and loops inside one another."""
MOST_AXES = 8
FEW = 64
"""Values that a tensor may have to be kept as numbers."""
_MOST_VALUES = 1 << 16
AGAIN = "It may have been cut off while it was copied; fetch it again."


def begins_like_onnx(path: Path) -> bool:
    """Return whether a file is built as ONNX models are: a version, a graph, and operators.

    A file that was cut off counts too, if its name says ONNX; a ``saved_model.pb`` begins alike
    and has neither.
    """
    with path.open("rb") as file:
        head = file.read(3)
    if head[:1] != b"\x08" or len(head) < 3 or not 0 < head[1] < 64:
        return False
    found: set[int] = set()
    try:
        found = _kinds(_mapped(path))
    except OSError:
        return False
    if 0 in found:
        return path.suffix.lower() == ".onnx" or bool(found & {7, 8})
    return {7, 8} <= found


def _kinds(view: memoryview) -> set[int]:
    """Return the numbers of the outermost fields that hold bytes; 0 among them: it is damaged."""
    found: set[int] = set()
    try:
        for number, kind, _ in Fields(MOST_OUTERMOST)(view):
            if kind == 2:
                found.add(number)
    except Damaged:
        found.add(0)
    return found


def read_graph(path: Path) -> Graph:
    """Return the structure of a file.

    Raises
    ------
    ModelError
        If it is damaged, or declares what it does not hold.
    """
    size = path.stat().st_size
    if not 0 < size <= LARGEST:
        raise ModelError(f"{path} has {size} bytes, which is no model of ONNX.")
    try:
        return _Reader().model(_mapped(path))
    except Damaged as error:
        raise ModelError(f"{path} is not a whole model of ONNX: {error}.", hint=AGAIN) from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error


def _mapped(path: Path) -> memoryview:
    """Return the bytes of a file without reading them.

    They are let go of with the last part of them: closed by hand, a part that an error's
    traceback still holds would be an error of its own.
    """
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


@dataclass
class _Reader:
    """Reads one file; counts fields and collects domains."""

    fields: Fields = field(default_factory=Fields)
    domains: set[str] = field(default_factory=set)

    def model(self, content: Bytes) -> Graph:
        """Return the graph of a ``ModelProto``."""
        opsets: dict[str, int] = {}
        metadata: dict[str, str] = {}
        producer, own, graph = "", set(), None
        for number, kind, value in self.fields(content):
            if kind != 2:
                continue
            if number == 2:
                producer = text(value)
            elif number == 7:
                graph = value
            elif number == 8:
                domain, version = self._pair(value)
                opsets[text(domain)] = version if isinstance(version, int) else 0
            elif number == 14:
                key, word = self._pair(value)
                metadata[text(key)] = text(word)
            elif number == 25:
                own.add(self._function(value))
        if graph is None or not opsets:
            raise Damaged("it has no graph, or no version of its operations")
        found = self._graph(graph, 0)
        foreign = frozenset(self.domains - {d for d, _ in own})
        return Graph(**found, opsets=opsets, metadata=metadata, producer=producer, domains=foreign)

    def _graph(self, content: Bytes, depth: int) -> dict[str, Any]:
        if depth > DEEPEST:
            raise Damaged(f"it has conditions or loops more than {DEEPEST} deep")
        nodes, inputs, outputs, tensors = [], [], [], {}
        for number, kind, value in self.fields(content):
            if kind != 2:
                continue
            if number == 1:
                nodes.append(self._node(value, depth))
            elif number == 5:
                tensor = self._tensor(value)
                tensors[tensor.name] = tensor
            elif number == 11:
                inputs.append(self._port(value))
            elif number == 12:
                outputs.append(self._port(value))
            elif number == 15:
                raise Damaged("it has sparse tensors, which are not supported")
        free = tuple(port for port in inputs if port.name not in tensors)
        return {
            "nodes": tuple(nodes),
            "inputs": free,
            "outputs": tuple(outputs),
            "tensors": tensors,
        }

    def _function(self, content: Bytes) -> tuple[str, str]:
        name = domain = ""
        for number, kind, value in self.fields(content):
            if kind == 2 and number == 1:
                name = text(value)
            elif kind == 2 and number == 10:
                domain = text(value)
            elif kind == 2 and number == 7:
                self._node(value, 0)
        return domain, name

    def _node(self, content: Bytes, depth: int) -> Node:
        inputs, outputs, attributes = [], [], {}
        op = domain = ""
        for number, kind, value in self.fields(content):
            if kind != 2:
                continue
            if number == 1:
                inputs.append(text(value))
            elif number == 2:
                outputs.append(text(value))
            elif number == 4:
                op = text(value)
            elif number == 5:
                name, content_ = self._attribute(value, depth)
                attributes[name] = content_
            elif number == 7:
                domain = text(value)
        self.domains.add(domain)
        return Node(op, tuple(inputs), tuple(outputs), attributes, domain)

    def _attribute(self, content: Bytes, depth: int) -> tuple[str, Any]:
        name = ""
        found: Any = None
        numbers: list[float] = []
        for number, kind, value in self.fields(content):
            if number == 1 and kind == 2:
                name = text(value)
            elif number == 2 and kind == 5:
                found = _float(value)
            elif number == 3 and kind == 0:
                found = signed(value)
            elif number == 4 and kind == 2:
                found = text(value[:_MOST_VALUES])
            elif number == 5 and kind == 2:
                found = self._tensor(value)
            elif number in (6, 11) and kind == 2:
                self._graph(value, depth + 1)
            elif number == 8 and kind in (0, 2):
                numbers += _integers(value) if kind == 2 else [signed(value)]
            elif number == 7 and kind in (2, 5):
                numbers += _floats(value) if kind == 2 else [_float(value)]
            elif number == 10 and kind == 2:
                self._tensor(value)
        return name, tuple(numbers) if numbers else found

    def _port(self, content: Bytes) -> Port:
        name, dtype, shape = "", 0, None
        for number, kind, value in self.fields(content):
            if number == 1 and kind == 2:
                name = text(value)
            elif number == 2 and kind == 2:
                for inner, inner_kind, tensor in self.fields(value):
                    if inner == 1 and inner_kind == 2:
                        dtype, shape = self._tensor_type(tensor)
        return Port(name, dtype, shape)

    def _tensor_type(self, content: Bytes) -> tuple[int, tuple[int | str, ...] | None]:
        dtype, shape = 0, None
        for number, kind, value in self.fields(content):
            if number == 1 and kind == 0:
                dtype = value
            elif number == 2 and kind == 2:
                shape = tuple(
                    self._dimension(v) for n, k, v in self.fields(value) if (n, k) == (1, 2)
                )
        if shape is not None and len(shape) > MOST_AXES:
            raise Damaged(f"an input or output has {len(shape)} axes")
        return dtype, shape

    def _dimension(self, content: Bytes) -> int | str:
        for number, kind, value in self.fields(content):
            if number == 1 and kind == 0:
                return signed(value) if signed(value) > 0 else ""
            if number == 2 and kind == 2:
                return text(value)
        return ""

    def _pair(self, content: Bytes) -> tuple[Any, Any]:
        found = {number: value for number, kind, value in self.fields(content) if kind in (0, 2)}
        return found.get(1, b""), found.get(2, b"")

    def _tensor(self, content: Bytes) -> Tensor:
        found: dict[int, Any] = {}
        shape: list[int] = []
        words: dict[str, str] = {}
        for number, kind, value in self.fields(content):
            if number == 1 and kind in (0, 2):
                shape += _integers(value) if kind == 2 else [signed(value)]
            elif number == 13 and kind == 2:
                key, word = self._pair(value)
                words[text(key)] = text(word)
            elif kind == (0 if number in (2, 14) else 2):
                found[number] = value
        if len(shape) > MOST_AXES or any(length < 0 for length in shape):
            raise Damaged("a tensor has a shape that makes no sense")
        return _checked(found, tuple(shape), words)


def _checked(found: Mapping[int, Any], shape: tuple[int, ...], words: dict[str, str]) -> Tensor:
    """Return a tensor whose stored bytes are those that its shape asks for."""
    name, dtype, count = text(found.get(8, b"")), int(found.get(2, 0)), math.prod(shape)
    if dtype not in BITS:
        if dtype == 8:
            return Tensor(name, shape, dtype)
        raise Damaged(f"the tensor {name!r} has the unknown type {dtype}")
    size = (count * BITS[dtype] + 7) // 8
    if found.get(14) == 1:
        return Tensor(name, shape, dtype, outside=_outside(words, name, size))
    if 9 in found:
        if len(found[9]) != size:
            raise Damaged(f"the tensor {name!r} of {size} bytes has {len(found[9])}")
        few = _raw(found[9], dtype, count) if count <= FEW else ()
        return Tensor(name, shape, dtype, few)
    packed = next((number for number in (4, 5, 7, 10, 11) if number in found), 0)
    room = len(found[packed]) if packed else 0
    least = count * {4: 4, 10: 8}.get(packed, 1)
    if room < least and not (dtype in (21, 22, 23) and room >= count // 2):
        raise Damaged(f"the tensor {name!r} of {count} values has {room} bytes")
    typed = _typed(found[packed], packed)[:FEW] if packed and count <= FEW else []
    return Tensor(name, shape, dtype, tuple(typed))


def _outside(words: Mapping[str, str], name: str, size: int) -> Outside:
    try:
        offset, length = int(words.get("offset", "0")), int(words.get("length", str(size)))
    except ValueError as error:
        raise Damaged(f"the tensor {name!r} lies at no number") from error
    if not words.get("location") or offset < 0 or length != size:
        raise Damaged(f"the tensor {name!r} of {size} bytes lies nowhere, or has {length}")
    return Outside(words["location"], offset, length)


def _raw(content: Bytes, dtype: int, count: int) -> tuple[float, ...]:
    code = {1: "f", 2: "B", 3: "b", 4: "H", 5: "h", 6: "i", 7: "q", 9: "?", 10: "e", 11: "d"}
    letter = code.get(dtype)
    return struct.unpack(f"<{count}{letter}", content) if letter else ()


def _typed(content: Bytes, number: int) -> list[float]:
    if number == 4:
        return _floats(content)
    if number == 10:
        return list(struct.unpack(f"<{len(content) // 8}d", content[: len(content) // 8 * 8]))
    return list(_integers(content))


def _floats(content: Bytes) -> list[float]:
    content = content[: 4 * _MOST_VALUES]
    return list(struct.unpack(f"<{len(content) // 4}f", content[: len(content) // 4 * 4]))


def _float(value: int) -> float:
    return float(struct.unpack("<f", value.to_bytes(4, "little"))[0])


def _integers(content: Bytes) -> list[int]:
    found, at = [], 0
    while at < len(content):
        value, at = varint(content, at)
        found.append(signed(value))
        if len(found) > _MOST_VALUES:
            raise Damaged("a list of numbers is longer than any network needs")
    return found
