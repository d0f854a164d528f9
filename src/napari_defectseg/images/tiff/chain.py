"""The chain of image file directories of a TIFF, walked before a library trusts it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.border import cut_short

MOST_PAGES = 1_000_000
MAGIC = {b"II*\x00": "<", b"MM\x00*": ">", b"II+\x00": "<", b"MM\x00+": ">"}
"""First four bytes of classic (*) and big (+) TIFF to their byte order."""


def count_pages(path: Path) -> int:
    """Return the number of pages in the main chain.

    Raises
    ------
    ImageError
        If the file ends inside the chain, or the chain runs in a circle or has no page.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(16)
        order = MAGIC[start[:4]]
        big = start[2:3] == b"+" or start[3:4] == b"+"
        offset = _unpack(
            path, size, order + ("Q" if big else "I"), start[8:16] if big else start[4:8]
        )
        seen: set[int] = set()
        while offset:
            if offset in seen or len(seen) >= MOST_PAGES:
                raise ImageError(
                    f"{path.name}: its chain of pages runs in a circle after {len(seen)} pages.",
                    hint="The file is damaged or made up; it was not opened.",
                )
            seen.add(offset)
            offset = _next(path, file, size, order, big, offset)
    if not seen:
        raise ImageError(f"{path.name} is a TIFF without a single page.")
    return len(seen)


def _next(path: Path, file: BinaryIO, size: int, order: str, big: bool, offset: int) -> int:
    number, width, link = ("Q", 20, "Q") if big else ("H", 12, "I")
    if offset >= size:
        raise cut_short(path, size, offset)
    file.seek(offset)
    count = _unpack(path, size, order + number, file.read(struct.calcsize(number)))
    after = file.tell() + count * width
    if after + struct.calcsize(link) > size:
        raise cut_short(path, size, after + struct.calcsize(link))
    file.seek(after)
    return _unpack(path, size, order + link, file.read(struct.calcsize(link)))


def _unpack(path: Path, size: int, form: str, data: bytes) -> int:
    if len(data) < struct.calcsize(form):
        raise cut_short(path, size, size + struct.calcsize(form) - len(data))
    return int(struct.unpack(form, data)[0])
