"""JSON of other programs, read as plain data within bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from napari_defectseg.core.errors import ModelError

LONGEST = 16 << 20
"""Bytes of a description; plans of nnU-Net may hold a fingerprint of the data."""
DEEPEST = 60


def read_json(data: bytes, where: str) -> dict[str, Any]:
    """Return the table in a JSON text.

    Raises
    ------
    ModelError
        If it is too long or too deep, or no table.
    """
    if len(data) > LONGEST:
        raise ModelError(f"{where} is {len(data)} bytes long, too long for a description.")
    try:
        text = data.decode("utf-8-sig")
        if _depth(text) > DEEPEST:
            raise ModelError(f"{where} has more than {DEEPEST} tables inside each other.")
        values = json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, ValueError) as error:
        raise ModelError(f"{where} is not JSON: {error}.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{where} holds a JSON {type(values).__name__}, not a table.")
    return values


def table(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the table under a name, an empty one where there is none."""
    found = values.get(name)
    return found if isinstance(found, dict) else {}


def numbers(value: Any) -> tuple[float, ...] | None:
    """Return a list of finite numbers, None for anything else."""
    if not isinstance(value, list | tuple) or not value:
        return None
    good = all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
    return tuple(float(v) for v in value) if good and all(abs(v) < 1e300 for v in value) else None


def whole_numbers(value: Any) -> tuple[int, ...] | None:
    """Return a list of whole numbers, None for anything else."""
    found = numbers(value)
    if found is None or any(v != int(v) for v in found):
        return None
    return tuple(int(v) for v in found)


def _depth(text: str) -> int:
    """Return how many brackets are open at once at most; those inside texts count too."""
    depth = deepest = 0
    for letter in text:
        if letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}":
            depth -= 1
    return deepest
