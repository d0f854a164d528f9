"""What is in a dataset: counts by class, specimen and set, and what deserves a look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.datasets.manifest import Event

RARE = 0.001
"""A class with a smaller share of the labelled pixels is named."""


@dataclass(frozen=True)
class ClassCount:
    """How much of a class there is.

    Parameters
    ----------
    pixels : int
        Labelled pixels.
    share : float
        Of all pixels that somebody looked at.
    pairs, specimens : int
        How many hold any.
    """

    pixels: int
    share: float
    pairs: int
    specimens: int


@dataclass(frozen=True)
class DatasetInfo:
    """What is in a dataset.

    Parameters
    ----------
    name, path : str
    pairs, excluded : int
        Pairs that count, and those left out.
    classes : dict of str to ClassCount
    specimens : dict of str to int
        Pairs of each.
    splits : dict of str to int
        Pairs of each set; ``"not split"`` for the rest.
    unlabelled : float
        Share of pixels nobody looked at.
    warnings : tuple of str
    """

    name: str
    path: str
    pairs: int
    excluded: int
    classes: dict[str, ClassCount]
    specimens: dict[str, int]
    splits: dict[str, int]
    unlabelled: float
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def summarise(
    name: str,
    path: Path,
    classes: ClassMap,
    events: Sequence[Event],
    broken: Sequence[Event],
) -> DatasetInfo:
    """Return what `events`, the last whole one of each pair, amount to."""
    kept = [event for event in events if event.what != "excluded"]
    unlabelled = sum(event.pixels.get("unlabelled", 0) for event in kept)
    total = sum(_pixels(event) for event in kept)
    counts = {item.name: _count(item.name, kept, total - unlabelled) for item in classes}
    return DatasetInfo(
        name=name,
        path=str(path),
        pairs=len(kept),
        excluded=len(events) - len(kept),
        classes=counts,
        specimens=dict(sorted(Counter(event.specimen for event in kept).items())),
        splits=dict(Counter(event.split or "not split" for event in kept)),
        unlabelled=unlabelled / total if total else 0.0,
        warnings=(*_missing(broken, kept), *_balance(counts, kept), *_leaks(kept)),
    )


def _pixels(event: Event) -> int:
    found = 1
    for length, axis in zip(event.shape, event.axes, strict=True):
        found *= 1 if axis == "c" else length
    return found


def _count(name: str, events: Sequence[Event], labelled: int) -> ClassCount:
    holding = [event for event in events if event.pixels.get(name, 0)]
    pixels = sum(event.pixels[name] for event in holding)
    share = pixels / labelled if labelled else 0.0
    return ClassCount(pixels, share, len(holding), len({event.specimen for event in holding}))


def _missing(broken: Sequence[Event], kept: Sequence[Event]) -> list[str]:
    there = {event.id for event in kept}
    return [
        f"{event.id}: its files are not there or have another size; "
        + ("what was saved before counts." if event.id in there else "it does not count.")
        for event in broken
    ]


def _balance(counts: dict[str, ClassCount], events: Sequence[Event]) -> list[str]:
    if not events:
        return []
    specimens = len({event.specimen for event in events})
    found = []
    for name, count in counts.items():
        if not count.pixels:
            found.append(f"No pixel is labelled {name}.")
        elif count.share < RARE:
            found.append(f"{name} covers {count.share:.2%} of what is labelled.")
        if count.pixels and count.specimens == 1 and specimens > 1:
            found.append(f"{name} occurs in one specimen only.")
    return found


def _leaks(events: Sequence[Event]) -> list[str]:
    """Name specimens that are in several sets without a place that keeps them apart."""
    sets: dict[str, set[str]] = {}
    for event in events:
        if event.split in ("train", "validation", "test") and event.origin.region is None:
            sets.setdefault(event.specimen, set()).add(event.split)
    return [
        f"Specimen {name} is in {' and '.join(sorted(found))}: scores will look too good."
        for name, found in sets.items()
        if len(found) > 1
    ]
