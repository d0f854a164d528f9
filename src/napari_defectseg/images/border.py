"""The border to file libraries: whatever they raise becomes a sentence."""

from __future__ import annotations

import logging
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_defectseg.core.errors import DefectSegError, FileMissing, ImageError

GIGABYTE = 1 << 30
FALLBACK_MEMORY = 16 * GIGABYTE
BOMB_BYTES = GIGABYTE
BOMB_RATIO = 1200
"""More than deflate can do: larger and denser claims than these are not believed."""
MOST_VALUES = 1 << 50


@contextmanager
def reading(path: str | Path, kind: str) -> Iterator[None]:
    """Turn what a library raises inside the block into an `ImageError` about `path`.

    Damaged files make libraries raise nearly anything (struct, zlib, key and type errors,
    classes of their own), so everything but our own sentences is translated; the cause is kept.

    Parameters
    ----------
    path : path
        The file that is read.
    kind : str
        What it is read as: ``"TIFF"``.
    """
    name = Path(path).name
    try:
        yield
    except DefectSegError:
        raise
    except FileNotFoundError as error:
        raise FileMissing(f"{error.filename or path} is not there.") from error
    except PermissionError as error:
        raise ImageError(f"{path} may not be read: {error.strerror or error}.") from error
    except MemoryError as error:
        raise ImageError(
            f"{name} needs more memory than there is.",
            hint="Open a part of it, or save it as OME-Zarr, which is read block by block.",
        ) from error
    except Exception as error:
        raise ImageError(
            f"{name} could not be read as {kind}: {_reason(error)}.",
            hint="The file may be damaged or copied incompletely; try the original.",
        ) from error


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    if isinstance(error, KeyError):
        text = f"{text} is missing"
    return text[:200] or type(error).__name__


def cut_short(path: str | Path, have: int, need: int) -> ImageError:
    """Return the error for a file that ends too early; sizes in bytes."""
    return ImageError(
        f"{Path(path).name} ends after {_size(have)} of {_size(need)}.",
        hint="It was probably copied incompletely; copy it again from the microscope.",
    )


def _size(count: int) -> str:
    value = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{value:.3g} {unit}" if unit != "bytes" else f"{count} bytes"
        value /= 1000
    raise AssertionError("unreachable")


def memory_limit() -> int:
    """Return how many bytes one read may ask for: the machine's memory."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return FALLBACK_MEMORY


def check_memory(path: str | Path, count: int) -> None:
    """Raise `ImageError` if a read of `count` bytes cannot fit into this machine."""
    if count > memory_limit():
        raise ImageError(
            f"{Path(path).name}: this part needs {_size(count)} of memory, "
            f"more than the {_size(memory_limit())} of this machine.",
            hint="Read a smaller part of it.",
        )


def check_claim(path: str | Path, shape: tuple[int, ...], itemsize: int, stored: int) -> None:
    """Raise `ImageError` if a header claims far more pixels than the file can hold.

    Parameters
    ----------
    path : path
        The file, for the message.
    shape : tuple of int
        What the header claims.
    itemsize : int
        Bytes a value.
    stored : int
        Bytes that hold them, compressed.
    """
    check_shape(path, shape)
    claimed = math.prod(int(length) for length in shape) * itemsize
    if claimed > BOMB_BYTES and claimed > BOMB_RATIO * max(stored, 1):
        raise ImageError(
            f"{Path(path).name} claims {' × '.join(map(str, shape))} pixels ({_size(claimed)}) "
            f"but holds only {_size(stored)}.",
            hint="Its header is damaged or made up; it was not opened.",
        )


def check_shape(path: str | Path, shape: tuple[int, ...]) -> None:
    """Raise `ImageError` for a shape that no image has: negative, or beyond any disk."""
    if any(length < 0 for length in shape) or math.prod(map(int, shape)) > MOST_VALUES:
        raise ImageError(
            f"{Path(path).name} claims the impossible shape {tuple(map(int, shape))}.",
            hint="Its header is damaged or made up; it was not opened.",
        )


class _Listener(logging.Filter):
    """Takes what this thread logs; other threads log as before."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._thread = threading.get_ident()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        if record.levelno >= logging.WARNING:
            self.said.append(record.getMessage())
        return False


@contextmanager
def listening(logger: str) -> Iterator[list[str]]:
    """Collect what a library would log inside the block instead of printing it.

    Parameters
    ----------
    logger : str
        The logger itself; what its children log is not seen.
    """
    source, listener = logging.getLogger(logger), _Listener()
    source.addFilter(listener)
    try:
        yield listener.said
    finally:
        source.removeFilter(listener)
