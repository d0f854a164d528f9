"""Messages of Protocol Buffers as TensorFlow writes them, read without a description of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from napari_defectseg.models.keras.table import Damaged, varint


def fields_of(content: bytes) -> Iterator[tuple[int, int, Any]]:
    """Yield number, kind and value of each field of a message.

    Raises
    ------
    Damaged
        If it is cut off, or none.
    """
    at = 0
    while at < len(content):
        key, at = varint(content, at)
        kind = key & 7
        value: Any
        if kind == 0:
            value, at = varint(content, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = int.from_bytes(content[at : at + size], "little"), at + size
        elif kind == 2:
            size, at = varint(content, at)
            value, at = content[at : at + size], at + size
        else:
            raise Damaged(f"a field of the unknown kind {kind}")
        if at > len(content):
            raise Damaged("a field is cut off")
        yield key >> 3, kind, value
