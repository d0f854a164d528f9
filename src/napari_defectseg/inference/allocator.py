"""Memory that a run keeps between tiles, instead of giving it back and asking for it again.

The C library of Linux maps each large block anew, and the system then clears it page by page;
for networks on a processor this is up to a third of all time. During a run the library is told
to keep its memory; afterwards everything is as before. Tiles of different sizes leave holes in
what is kept, so between tiles it is given back once it has grown beyond what they need.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, MMAP_MAX = -1, -2, -3, -4
"""Numbers of the parameters in glibc's ``malloc.h``."""
KEEP = ((MMAP_MAX, 0), (TRIM_THRESHOLD, 2**31 - 1), (TOP_PAD, 256 << 20))
USUAL = (
    (MMAP_MAX, 65536), (MMAP_THRESHOLD, 32 << 20), (TRIM_THRESHOLD, 64 << 20),
    (TOP_PAD, 128 << 10),
)  # fmt: skip
"""What glibc comes to by itself once large blocks were freed: it ceases to adapt its thresholds
when one of them is set, and with those it starts with each block above 128 kB would be mapped
anew for the rest of the process."""

_lock = threading.Lock()
_running = 0


class Keeper:
    """Watches how much is kept.

    Parameters
    ----------
    library : object or None
        The C library where it is glibc.
    most : int
        Bytes by which the process may grow.
    """

    def __init__(self, library: Any | None = None, most: int = 0) -> None:
        self._library = library
        self._most = most
        self._before = _resident()

    @classmethod
    def of_nothing(cls) -> Keeper:
        """Return one that gives back what is free after every tile.

        By itself the C library keeps blocks of up to 32 MB for later, with holes between them.
        """
        return cls(_glibc())

    def tidy(self) -> None:
        """Give back what is not used, if the process has grown by more than is allowed."""
        if self._library is not None and _resident() - self._before > self._most:
            self._library.malloc_trim(0)


def give_back() -> None:
    """Give what the C library keeps for later back to the system, where it is glibc."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


@contextmanager
def kept_memory(most: int) -> Iterator[Keeper]:
    """Let the C library keep its memory in the block; does nothing where it is not glibc.

    Blocks may overlap in time, also from several threads: the last one to end puts things back
    and returns the memory to the system.

    Parameters
    ----------
    most : int
        Bytes by which the process may grow before `Keeper.tidy` gives memory back.
    """
    global _running  # the setting belongs to the whole process, and so does its count
    library = _glibc()
    if library is None:
        yield Keeper()
        return
    with _lock:
        _running += 1
        if _running == 1:
            _set(library, KEEP)
    try:
        yield Keeper(library, most)
    finally:
        with _lock:
            _running -= 1
            if _running == 0:
                _set(library, USUAL)
                library.malloc_trim(0)


def _resident() -> int:
    """Return the bytes of this process that are in memory, 0 where the system does not tell."""
    statm = Path("/proc/self/statm")
    if not statm.is_file():
        return 0
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _set(library: Any, values: tuple[tuple[int, int], ...]) -> None:
    for parameter, value in values:
        library.mallopt(parameter, value)


@cache
def _glibc() -> Any | None:
    """Return the C library where it is glibc, else None."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    has = all(hasattr(library, name) for name in ("gnu_get_libc_version", "mallopt", "malloc_trim"))
    return library if has else None
