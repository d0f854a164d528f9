"""Headers of objects in an HDF5 file: the messages that say what an object is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from napari_defectseg.models.hdf5.source import Cursor, Source, Strange

SPACE, TYPE, LINK, EXTERNAL, LAYOUT, FILTERS, ATTRIBUTE = 1, 3, 6, 7, 8, 11, 12
LINKS, CONTINUED, TABLE, ATTRIBUTES = 2, 16, 17, 21
MOST_MESSAGES = 65_536
MOST_BLOCKS = 4096


@dataclass(frozen=True)
class Message:
    """One statement about an object.

    Parameters
    ----------
    kind : int
    data : bytes
    shared : bool
        Whether it stands elsewhere in the file, for several objects at once.
    """

    kind: int
    data: bytes
    shared: bool = False

    def cursor(self) -> Cursor:
        """Return a cursor over its bytes.

        Raises
        ------
        Strange
            If it stands elsewhere.
        """
        if self.shared:
            raise Strange("a type of numbers that is stored apart")
        return Cursor(self.data)


def messages_at(source: Source, address: int) -> list[Message]:
    """Return the messages of the object whose header is at an address.

    Raises
    ------
    Strange
        If there is no header.
    """
    if source.cursor(address, 4).take(4) == b"OHDR":
        return list(_second(source, address))
    return list(_first(source, address))


def _first(source: Source, address: int) -> Iterator[Message]:
    """Yield the messages of a header of the first version."""
    front = source.cursor(address, 16)
    version, _, count, _, size = (front.number(n) for n in (1, 1, 2, 4, 4))
    if version != 1:
        raise Strange("a header of a strange version")
    blocks, seen, found = [(address + 16, size)], {address}, 0
    while blocks:
        at, length = blocks.pop(0)
        cursor = source.cursor(at, length)
        while cursor.left() >= 8 and found < count:
            kind, size, flags, _ = (cursor.number(n) for n in (2, 2, 1, 3))
            message = Message(kind, cursor.take(size), bool(flags & 2))
            found += 1
            if kind == CONTINUED:
                _follow(source, message, blocks, seen)
            else:
                yield message


def _second(source: Source, address: int) -> Iterator[Message]:
    """Yield the messages of a header of the second version."""
    front = source.cursor(address, 40)
    front.take(4)
    version, flags = front.number(1), front.number(1)
    if version != 2:
        raise Strange("a header of a strange version")
    front.take(16 * bool(flags & 0x20) + 4 * bool(flags & 0x10))
    size = front.number(1 << (flags & 3))
    blocks, seen, found = [(address + front.at, size)], {address}, 0
    while blocks:
        at, length = blocks.pop(0)
        cursor = source.cursor(at, length)
        if len(seen) > 1 and cursor.data[:4] == b"OCHK":
            cursor = Cursor(cursor.data[4:-4])
        while cursor.left() >= 4 + 2 * bool(flags & 4) and found < MOST_MESSAGES:
            kind, size, of_message = (cursor.number(n) for n in (1, 2, 1))
            cursor.take(2 * bool(flags & 4))
            message = Message(kind, cursor.take(size), bool(of_message & 2))
            found += 1
            if kind == CONTINUED:
                _follow(source, message, blocks, seen)
            else:
                yield message


def _follow(
    source: Source, message: Message, blocks: list[tuple[int, int]], seen: set[int]
) -> None:
    cursor = message.cursor()
    address, length = cursor.number(source.wide), cursor.number(source.long)
    if address in seen or len(seen) > MOST_BLOCKS:
        raise Strange("a header that goes on in itself")
    seen.add(address)
    blocks.append((address, length))
