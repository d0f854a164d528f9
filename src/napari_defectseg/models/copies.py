"""Files out of archives, kept in the user's cache under the hash of what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.provenance import sha256_of_file


def kept_copy(files: Mapping[str, bytes]) -> tuple[Path, ...]:
    """Return files with these contents, together in a folder of their own.

    A runtime reads a file, not the member of an archive. The folder is named by the contents, so
    the same model is kept once, and what was changed since is written anew.

    Parameters
    ----------
    files : mapping of str to bytes
        Plain names to contents.

    Raises
    ------
    ModelError
        If a name is not plain.
    NotSaved
        If the cache cannot be written.
    """
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    for name in files:
        if not name or name != Path(name).name or name in (".", "..") or "\\" in name:
            raise ModelError(f"{name!r} is no plain name of a file.")
    lines = "".join(f"{name} {value}\n" for name, value in sorted(hashes.items()))
    folder = _cache() / hashlib.sha256(lines.encode()).hexdigest()
    for name, content in files.items():
        if not _holds(folder / name, hashes[name]):
            with atomic_path(folder / name) as part:
                part.write_bytes(content)
    return tuple(folder / name for name in files)


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and not path.is_symlink() and sha256_of_file(path) == sha256


def _cache() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("napari-defectseg", appauthor=False) / "models"
