"""Whether two sets share a specimen, or a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.datasets.checks.look import Look, shrunk
from napari_defectseg.datasets.finding import Finding
from napari_defectseg.datasets.pair import Pair

Array = np.ndarray[Any, Any]
SETS = ("train", "validation", "test")
LONGEST = 256
"""Pixels along the longer side of the largest picture while places are compared."""
PEAK = 0.5
"""Correlation over the common part from which two pictures share a place."""
FINE, COARSE = 0.7, 3.0
"""Structure between these sizes, in px, is compared: what is coarser looks alike by chance."""
CLEAR = 5.0
"""Correlation times the root of the number of independent places: what chance does not reach."""
LEAST = 0.05
"""Smallest common part, of the smaller picture."""


def shared_specimens(pairs: Sequence[Pair]) -> list[Finding]:
    """Return a finding for each specimen that is in several sets."""
    sets: dict[str, dict[str, list[Pair]]] = {}
    for pair in pairs:
        if pair.split in SETS:
            sets.setdefault(pair.specimen, {}).setdefault(str(pair.split), []).append(pair)
    found = []
    for specimen, by_set in sets.items():
        if len(by_set) < 2:
            continue
        names = " and ".join(name for name in SETS if name in by_set)
        ids = tuple(pair.id for members in by_set.values() for pair in members)
        sentence = (
            f"Specimen {specimen} is in {names}: scores say nothing about a new specimen. "
            "Split by specimen."
        )
        found.append(Finding("leak", "warning", sentence, ids, {"specimen": specimen}))
    return found


def shared_places(pairs: Sequence[Pair]) -> list[Finding]:
    """Return a finding for two pairs of different sets cut from one place of one file."""
    return [
        _finding(one, other, "were cut from the same place of one file", {})
        for one, other in _apart(pairs)
        if _overlap(one, other)
    ]


def _apart(pairs: Sequence[Pair]) -> list[tuple[Pair, Pair]]:
    known = [pair for pair in pairs if pair.split in SETS]
    return [(a, b) for n, a in enumerate(known) for b in known[n + 1 :] if a.split != b.split]


def _overlap(one: Pair, other: Pair) -> bool:
    a, b = one.origin, other.origin
    if not a.file or a.file != b.file or a.details.get("layer") != b.details.get("layer"):
        return False
    if a.region is None or b.region is None:
        return True
    return all(p < s and r < q for (p, q), (r, s) in zip(a.region, b.region, strict=True))


def overlapping_steps(looks: Sequence[Look]) -> Steps[list[Finding]]:
    """Find pairs of different sets whose pictures share a place, wherever it lies in them.

    The pictures are correlated at every displacement over the part that both have (Padfield
    2012, masked normalised cross-correlation).
    """
    known = [each for each in looks if each.pair.split in SETS]
    factor = max((max(each.grey.shape) for each in known), default=1) / LONGEST
    made = [_spectrum(each, max(1.0, factor), known) for each in known]
    ways = [
        (a, b)
        for a, b in product(range(len(known)), repeat=2)
        if a < b and known[a].pair.split != known[b].pair.split
    ]
    found = []
    for number, (a, b) in enumerate(ways):
        if number % 16 == 0:
            yield Step(number, len(ways), "looking for places that two sets share")
        peak, share = _correlate(made[a], made[b])
        if peak >= PEAK:
            values = {"correlation": round(peak, 3), "common": round(share, 3)}
            found.append(
                _finding(known[a].pair, known[b].pair, "show partly the same place", values)
            )
    return found


@dataclass(frozen=True)
class _Spectrum:
    shape: tuple[int, int]
    padded: tuple[int, int]
    picture: Array
    squares: Array
    there: Array


def _spectrum(each: Look, factor: float, all_looks: Sequence[Look]) -> _Spectrum:
    from scipy.fft import next_fast_len, rfft2
    from scipy.ndimage import gaussian_filter

    size = tuple(max(1, round(n / factor)) for n in each.grey.shape)
    small = shrunk(each.grey, (size[0], size[1]))
    small = gaussian_filter(small, FINE) - gaussian_filter(small, COARSE, mode="nearest")
    small = small / (float(small.std()) or 1.0)
    largest = [max(look.grey.shape[k] for look in all_looks) / factor for k in (0, 1)]
    rows, columns = (int(next_fast_len(2 * int(np.ceil(n)) + 1, True)) for n in largest)
    padded = (rows, columns)
    ones = np.ones_like(small)
    return _Spectrum(
        (size[0], size[1]),
        padded,
        *(rfft2(part, padded, workers=1) for part in (small, small**2, ones)),
    )


def _correlate(one: _Spectrum, other: _Spectrum) -> tuple[float, float]:
    """Return the highest correlation over any common part that is large enough, and its share."""
    from scipy.fft import irfft2

    def back(a: Array, b: Array) -> Array:
        found: Array = irfft2(a * np.conj(b), one.padded, workers=1)
        return found

    count = np.maximum(np.rint(back(one.there, other.there)), 0)
    least = LEAST * min(np.prod(one.shape), np.prod(other.shape))
    enough = count >= max(least, 64)
    n = np.where(enough, count, 1)
    sum_a, sum_b = back(one.picture, other.there), back(one.there, other.picture)
    spread_a = back(one.squares, other.there) - sum_a**2 / n
    spread_b = back(one.there, other.squares) - sum_b**2 / n
    both = back(one.picture, other.picture) - sum_a * sum_b / n
    scale = np.sqrt(np.maximum(spread_a, 0) * np.maximum(spread_b, 0))
    usable = enough & (scale > 0.05 * n)
    values = np.where(usable, both / np.where(usable, scale, 1), 0)
    places = count / (2 * np.pi * COARSE**2)
    usable &= values * np.sqrt(np.maximum(places, 0)) >= CLEAR
    values = np.where(usable, values, 0)
    place = int(values.argmax())
    share = float(count.ravel()[place]) / float(min(np.prod(one.shape), np.prod(other.shape)))
    return float(values.ravel()[place]), min(1.0, share)


def _finding(one: Pair, other: Pair, what: str, values: dict[str, Any]) -> Finding:
    sentence = (
        f"{one.id} ({one.split}) and {other.id} ({other.split}) {what}: the score would not be "
        "honest. Put both into one set."
    )
    return Finding("leak", "error", sentence, (one.id, other.id), values)
