"""What made a result: inputs with hashes, model, settings, versions, person."""

from __future__ import annotations

import getpass
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

CHUNK = 1 << 22
SLAB = 1 << 26
"""Bytes of an array that are read at once."""


@dataclass(frozen=True)
class Provenance:
    """What made a result.

    Parameters
    ----------
    made_by : str
        The public function that made it, for example ``"predict"``.
    inputs : mapping of str to str
        Name or path of each input to its SHA-256.
    model : str
        Name of the model, empty if none took part.
    model_sha256 : str
        Hash of its weights.
    settings : mapping
        Everything needed to do it again, as plain JSON values.
    person : str
        Who decided, where a person did.
    when : str
        ISO 8601 time in UTC.
    """

    made_by: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    model_sha256: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    person: str = ""
    when: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "made_by": self.made_by,
            "inputs": dict(self.inputs),
            "model": self.model,
            "model_sha256": self.model_sha256,
            "settings": dict(self.settings),
            "person": self.person,
            "when": self.when,
        }


def now() -> str:
    """Return the time in UTC, ISO 8601, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def person() -> str:
    """Return the name a person gave (`call_me`), else the login name, else ``"unknown"``."""
    try:
        said = _name_file().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        said = ""
    if said:
        return said
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def call_me(name: str) -> None:
    """Keep the name under which a person's work is recorded; empty: the login name again.

    Raises
    ------
    NotSaved
        If it cannot be written.
    """
    from napari_defectseg.core.atomic import write_text

    file = _name_file()
    known = file.read_text("utf-8") if file.is_file() else ""
    if name.strip() != known.strip():
        write_text(file, f"{name.strip()}\n", overwrite=True)


def _name_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("napari-defectseg", appauthor=False) / "person.txt"


def sha256_of_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_array(array: Any) -> str:
    """Return the SHA-256 of an array's dtype, shape and values in C order.

    Parameters
    ----------
    array : array-like
        In memory, or anything that slices to numpy: it is read slab by slab.
    """
    shape, kind = tuple(int(n) for n in array.shape), np.dtype(array.dtype)
    digest = hashlib.sha256(f"{kind.str}{shape}".encode())
    row = math.prod(shape[1:]) * kind.itemsize
    rows = max(1, SLAB // max(row, 1))
    for start in range(0, shape[0], rows) if shape else ():
        part = np.ascontiguousarray(array[start : start + rows])
        digest.update(part.view(np.uint8).reshape(-1).data)
    if not shape:
        digest.update(np.ascontiguousarray(array[()]).view(np.uint8).reshape(-1).data)
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Return the versions of this program and of what its numbers depend on."""
    found = {}
    for name in ("napari-defectseg", "numpy", "scipy", "scikit-image", "torch", "numba"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
