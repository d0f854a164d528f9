"""What lies in a group of an HDF5 file, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from napari_defectseg.models.hdf5.header import LINK, LINKS, TABLE, Message
from napari_defectseg.models.hdf5.source import Cursor, Source, Strange

MOST_LINKS = 20_000
DEEPEST = 16
REPACK = "links in a form that only newer writers use (h5repack --low=0 --high=0 changes it)"


@dataclass(frozen=True)
class Link:
    """A name in a group.

    Parameters
    ----------
    address : int
        Of the object's header; -1 where the name points to another place or file.
    """

    address: int


def links_of(source: Source, messages: Sequence[Message]) -> dict[str, Link]:
    """Return the links of a group; nothing for an object that is none.

    Raises
    ------
    Strange
        If they are damaged, or of a form that is not read.
    """
    found: dict[str, Link] = {}
    for message in messages:
        if message.kind == TABLE:
            cursor = message.cursor()
            tree, heap = cursor.number(source.wide), cursor.number(source.wide)
            found.update(_table(source, tree, heap))
        elif message.kind == LINK:
            name, link = _link(source, message.cursor())
            found[name] = link
        elif message.kind == LINKS and _dense(source, message.cursor()):
            raise Strange(REPACK)
    if len(found) > MOST_LINKS:
        raise Strange(f"a group of {len(found)} things; no network is so large")
    return found


def _dense(source: Source, cursor: Cursor) -> bool:
    cursor.take(1)
    cursor.take(8 * (cursor.number(1) & 1))
    return cursor.number(source.wide) != source.nowhere


def _link(source: Source, cursor: Cursor) -> tuple[str, Link]:
    version, flags = cursor.number(1), cursor.number(1)
    if version != 1:
        raise Strange("a link of a strange version")
    kind = cursor.number(1) if flags & 8 else 0
    cursor.take(8 * bool(flags & 4) + bool(flags & 16))
    name = cursor.take(cursor.number(1 << (flags & 3)))
    address = cursor.number(source.wide) if kind == 0 else -1
    return name.decode("utf-8", "replace"), Link(address)


def _table(source: Source, tree: int, heap: int) -> Iterator[tuple[str, Link]]:
    """Yield the entries of a group of the first kind: a tree of tables, names in a heap."""
    front = source.cursor(heap, 8 + 2 * source.long + source.wide)
    if front.take(4) != b"HEAP":
        raise Strange("a group without its names")
    front.take(4)
    size, _, place = front.number(source.long), front.number(source.long), front.number(source.wide)
    names = source.read(place, size)
    count = 0
    for address in leaves_of(source, tree, 0):
        table = source.cursor(address, 8)
        if table.take(4) != b"SNOD":
            raise Strange("a group without its table")
        table.take(2)
        entries = table.number(2)
        row = 2 * source.wide + 24
        body = source.cursor(address + 8, entries * row)
        for _ in range(entries):
            entry = Cursor(body.take(row))
            start, header, cached = (
                entry.number(source.wide),
                entry.number(source.wide),
                entry.number(4),
            )
            end = names.find(b"\0", start)
            if start >= len(names) or end < 0:
                raise Strange("a name beyond the list of names")
            count += 1
            if count > MOST_LINKS:
                raise Strange("a group of too many things")
            soft = cached == 2 or header == source.nowhere
            yield names[start:end].decode("utf-8", "replace"), Link(-1 if soft else header)


def leaves_of(source: Source, root: int, kind: int, key: int | None = None) -> Iterator[int]:
    """Yield the addresses that a tree of the first version holds, in order.

    Parameters
    ----------
    source : Source
    root : int
        Address of the tree.
    kind : int
        0: tables of groups; 1: chunks of numbers.
    key : int, optional
        Bytes of a key; a length where none is given.
    """
    for _, address in entries_of(source, root, kind, source.long if key is None else key):
        yield address


def entries_of(source: Source, root: int, kind: int, key: int) -> Iterator[tuple[bytes, int]]:
    """Yield key and address of every leaf of a tree of the first version, in order."""
    waiting: list[tuple[int, int]] = [(root, DEEPEST)]
    seen: set[int] = set()
    while waiting:
        address, above = waiting.pop()
        front = source.cursor(address, 8 + 2 * source.wide)
        if address in seen or front.take(4) != b"TREE" or front.number(1) != kind:
            raise Strange("a tree that is none")
        seen.add(address)
        level, used = front.number(1), front.number(2)
        if level >= above:
            raise Strange("a tree that grows into itself")
        body = source.cursor(address + 8 + 2 * source.wide, used * (key + source.wide))
        pairs = [(body.take(key), body.number(source.wide)) for _ in range(used)]
        if level:
            waiting += [(child, level) for _, child in reversed(pairs)]
        else:
            yield from pairs
