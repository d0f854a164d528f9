"""Writes that are whole or not there: beside the final name, then renamed."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_defectseg.core.errors import AlreadyExists, DefectSegError, NotSaved

BESIDE = ".part-"
"""Prefix of unfinished files and folders; readers skip them."""


def _beside(path: Path) -> Path:
    return path.with_name(f"{BESIDE}{uuid.uuid4().hex[:8]}-{path.name}")


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Raise `AlreadyExists` if `path` exists and `overwrite` is false."""
    if path.exists() and not overwrite:
        raise AlreadyExists(
            f"{path} exists already and was left as it is.",
            hint="Choose another name, or allow overwriting.",
        )


@contextmanager
def atomic_path(path: str | Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a path to write a file to; it becomes `path` when the block ends well.

    The file is flushed to disk before it is renamed, so a reader never sees half
    a file, and a failure leaves what was there before.

    Raises
    ------
    AlreadyExists
        If `path` exists and `overwrite` is false.
    NotSaved
        If the disk is full, read-only or gone.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    part = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        flush(part)
        part.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        if isinstance(error, DefectSegError):
            raise
        raise not_saved(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def atomic_folder(path: str | Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give an empty folder to fill; it becomes `path` when the block ends well.

    Raises
    ------
    AlreadyExists
        If `path` exists and `overwrite` is false.
    NotSaved
        If the disk is full, read-only or gone.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    part = _beside(path)
    try:
        part.mkdir(parents=True)
        yield part
        _swap(part, path)
    except OSError as error:
        if isinstance(error, DefectSegError):
            raise
        raise not_saved(path, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _swap(part: Path, path: Path) -> None:
    if not path.exists():
        part.rename(path)
        return
    old = _beside(path)
    path.rename(old)
    try:
        part.rename(path)
    except OSError:
        old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_text(path: str | Path, text: str, *, overwrite: bool = True) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with atomic_path(path, overwrite=overwrite) as part:
        part.write_text(text, encoding="utf-8")


def flush(path: Path) -> None:
    """Ask the system to put a file's bytes on the disk."""
    if path.is_file():
        with path.open("rb+") as file:
            os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Ask the system to put a folder's entries on the disk, where it can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def not_saved(path: Path, error: OSError) -> NotSaved:
    """Return the sentence for a write to `path` that failed with `error`."""
    reason = error.strerror or str(error)
    return NotSaved(
        f"{path} could not be written: {reason}.",
        hint="Free some space or choose another folder; nothing that existed was changed.",
    )
