"""The sorted table that a TensorFlow checkpoint keeps its index in (LevelDB's format)."""

from __future__ import annotations

from collections.abc import Iterator

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.keras.checksum import masked_crc
from napari_defectseg.models.protobuf import Damaged, varint

FOOTER = 48
MAGIC = 0xDB4775248B80FB57
LARGEST = 64 << 20
MOST_ENTRIES = 200_000
AGAIN = "It may have been cut off while it was copied; fetch it again."


def looks_like_table(tail: bytes) -> bool:
    """Return whether the last bytes of a file are those of such a table."""
    return len(tail) >= 8 and int.from_bytes(tail[-8:], "little") == MAGIC


def entries_of(content: bytes, where: str) -> dict[bytes, bytes]:
    """Return key and value of every entry.

    Parameters
    ----------
    content : bytes
        The whole file.
    where : str
        For messages.

    Raises
    ------
    ModelError
        If the table is damaged, or packed by snappy.
    """
    if len(content) > LARGEST:
        raise ModelError(f"{where} has {len(content)} bytes, too long for an index.")
    if len(content) < FOOTER or not looks_like_table(content):
        raise ModelError(f"{where} is not a whole index of a TensorFlow checkpoint.", hint=AGAIN)
    try:
        footer = content[-FOOTER:]
        _, at = handle(footer, 0)
        index, _ = handle(footer, at)
        found: dict[bytes, bytes] = {}
        for _, value in _entries(_block(content, index)):
            for key, entry in _entries(_block(content, handle(value, 0)[0])):
                found[key] = entry
                if len(found) > MOST_ENTRIES:
                    raise Damaged(f"more than {MOST_ENTRIES} entries")
        return found
    except Damaged as error:
        raise ModelError(
            f"{where} is a damaged index of a TensorFlow checkpoint: {error}.", hint=AGAIN
        ) from error


def handle(content: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Return offset and size of a block, and where the words about it end."""
    offset, at = varint(content, at)
    size, at = varint(content, at)
    return (offset, size), at


def _block(content: bytes, place: tuple[int, int]) -> bytes:
    offset, size = place
    if offset + size + 5 > len(content):
        raise Damaged("a block lies beyond the end of the file")
    kind = content[offset + size]
    if kind == 1:
        raise Damaged("it is packed by snappy, which is not supported")
    if kind:
        raise Damaged(f"it is packed in the unknown way {kind}")
    stated = int.from_bytes(content[offset + size + 1 : offset + size + 5], "little")
    if masked_crc(content[offset : offset + size + 1]) != stated:
        raise Damaged("a checksum does not fit")
    return content[offset : offset + size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    if len(block) < 4:
        raise Damaged("a block is too short")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise Damaged("a block states more restarts than it has bytes")
    at, key = 0, b""
    while at < end:
        shared, at = varint(block, at)
        more, at = varint(block, at)
        size, at = varint(block, at)
        if shared > len(key) or at + more + size > end:
            raise Damaged("an entry lies beyond the end of its block")
        key = key[:shared] + block[at : at + more]
        yield key, block[at + more : at + more + size]
        at += more + size
