"""``.keras`` files: a zip with ``config.json`` and ``model.weights.h5``."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.package import zip_at

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
MOST_MEMBERS = 20_000
LARGEST_TEXT = 16 << 20
LARGEST_WEIGHTS = 8 << 30
MOST_PACKED = 1100
_STRANGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    UnicodeError,
)


@dataclass(frozen=True)
class Archive:
    """What is in a ``.keras`` file."""

    config: bytes
    metadata: bytes
    weights: bytes


def looks_like_keras(path: Path) -> bool:
    """Return whether a file is a zip with the members of a ``.keras`` file."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return False
        with zip_at(path) as archive:
            return {CONFIG, WEIGHTS} <= set(archive.namelist()[:MOST_MEMBERS])
    except _STRANGE:
        return False


def archive_in(path: Path) -> Archive:
    """Return the members of a ``.keras`` file.

    Raises
    ------
    ModelError
        If it is damaged, or would become much larger than it is.
    """
    try:
        with zip_at(path) as archive:
            names = archive.namelist()
            if len(names) > MOST_MEMBERS or len(set(names)) != len(names):
                raise ModelError(f"{path} holds two parts of one name, or too many.")
            for name in names:
                if name.startswith(("/", "\\")) or ".." in name or ":" in name:
                    raise ModelError(f"{path} holds a part that would lie outside: {name[:60]!r}.")
            if lacking := {CONFIG, WEIGHTS} - set(names):
                raise ModelError(f"{path} is an archive without {sorted(lacking)[0]}.")
            config = _member(archive, CONFIG, LARGEST_TEXT, path)
            weights = _member(archive, WEIGHTS, LARGEST_WEIGHTS, path)
            stated = METADATA in names
            metadata = _member(archive, METADATA, LARGEST_TEXT, path) if stated else b"{}"
            return Archive(config, metadata, weights)
    except _STRANGE as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{path} is a damaged .keras file: {str(error)[:100] or type(error).__name__}.",
            hint="It may have been cut off while it was copied; fetch it again.",
        ) from error


def _member(archive: zipfile.ZipFile, name: str, most: int, path: Path) -> bytes:
    info = archive.getinfo(name)
    usual = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if info.compress_type not in usual or info.flag_bits & 1:
        raise ModelError(f"{path} packs {name} in an unusual way.")
    packed = max(info.compress_size, 1) * MOST_PACKED
    if info.file_size > min(most, packed) or info.compress_size > path.stat().st_size:
        raise ModelError(f"{path} states that {name} has {info.file_size} bytes; it cannot.")
    with archive.open(info) as file:
        content = file.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise ModelError(f"{path} holds {len(content)} bytes of {name}, not {info.file_size}.")
    return content
