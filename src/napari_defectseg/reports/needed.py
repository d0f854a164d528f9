"""Packages that single forms need, and the sentence where one is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from napari_defectseg.core.errors import NotSaved


def needed(name: str, what: str) -> Any:
    """Return a package that is installed by choice.

    Raises
    ------
    NotSaved
        If it is not there; the hint is the command that installs it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise NotSaved(
            f"{what} needs the package {name.partition('.')[0]}, which is not installed.",
            hint='Install it with: pip install "napari-defectseg[exchange]"',
        ) from error
