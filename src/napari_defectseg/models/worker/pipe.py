"""Messages between the two processes: a length, one line of JSON, raw bytes; never a pickle."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import IO, Any, TypeAlias

Message: TypeAlias = dict[str, Any]

HEAD = struct.Struct("<IQ")
"""Bytes of the JSON, and of what follows it."""
LONGEST = 1 << 20
"""Bytes of JSON that are read."""


class BadMessage(ValueError):
    """What came is no message."""


def write(stream: IO[bytes], message: Mapping[str, Any], raw: bytes | memoryview = b"") -> None:
    """Send one message.

    Raises
    ------
    OSError
        If nobody listens any more.
    """
    text = json.dumps(message).encode()
    stream.write(HEAD.pack(len(text), len(raw)) + text)
    if len(raw):
        stream.write(raw)
    stream.flush()


def read(stream: IO[bytes], most: int) -> tuple[Message, bytes] | None:
    """Return the next message and its raw bytes; None where the other side has ended.

    Parameters
    ----------
    stream : file
    most : int
        Raw bytes that are taken.

    Raises
    ------
    BadMessage
        If what came is no message, or is longer than it may be.
    """
    head = _exactly(stream, HEAD.size)
    if head is None:
        return None
    length, more = HEAD.unpack(head)
    if length > LONGEST or more > most:
        raise BadMessage(f"a message of {length} and {more} bytes")
    text, raw = _exactly(stream, length), _exactly(stream, more)
    if text is None or raw is None:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage("a message that is no JSON") from error
    if not isinstance(message, dict):
        raise BadMessage("a message that is no table")
    return message, raw


def _exactly(stream: IO[bytes], count: int) -> bytes | None:
    parts, left = [], count
    while left:
        part = stream.read(min(left, 1 << 22))
        if not part:
            return None
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
