"""Natural order: slice_9 before slice_10."""

from __future__ import annotations

import re


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Return the key that puts slice_9 before slice_10."""
    return tuple(
        (0, int(piece)) if piece.isdecimal() else (1, piece.lower())
        for piece in re.split(r"(\d+)", name)
        if piece
    )
