"""The five-minute review: a stratified random sample of objects and places, and its verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Annotated, TypeVar

import numpy as np

from napari_defectseg.core.errors import LabelError
from napari_defectseg.core.setting import Setting
from napari_defectseg.labels import boxes
from napari_defectseg.labels.audit import Audit, AuditObject, AuditPlace
from napari_defectseg.labels.edit import Box, Sides
from napari_defectseg.labels.labelmap import LabelMap

T = TypeVar("T")
LEAST = 2
"""Drawn from a stratum at least, where it holds so many: one alone has no variance."""
SIDE_IN_OBJECTS = 6.0
"""A place is so many typical diameters wide unless another side is given."""
SMALLEST_SIDE = 16


@dataclass(frozen=True)
class AuditSettings:
    """How much is looked at.

    Parameters
    ----------
    objects, places : int
        How many are drawn at most.
    side : int or None
        Side of a place in pixels of the finest axis; None: six typical diameters.
    strata : int
        Groups of about equally many objects, by mean score (or size, without scores).
    seed : int
        The same seed draws the same.
    """

    objects: Annotated[int, Setting("Objects", low=4, high=500)] = 24
    places: Annotated[int, Setting("Places", low=2, high=500)] = 16
    side: Annotated[int | None, Setting("Side of a place", unit="px", low=4)] = None
    strata: Annotated[int, Setting("Groups", low=1, high=10)] = 4
    seed: Annotated[int, Setting("Seed", low=0)] = 0


def draw_audit(
    labelmap: LabelMap,
    scores: Mapping[int, float] | None = None,
    settings: AuditSettings | None = None,
) -> Audit:
    """Draw the sample.

    Objects are drawn without replacement from strata of about equal size along the mean score,
    places from those that hold an object's centre and those that hold none. Shares are in
    proportion to the strata, two at least from each.

    Parameters
    ----------
    labelmap : LabelMap
    scores : mapping of int to float, optional
        Mean score of each object; without it sizes make the strata.
    settings : AuditSettings, optional

    Raises
    ------
    LabelError
        If there are no objects.
    """
    chosen = settings or AuditSettings()
    if not labelmap.object_classes:
        raise LabelError("There are no objects to draw a sample of.", hint="Predict first.")
    rng = np.random.default_rng(chosen.seed)
    groups = _object_strata(labelmap, scores, chosen.strata)
    objects = [
        AuditObject(number, labelmap.object_classes[number], stratum, probability)
        for stratum, number, probability in _draw(groups, chosen.objects, rng)
    ]
    held = _centres_by_place(labelmap, _grid(labelmap, chosen.side))
    kinds = {
        "with objects": [sides for sides, numbers in held.items() if numbers],
        "empty": [sides for sides, numbers in held.items() if not numbers],
    }
    kinds = {name: members for name, members in kinds.items() if members}
    places = [
        AuditPlace(sides, stratum, probability, tuple(held[sides]))
        for stratum, sides, probability in _draw(kinds, chosen.places, rng)
    ]
    return Audit(
        tuple(objects),
        tuple(places),
        {name: len(members) for name, members in groups.items()},
        {name: len(members) for name, members in kinds.items()},
        labelmap.next_label - 1,
        chosen.seed,
    )


def judge_object_by_edits(audit: Audit, index: int, labelmap: LabelMap) -> Audit:
    """Judge an object by what a person made of it: deleted, given another class, or left.

    Parameters
    ----------
    audit : Audit
    index : int
        Of the object.
    labelmap : LabelMap
        The labels the sample was drawn from, after the corrections.
    """
    one = audit.objects[index]
    value = labelmap.object_classes.get(one.number)
    moved = value is not None and value != one.class_value
    return audit.judge_object(index, value == one.class_value, other_class=moved)


def judge_place_by_edits(audit: Audit, index: int, labelmap: LabelMap) -> Audit:
    """Judge a place by what a person made of it: what was drawn was missed, what was deleted false.

    Parameters
    ----------
    audit : Audit
    index : int
        Of the place.
    labelmap : LabelMap
        The labels the sample was drawn from, after the corrections.
    """
    place = audit.places[index]
    found = sum(number in labelmap.object_classes for number in place.predicted)
    new = [n for n in centres_within(labelmap, place.region) if n > audit.last_label]
    return audit.judge_place(index, found, len(new))


def centres_within(labelmap: LabelMap, region: Sides) -> list[int]:
    """Return the objects whose box has its middle in a region."""
    return [
        number
        for number in labelmap.object_classes
        if all(
            low <= middle < high
            for middle, (low, high) in zip(_middle(labelmap, number), region, strict=True)
        )
    ]


def _middle(labelmap: LabelMap, number: int) -> tuple[int, ...]:
    return tuple((side.start + side.stop) // 2 for side in labelmap.index.box(number))


def _object_strata(
    labelmap: LabelMap, scores: Mapping[int, float] | None, count: int
) -> dict[str, list[int]]:
    numbers = sorted(labelmap.object_classes)
    index = labelmap.index
    if scores:
        values = np.array([scores.get(n, 0.0) for n in numbers])
        what = "score"
    else:
        values = np.array([float(index.size(n)) for n in numbers])
        what = "size"
    order = np.lexsort((np.array(numbers), values))
    parts = [
        part for part in np.array_split(order, max(1, min(count, len(numbers) // 4))) if part.size
    ]
    named: dict[str, list[int]] = {}
    for place, part in enumerate(parts, start=1):
        low, high = float(values[part[0]]), float(values[part[-1]])
        name = f"{place}: {what} {low:.3g} – {high:.3g}"
        named[name] = [numbers[i] for i in part.tolist()]
    return named


def _draw(
    strata: Mapping[str, list[T]], wanted: int, rng: np.random.Generator
) -> list[tuple[str, T, float]]:
    """Draw from each stratum without replacement, and mix."""
    total = sum(len(members) for members in strata.values())
    drawn: list[tuple[str, T, float]] = []
    for name, members in strata.items():
        share = round(wanted * len(members) / total)
        count = min(len(members), max(LEAST, share))
        chosen = rng.choice(len(members), count, replace=False)
        drawn += [(name, members[i], count / len(members)) for i in chosen.tolist()]
    return [drawn[i] for i in rng.permutation(len(drawn)).tolist()]


def _grid(labelmap: LabelMap, side: int | None) -> list[Sides]:
    """Return places that cover the image without overlap; a place lies in one frame."""
    spacing = dict(
        zip([a for a in labelmap.axes if a != "t"], labelmap.calibration.steps, strict=True)
    )
    finest = min(spacing.values())
    length = side or _typical_side(labelmap)
    edges: list[list[tuple[int, int]]] = []
    for axis, extent in zip(labelmap.axes, labelmap.shape, strict=True):
        step = 1 if axis == "t" else max(1, round(length * finest / spacing[axis]))
        count = max(1, round(extent / step))
        cuts = np.linspace(0, extent, count + 1).round().astype(int).tolist()
        edges.append(list(pairwise(cuts)))
    return [tuple(place) for place in product(*edges)]


def _typical_side(labelmap: LabelMap) -> int:
    sizes = labelmap.index.sizes[sorted(labelmap.object_classes)]
    ndim = labelmap.calibration.ndim
    diameter: float = float(np.median(sizes)) ** (1 / ndim)
    return max(SMALLEST_SIDE, round(SIDE_IN_OBJECTS * diameter))


def _centres_by_place(labelmap: LabelMap, places: Iterable[Sides]) -> dict[Sides, list[int]]:
    held: dict[Sides, list[int]] = {place: [] for place in places}
    lows = [
        np.array(sorted({place[axis][0] for place in held})) for axis in range(len(labelmap.axes))
    ]
    stops = [
        {low: high for place in held for low, high in [place[axis]]} for axis in range(len(lows))
    ]
    for number in labelmap.object_classes:
        sides = []
        for axis, middle in enumerate(_middle(labelmap, number)):
            low = int(lows[axis][np.searchsorted(lows[axis], middle, "right") - 1])
            sides.append((low, stops[axis][low]))
        held[tuple(sides)].append(number)
    return held


def box_of(place: AuditPlace) -> Box:
    """Return the box of a place."""
    return boxes.of_sides(place.region)
