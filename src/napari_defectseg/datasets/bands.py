"""Bands of one image along an axis, with gaps between: which lie where, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

Name = TypeVar("Name", bound=str)

LARGEST_GAP = 64
PARTS = 16
SMALLEST = 16
"""A piece of fewer pixels teaches nothing."""
CHOICES = 120
"""Places tried for each of the two cuts."""


class Interval(NamedTuple):
    """A stretch along an axis, with how much is labelled in it."""

    start: int
    stop: int
    weight: float


@dataclass(frozen=True)
class Bands:
    """One way of putting intervals into sets.

    Parameters
    ----------
    sets : tuple of (str or None)
        The set of each interval; None: it lies in a gap.
    cost : float
        Sum of the differences from the wanted shares; what is unused counts as well.
    """

    sets: tuple[str | None, ...]
    cost: float


def usual_gap(length: int) -> int:
    """Return the gap between two sets for an image of `length` pixels."""
    return min(LARGEST_GAP, max(1, length // PARTS))


def pieces(
    length: int, shares: Mapping[Name, float], gap: int | None
) -> dict[Name, tuple[int, int]] | None:
    """Return (start, stop) of each set along an axis, in the order of `shares`.

    Returns None if a piece would be shorter than `SMALLEST` pixels (3 along short axes such
    as time).
    """
    space = usual_gap(length) if gap is None else gap
    usable = length - space * (len(shares) - 1)
    smallest = SMALLEST if length >= 8 * SMALLEST else 3
    names = list(shares)
    lengths = [max(smallest, int(usable * shares[name])) for name in names]
    lengths[max(range(len(names)), key=lambda k: lengths[k])] += usable - sum(lengths)
    if min(lengths) < smallest:
        return None
    found, start = {}, 0
    for name, part in zip(names, lengths, strict=True):
        found[name] = (start, start + part)
        start += part + space
    return found


def choose_bands(
    intervals: Sequence[Interval], shares: Mapping[Name, float], gap: int | None
) -> Bands | None:
    """Return the two cuts that come nearest to `shares`, or None if no two do.

    Parameters
    ----------
    intervals : sequence of Interval
    shares : mapping of str to float
        Three sets in the order in which they lie along the axis.
    gap : int or None
        Pixels between two sets; None: `usual_gap`.
    """
    first, last = min(i.start for i in intervals), max(i.stop for i in intervals)
    space = usual_gap(last - first) if gap is None else gap
    cuts = sorted({i.stop for i in intervals} | {i.start - space for i in intervals})
    cuts = cuts[:: max(1, len(cuts) // CHOICES)]
    tried = (
        _bands(intervals, shares, (one, two), space)
        for one in cuts
        for two in cuts
        if two >= one + space
    )
    return min((b for b in tried if b is not None), key=lambda b: b.cost, default=None)


def _bands(
    intervals: Sequence[Interval], shares: Mapping[Name, float], cuts: tuple[int, int], gap: int
) -> Bands | None:
    names = list(shares)
    edges = [
        (-float("inf"), cuts[0]),
        (cuts[0] + gap, cuts[1]),
        (cuts[1] + gap, float("inf")),
    ]
    sets: list[str | None] = []
    have = dict.fromkeys(names, 0.0)
    total = sum(i.weight for i in intervals)
    for interval in intervals:
        found = None
        for name, (low, high) in zip(names, edges, strict=True):
            if low <= interval.start and interval.stop <= high:
                found = name
                have[name] += interval.weight / total
        sets.append(found)
    if not all(have.values()):
        return None
    unused = 1 - sum(have.values())
    return Bands(tuple(sets), sum(abs(have[n] - shares[n]) for n in names) + unused)
