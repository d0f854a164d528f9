"""Where a worker process finds Python, its packages and the model, and what it may read."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2]
PACKAGES = ("site-packages", "dist-packages")
LIBRARIES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Without these Python itself does not start on some clusters."""


def import_places(runtime: str) -> list[str]:
    """Return the folders that the worker imports from beside the standard library.

    Parameters
    ----------
    runtime : str
        ``"module:attribute"`` of the runtime; that of a stranger may lie elsewhere.
    """
    places = [str(PACKAGE.parent), *_package_folders()]
    other = _home_of(runtime)
    return [*dict.fromkeys([*places, *([str(other)] if other else [])])]


def readable_places(runtime: str, model: Path) -> list[str]:
    """Return the folders and files that the worker may read.

    Parameters
    ----------
    runtime : str
    model : Path
        The model's file or folder.
    """
    libraries = [p for name in LIBRARIES for p in os.environ.get(name, "").split(":") if p]
    other = _home_of(runtime)
    places = [
        *(sys.prefix, sys.base_prefix, sys.exec_prefix, str(PACKAGE), str(model)),
        *_package_folders(),
        *libraries,
        *([str(other)] if other else []),
    ]
    return [*dict.fromkeys(str(Path(place).resolve()) for place in places)]


def _package_folders() -> list[str]:
    return [place for place in sys.path if Path(place).name in PACKAGES]


def _home_of(runtime: str) -> Path | None:
    """Return the folder that a stranger's package lies in; None: among the others, or ours."""
    found = find_spec(runtime.partition(":")[0].partition(".")[0])
    if found is None or not found.origin:
        return None
    home = Path(found.origin).resolve()
    if found.submodule_search_locations is not None:
        home = home.parent
    inside = any(home.is_relative_to(Path(place).resolve()) for place in _package_folders())
    return None if inside or home == PACKAGE else home.parent
