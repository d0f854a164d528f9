"""Ways to damage the bytes of a file, seeded, that leave enough of it whole to get past its front.

Each way takes bytes and dice and returns other bytes. Containers are opened, one part is damaged,
and sums of checks are made right again, so that the reader behind the check is reached as well.
"""

from __future__ import annotations

import copy
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from typing import Any, TypeAlias

Way: TypeAlias = Callable[[bytes, random.Random], bytes]

LIMITS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1)
VALUES: tuple[Any, ...] = (
    None, True, "", "x", "../../etc/passwd", "$import os", "Lambda", "Conv2D", 0, -1, 1, 2, 3, 32,
    65536, 10**9, 2**63, 10**30, 0.5, -1e308, float("nan"), float("inf"), [], {}, [0], [1, 1],
    [-1], [None], [[["a", 0, 0]]], {"class_name": "x", "config": {}}, "\x00", "é" * 40, [[[[[]]]]],
)  # fmt: skip


def in_bytes(data: bytes, dice: random.Random) -> bytes:
    """Turn bits, write extreme numbers, cut, double, move or end early; more often at the front."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 12))):
        if not changed:
            break
        near = min(len(changed), dice.choice((64, 512, 4096, len(changed))))
        at = dice.randrange(near)
        kind = dice.randrange(10)
        if kind <= 3:
            changed[at] ^= 1 << dice.randrange(8)
        elif kind == 4:
            changed[at] = dice.randrange(256)
        elif kind <= 6:
            size = dice.choice((1, 2, 4, 8))
            number = dice.choice(LIMITS) & ((1 << 8 * size) - 1)
            changed[at : at + size] = number.to_bytes(size, dice.choice(("little", "big")))
        elif kind == 7:
            del changed[at : at + dice.choice((1, 2, 8, 64))]
        elif kind == 8:
            piece = bytes(changed[at : at + dice.choice((1, 4, 16, 128))])
            there = dice.randrange(near)
            changed[there:there] = piece
        elif dice.random() < 0.3:
            del changed[dice.randrange(len(changed)) :]
        else:
            there, size = dice.randrange(near), dice.choice((4, 8, 24))
            changed[at : at + size] = changed[there : there + size]
    return bytes(changed)


def in_json(data: bytes, dice: random.Random) -> bytes:
    """Replace, remove, double or exchange parts of a JSON text; sometimes damage its bytes."""
    if dice.random() < 0.1:
        return in_bytes(data, dice)
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return in_bytes(data, dice)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        places = _places(tree)
        if not places:
            break
        holder, key = dice.choice(places)
        kind = dice.randrange(6)
        if kind <= 2:
            holder[key] = copy.deepcopy(dice.choice(VALUES))
        elif kind == 3:
            del holder[key]
        elif kind == 4:
            other, name = dice.choice(places)
            if name in other if isinstance(other, dict) else name < len(other):
                holder[key] = json.loads(json.dumps(other[name]))
        elif isinstance(holder, list):
            holder.insert(dice.randrange(len(holder) + 1), holder[key])
        else:
            holder[dice.choice(("shape", "class_name", "config", "name", "extra"))] = holder[key]
    return json.dumps(tree).encode()


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    left = [tree]
    while left:
        item = left.pop()
        if isinstance(item, dict | list):
            keys = list(item) if isinstance(item, dict) else list(range(len(item)))
            found += [(item, key) for key in keys]
            left += [item[key] for key in keys]
    return found


def in_safetensors(data: bytes, dice: random.Random) -> bytes:
    """Damage the header as JSON, with the right length before it, or anything."""
    if dice.random() < 0.4:
        return in_bytes(data, dice)
    length = int.from_bytes(data[:8], "little")
    header = in_json(data[8 : 8 + length], dice)
    return struct.pack("<Q", len(header)) + header + data[8 + length :]


def in_message(data: bytes, dice: random.Random) -> bytes:
    """Damage the description in the metadata of a SavedModel as JSON, or the message itself."""
    if dice.random() < 0.3:
        return in_bytes(data, dice)
    from napari_defectseg.models.protobuf import Damaged, fields

    try:
        nodes = [{n: v for n, _, v in fields(node)} for _, k, node in fields(data) if k == 2]
    except Damaged:
        return in_bytes(data, dice)
    if not nodes:
        return in_bytes(data, dice)
    text = in_json(nodes[0].get(5, b""), dice)
    return message(1, message(3, nodes[0].get(3, b"root")) + message(5, text))


def in_graph(data: bytes, dice: random.Random) -> bytes:
    """Damage one field of a message or of a message in it, with right lengths around it."""
    if dice.random() < 0.2:
        return in_bytes(data, dice)
    return _in_field(data, dice, DEEPEST)


DEEPEST = 6


def _in_field(data: bytes, dice: random.Random, deepest: int) -> bytes:
    from napari_defectseg.models.protobuf import Damaged, fields

    try:
        parts = list(fields(data))
    except Damaged:
        parts = []
    if not parts or not deepest:
        return in_bytes(data, dice)
    chosen, kind = dice.randrange(len(parts)), dice.randrange(8)
    out = bytearray()
    for number, (key, form, value) in enumerate(parts):
        here = number == chosen
        if here and kind == 0:
            continue
        if form == 2:
            content = bytes(value)
            out += message(key, _in_field(content, dice, deepest - 1) if here else content)
        else:
            size = {0: 0, 1: 8, 5: 4}[form]
            changed = dice.choice(LIMITS) if here else value
            raw = (changed & ((1 << 8 * size) - 1)).to_bytes(size, "little") if size else b""
            out += varint(key << 3 | form) + (raw or varint(changed))
        if here and kind == 1:
            out += out[-dice.choice((2, 8, 64)) :]
    return bytes(out)


def message(number: int, content: bytes) -> bytes:
    """Return a field of a message: its number, the length and the content."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Return a number of seven bits a byte, lowest first."""
    found = bytearray()
    while value >= 128:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


WORDS = (
    "", "-1", "0", "1", "65536", "99999999999999999999", "?", "1, 1", "-1,-1", "nan", "f32", "u4",
    "opset1", "extension", "Const", "Result", "Parameter", "If", "../x", "é" * 40,
)  # fmt: skip
"""What stands in the place of an attribute or a text of XML."""


def in_xml(data: bytes, dice: random.Random) -> bytes:
    """Replace attributes and texts, remove, double or exchange elements; sometimes the bytes."""
    if dice.random() < 0.2:
        return in_bytes(data, dice)
    from xml.etree import ElementTree

    root = ElementTree.fromstring(data)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        holder = dice.choice([item for item in root.iter() if len(item)])
        place = dice.randrange(len(holder))
        item, kind = holder[place], dice.randrange(8)
        if kind <= 3 and item.attrib:
            item.set(dice.choice(list(item.attrib)), dice.choice(WORDS))
        elif kind == 4 and item.attrib:
            del item.attrib[dice.choice(list(item.attrib))]
        elif kind == 5:
            item.text = dice.choice(WORDS)
        elif kind == 6:
            holder.insert(dice.randrange(len(holder) + 1), copy.deepcopy(item))
        else:
            holder.remove(item)
    return bytes(ElementTree.tostring(root))


def in_zip(inner: Callable[[str], Way]) -> Way:
    """Return a way that damages one member and packs the archive again, or the archive itself."""

    def way(data: bytes, dice: random.Random) -> bytes:
        if dice.random() < 0.25:
            return in_bytes(data, dice)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [(m, archive.read(m)) for m in archive.infolist()]
        chosen = dice.randrange(len(parts))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for number, (member, content) in enumerate(parts):
                name = member.filename
                if number == chosen and dice.random() < 0.06:
                    name = dice.choice(
                        ("../" + name, "/" + name, name.upper(), "a" * 300, name + "/")
                    )
                changed = inner(name)(content, dice) if number == chosen else content
                archive.writestr(zipfile.ZipInfo(name), changed, member.compress_type)
        return out.getvalue()

    return way


def in_hdf5(attribute: str) -> Way:
    """Return a way that damages the bytes of an HDF5 file, or the JSON in one of its attributes."""

    def way(data: bytes, dice: random.Random) -> bytes:
        if dice.random() < 0.65:
            return in_bytes(data, dice)
        import h5py

        file = io.BytesIO(data)
        with h5py.File(file, "r+") as root:
            if attribute not in root.attrs:
                return in_bytes(data, dice)
            text = root.attrs[attribute]
            text = text.encode() if isinstance(text, str) else bytes(text)
            changed = in_json(text, dice).replace(b"\0", b"")
            root.attrs[attribute] = changed.decode("utf-8", "replace")
        return file.getvalue()

    return way


def in_table(data: bytes, dice: random.Random) -> bytes:
    """Damage the index of a TensorFlow checkpoint and make the sums of its blocks right again."""
    if dice.random() < 0.3:
        return in_bytes(data, dice)
    from napari_defectseg.models.keras.checksum import masked_crc
    from napari_defectseg.models.keras.table import handle

    changed = bytearray(data)
    index, _ = handle(data[-48:], handle(data[-48:], 0)[1])
    places = [index, (0, index[0])]
    offset, size = dice.choice(places)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = offset + dice.randrange(max(1, size))
        changed[at] = dice.choice((changed[at] ^ 1 << dice.randrange(8), 0, 0x7F, 0xFF))
    for place, length in _blocks(changed, index):
        if place + length + 5 <= len(changed):
            content = bytes(changed[place : place + length + 1])
            changed[place + length + 1 : place + length + 5] = struct.pack(
                "<I", masked_crc(content)
            )
    return bytes(changed)


def _blocks(data: bytearray, index: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the index block and the first data block; files of tests have one."""
    from napari_defectseg.models.keras.table import handle
    from napari_defectseg.models.protobuf import Damaged, varint

    block = bytes(data[index[0] : index[0] + index[1]])
    try:
        at = 0
        for _ in range(2):
            _, at = varint(block, at)
        _, at = varint(block, at)
        start = len(block[: at + varint(block, 1)[0]])
        return [index, handle(block, start)[0]]
    except Damaged:
        return [index]
