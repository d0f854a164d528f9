"""Messages of protobuf as fields: number, kind and value, read without a schema and inertly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

Bytes: TypeAlias = bytes | memoryview

MOST_FIELDS = 1_000_000
"""Fields of a whole file; a large network has some ten thousand."""


class Damaged(ValueError):
    """The bytes are not what the format says."""


def varint(content: Bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise Damaged("a number is cut off")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise Damaged("a number is too long")


def fields(content: Bytes) -> Iterator[tuple[int, int, Any]]:
    """Yield number, kind and value of each field of a message.

    Parameters
    ----------
    content : bytes or memoryview
        Nothing is copied out of a memoryview.

    Yields
    ------
    tuple
        Number; kind (0: a number of variable length, 1: eight bytes, 2: bytes or a message,
        5: four bytes); value (int, or of kind 2 a part of `content`).

    Raises
    ------
    Damaged
        If it is cut off, or has a kind that no writer of today makes.
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


class Fields:
    """Reads messages within a budget of fields, so that no file can keep a reader busy.

    Parameters
    ----------
    most : int
        Fields that all messages read through it may have together.
    """

    def __init__(self, most: int = MOST_FIELDS) -> None:
        self._left = most

    def __call__(self, content: Bytes) -> Iterator[tuple[int, int, Any]]:
        """Yield the fields of a message, as `fields` does."""
        for field in fields(content):
            self._left -= 1
            if self._left < 0:
                raise Damaged("it has more fields than any network")
            yield field


def signed(value: int) -> int:
    """Return a number of variable length as the signed 64-bit number that it stands for."""
    return value - (1 << 64) if value >= 1 << 63 else value


def text(value: Any) -> str:
    """Return a field as text; what is no UTF-8 is marked, what is no text is empty."""
    return bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else ""
