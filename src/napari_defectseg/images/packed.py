"""Pixels in a gzip, zlib or bzip2 stream, unpacked only as far as they are expected."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.images.border import cut_short

READ = 1 << 20
GZIP, BZIP2 = b"\x1f\x8b", b"BZh"
DEFLATE_RATIO = 1032
"""The most that deflate can pack."""
ANY_HEADER = 32 + zlib.MAX_WBITS
"""Tells zlib to accept a gzip or a zlib header."""


@dataclass(frozen=True)
class Packing:
    """How bytes are packed.

    Parameters
    ----------
    kind : str
        ``"gz"`` (gzip or zlib), ``"bz2"``, or empty for bytes as they are.
    start : int
        Where the packed stream begins in the file.
    """

    kind: str = ""
    start: int = 0


AS_IT_IS = Packing()


def packing_of(path: Path) -> Packing:
    """Return how a file is packed as a whole, by its first bytes."""
    with path.open("rb") as file:
        start = file.read(3)
    kind = "gz" if start[:2] == GZIP else "bz2" if start == BZIP2 else ""
    return Packing(kind)


def unpack(path: Path, packing: Packing, skip: int, count: int) -> np.ndarray[Any, Any]:
    """Return `count` bytes of a packed stream; what comes after them is not unpacked.

    Parameters
    ----------
    path : Path
    packing : Packing
    skip : int
        Bytes of the unpacked stream that come before.
    count : int
        Bytes wanted.

    Raises
    ------
    ImageError
        If the stream ends before.
    """
    out = np.empty(count, np.uint8)
    filled = -skip
    for piece in _pieces(path, packing):
        from_piece = piece[max(-filled, 0) :]
        start = max(filled, 0)
        taken = from_piece[: count - start]
        out[start : start + len(taken)] = np.frombuffer(taken, np.uint8)
        filled += len(piece)
        if filled >= count:
            return out
    raise cut_short(path, max(filled, 0), count)


def beginning(path: Path, count: int) -> bytes:
    """Return up to `count` first bytes of a file, unpacked; fewer where it is damaged."""
    found = b""
    try:
        for piece in _pieces(path, packing_of(path)):
            found += piece
            if len(found) >= count:
                break
    except (OSError, EOFError, zlib.error, ValueError):
        return found[:count]
    return found[:count]


def inflated(data: bytes, limit: int) -> int:
    """Return to how many bytes a gzip or zlib stream unpacks, counted no further than `limit`."""
    engine, count, left = zlib.decompressobj(ANY_HEADER), 0, data
    while left and count <= limit and not engine.eof:
        try:
            count += len(engine.decompress(left, READ))
        except zlib.error:
            # Damage is told by the library that reads it.
            return count
        left = engine.unconsumed_tail
    return count


def _pieces(path: Path, packing: Packing) -> Iterator[bytes]:
    """Yield unpacked pieces of at most 1 MB, so that a bomb costs no memory."""
    bzip = packing.kind == "bz2"
    make: Callable[[], Any] = (
        bz2.BZ2Decompressor if bzip else lambda: zlib.decompressobj(ANY_HEADER)
    )
    with path.open("rb") as file:
        file.seek(packing.start)
        if not packing.kind:
            yield from iter(lambda: file.read(READ), b"")
            return
        engine = make()
        data = b""
        while True:
            data = data or file.read(READ)
            if not data:
                return
            if engine.eof:
                # Files of several streams one after another are allowed.
                engine = make()
            yield engine.decompress(data, READ)
            data = _left(engine, bzip)
            while bzip and not engine.needs_input and not engine.eof:
                yield engine.decompress(b"", READ)
                data = _left(engine, bzip)


def _left(engine: Any, bzip: bool) -> bytes:
    if engine.eof:
        return bytes(engine.unused_data)
    return b"" if bzip else bytes(engine.unconsumed_tail)
