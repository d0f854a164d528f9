"""What a function in a Lambda layer holds, read without making a function of it.

Keras keeps such a function as Python's marshalled code. Python's own reader is made for trusted
files alone (it can crash), so the bytes are read here, and only numbers and names are kept.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_defectseg.models.hdf5.source import Cursor, Strange

LONGEST = 1 << 20
DEEPEST = 20
MOST_PARTS = 20_000
_FIELDS = {  # numbers (i) and objects (o) of a code object: Python 3.11 on, 3.8 to 3.10, before
    "new": "iiiii" + "oooooooo" + "i" + "oo",
    "middle": "iiiiii" + "oooooooo" + "i" + "o",
    "old": "iiiii" + "oooooooo" + "i" + "o",
}


@dataclass(frozen=True)
class Seen:
    """What was seen in a function.

    Parameters
    ----------
    numbers : tuple of float
        Constants in it.
    words : tuple of str
        Names that it uses and texts in it.
    """

    numbers: tuple[float, ...] = ()
    words: tuple[str, ...] = ()


def seen_in(function: Any) -> Seen | None:
    """Return what a function holds, in the words of Keras 2 or 3; None where it is unreadable.

    Parameters
    ----------
    function : object
        ``config["function"]`` of a Lambda layer.
    """
    if isinstance(function, Mapping):
        inside = function.get("config")
        function = inside.get("code") if isinstance(inside, Mapping) else inside
    elif isinstance(function, list) and function:
        function = function[0]
    if not isinstance(function, str) or len(function) > LONGEST:
        return None
    if function.isidentifier() and len(function) < 40:  # the name of a function elsewhere
        return Seen((), (function,))
    try:
        data = base64.b64decode(function, validate=False)
    except (binascii.Error, ValueError):
        return None
    for layout in _FIELDS:
        reader = _Reader(Cursor(data), layout)
        try:
            value = reader.value(0)
        except (Strange, struct.error):
            continue
        if isinstance(value, _Code) and not reader.cursor.left():
            return Seen(tuple(dict.fromkeys(value.numbers)), tuple(dict.fromkeys(value.words)))
    return None


@dataclass(frozen=True)
class _Code:
    numbers: tuple[float, ...]
    words: tuple[str, ...]


class _Reader:
    """Reads marshalled values for one layout of code objects."""

    def __init__(self, cursor: Cursor, layout: str) -> None:
        self.cursor = cursor
        self._fields = _FIELDS[layout]
        self._kept: list[Any] = []
        self._parts = 0

    def value(self, depth: int) -> Any:
        """Return the next value; kinds without a meaning here are None."""
        self._parts += 1
        if depth > DEEPEST or self._parts > MOST_PARTS:
            raise Strange("too deep or too long")
        first = self.cursor.number(1)
        kind, keep = chr(first & 127), bool(first & 128)
        place = len(self._kept)
        if keep:
            self._kept.append(None)
        value = self._of(kind, depth)
        if keep:
            self._kept[place] = value
        return value

    def _of(self, kind: str, depth: int) -> Any:
        take, number = self.cursor.take, self.cursor.number
        match kind:
            case "N" | "T" | "F" | "S" | ".":
                return None
            case "i":
                return struct.unpack("<i", take(4))[0]
            case "g":
                return struct.unpack("<d", take(8))[0]
            case "l":
                take(2 * abs(struct.unpack("<i", take(4))[0]))
                return None
            case "f":
                return self._decimal(take(number(1)))
            case "y":
                take(16)
                return None
            case "s" | "t" | "u" | "a" | "A":
                return take(number(4)).decode("utf-8", "replace")
            case "z" | "Z":
                return take(number(1)).decode("utf-8", "replace")
            case "(" | "[" | "<" | ">":
                return tuple(self.value(depth + 1) for _ in range(self._count(number(4))))
            case ")":
                return tuple(self.value(depth + 1) for _ in range(number(1)))
            case "r":
                place = number(4)
                if place >= len(self._kept):
                    raise Strange("a value that was never there")
                return self._kept[place]
            case "c":
                return self._code(depth)
        raise Strange(f"a value of the kind {kind!r}")

    @staticmethod
    def _decimal(text: bytes) -> float | None:
        try:
            return float(text)
        except ValueError:
            return None

    def _count(self, count: int) -> int:
        if count > self.cursor.left():
            raise Strange("more values than bytes")
        return count

    def _code(self, depth: int) -> _Code:
        objects: list[Any] = []
        for field in self._fields:
            if field == "i":
                self.cursor.take(4)
            else:
                objects.append(self.value(depth + 1))
        constants, names = objects[1], objects[2]
        if not isinstance(constants, tuple) or not isinstance(names, tuple):
            raise Strange("code of another version")
        inner = [c for c in constants if isinstance(c, _Code)]
        numbers = [c for c in constants if isinstance(c, int | float)]
        words = [str(w) for w in (*names, *constants) if isinstance(w, str)]
        return _Code(
            (*numbers, *(n for code in inner for n in code.numbers)),
            (*words, *(w for code in inner for w in code.words)),
        )
