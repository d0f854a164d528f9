"""Run lengths as COCO writes masks: column by column, empty run first, plain or as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_defectseg.core.errors import DatasetError

Array = np.ndarray[Any, Any]


def counts_of(mask: Array) -> list[int]:
    """Return the run lengths of a mask, the first of pixels outside it."""
    flat = np.asarray(mask, bool).ravel(order="F")
    edges = np.flatnonzero(np.diff(flat.astype(np.int8))) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return [0, *runs] if flat.size and flat[0] else runs


def mask_of(counts: Sequence[int] | str | bytes, shape: Sequence[int]) -> Array:
    """Return the mask of run lengths.

    Parameters
    ----------
    counts : sequence of int, or text
        Text is the compressed form (six bits a character, each run as a difference from the
        one before the last).
    shape : sequence of int
        Rows and columns.

    Raises
    ------
    DatasetError
        If the runs do not cover the mask.
    """
    runs = unpacked(counts) if isinstance(counts, str | bytes) else [int(n) for n in counts]
    rows, columns = (int(n) for n in shape)
    if sum(runs) != rows * columns or min(runs, default=0) < 0:
        raise DatasetError(
            f"The run lengths of a mask cover {sum(runs)} pixels of an image of {rows} × {columns}."
        )
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape((rows, columns), order="F")


def unpacked(text: str | bytes) -> list[int]:
    """Return the run lengths in COCO's compressed text."""
    codes = list(text if isinstance(text, bytes) else text.encode("ascii", "replace"))
    runs: list[int] = []
    place = 0
    while place < len(codes):
        value, shift, more = 0, 0, True
        while more:
            if place >= len(codes):
                raise DatasetError("The compressed run lengths of a mask end in the middle.")
            code = codes[place] - 48
            value |= (code & 0x1F) << shift
            more = bool(code & 0x20)
            place, shift = place + 1, shift + 5
            if not more and code & 0x10:
                value |= -1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs
