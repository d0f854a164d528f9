"""Whether a picture is there twice: turned, mirrored, re-scaled, or with other contrast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from napari_defectseg.datasets.checks.look import Look, shrunk
from napari_defectseg.datasets.finding import Finding

Array = np.ndarray[Any, Any]
ALIKE = 0.8
"""Correlation of small squares from which two pictures are compared closely."""
SAME = 0.85
"""Correlation at 96 pixels an edge from which they are one picture."""
CLOSE = 96
TURNS = (
    "", "turned by 90°", "turned by 180°", "turned by 270°",
    "mirrored", "mirrored and turned by 90°", "mirrored and turned by 180°",
    "mirrored and turned by 270°",
)  # fmt: skip


def turned(square: Array) -> list[Array]:
    """Return the eight positions of a square, in the order of `TURNS`."""
    return [np.rot90(way, k) for way in (square, square[:, ::-1]) for k in range(4)]


def duplicates(looks: Sequence[Look]) -> list[Finding]:
    """Return a finding for every two pairs that show one picture."""
    found = []
    for one, other, way in _alike(looks):
        if (share := _closely(one, other, way)) >= SAME:
            found.append(_finding(one, other, way, share))
    return found


def _alike(looks: Sequence[Look]) -> Iterator[tuple[Look, Look, int]]:
    if len(looks) < 2:
        return
    plain = np.stack([each.small.ravel() for each in looks])
    ways = [np.stack([turned(each.small)[k].ravel() for each in looks]) for k in range(len(TURNS))]
    products = np.stack([plain @ way.T for way in ways])
    best = products.argmax(axis=0)
    strength = products.max(axis=0)
    for a, b in combinations(range(len(looks)), 2):
        if strength[a, b] >= ALIKE:
            yield looks[a], looks[b], int(best[a, b])


def _closely(one: Look, other: Look, way: int) -> float:
    from scipy.ndimage import gaussian_filter

    edge = min(CLOSE, *one.grey.shape, *other.grey.shape)
    squares = [shrunk(one.grey, (edge, edge)), turned(shrunk(other.grey, (edge, edge)))[way]]
    flat = [square - gaussian_filter(square, edge / 8, mode="nearest") for square in squares]
    lengths = [float(np.linalg.norm(each - each.mean())) for each in flat]
    if not min(lengths):
        return 0.0
    first, second = (each - each.mean() for each in flat)
    return float((first * second).sum() / (lengths[0] * lengths[1]))


def _finding(one: Look, other: Look, way: int, share: float) -> Finding:
    rescaled = one.grey.shape not in (other.grey.shape, other.grey.shape[::-1])
    words = [TURNS[way]] if way else []
    words += ["re-scaled"] if rescaled else []
    sets = {one.pair.split, other.pair.split} - {None, "unused"}
    apart = len(sets) > 1
    told = f"{one.pair.id} and {other.pair.id} show the same picture"
    told += f" ({', '.join(words)})" if words else ""
    end = f"; they are in {' and '.join(sorted(map(str, sets)))}." if apart else "."
    values = {
        "correlation": round(share, 3),
        "how": ", ".join(words),
        "sets": sorted(map(str, sets)),
    }
    return Finding(
        "duplicate",
        "error" if apart else "warning",
        told + end + " Leave one of them out.",
        (one.pair.id, other.pair.id),
        values,
    )
