"""Specks, classes that do not look like themselves, rare classes, and masks without any label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.classes import BACKGROUND, UNLABELLED
from napari_defectseg.datasets.checks.look import Look
from napari_defectseg.datasets.finding import Finding
from napari_defectseg.datasets.info import DatasetInfo
from napari_defectseg.datasets.pair import Pair

Array = np.ndarray[Any, Any]
SPECKS = 3
"""So many objects of one pixel in a mask are named."""
RATIO = 100.0
"""Times one class may outnumber another before it is named."""
FEWEST = 8
"""Objects of a class from which it is known how it looks."""
CLEARLY = 12.0
"""Difference of log-likelihoods from which an object looks like another class."""
SMALLEST = 9
"""Pixels below which an object has no looks."""


def specks(pair: Pair) -> list[Finding]:
    """Return a finding for each class with objects of a single pixel."""
    from scipy.ndimage import label

    mask = pair.mask()
    found = []
    for n, item in enumerate(pair.classes):
        plane = mask == item.value if pair.classes.exclusive else mask[n] == 1
        numbers, count = label(plane, np.ones((3,) * plane.ndim))
        alone = int((np.bincount(numbers.ravel())[1:] == 1).sum()) if count else 0
        if alone >= SPECKS or (alone and alone == count):
            sentence = (
                f"{pair.id}: {alone} of {count} objects of {item.name} have one pixel: slips of "
                "the brush, or noise of a threshold. Remove them."
            )
            values = {"class": item.name, "single": alone, "objects": count}
            found.append(Finding("objects", "warning", sentence, (pair.id,), values))
    return found


def unlabelled(pair: Pair) -> list[Finding]:
    """Return a finding if nobody labelled anything in a pair."""
    pixels = pair.event.pixels
    if sum(n for name, n in pixels.items() if name != "unlabelled"):
        return []
    return [Finding("empty", "warning", f"{pair.id}: nothing in it is labelled.", (pair.id,))]


def balance(info: DatasetInfo, pairs: Sequence[Pair]) -> list[Finding]:
    """Return findings about classes that are rare, or missing in a set."""
    found = [
        Finding("balance", "warning", told)
        for told in info.warnings
        if told.startswith("No pixel") or "covers" in told or "one specimen only" in told
    ]
    shares = {name: count.share for name, count in info.classes.items() if count.pixels}
    if shares and max(shares.values()) > RATIO * min(shares.values()):
        most, least = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
        sentence = (
            f"{most} has {shares[most] / shares[least]:.0f} times the pixels of {least}: use "
            "class weights, or label more of it."
        )
        found.append(Finding("balance", "warning", sentence))
    for split in ("train", "validation", "test"):
        members = [pair for pair in pairs if pair.split == split]
        for name in shares if members else ():
            if not any(pair.event.pixels.get(name) for pair in members):
                end = "cannot be learnt" if split == "train" else "has no score"
                told = f"There is no {name} in {split}: it {end}."
                found.append(Finding("balance", "warning", told, values={"class": name}))
    return found


@dataclass(frozen=True)
class _Object:
    pair: str
    value: int
    features: Array
    place: tuple[int, int]


def misnamed(looks: Sequence[Look]) -> list[Finding]:
    """Return a finding for each pair with objects that look like another class.

    Size, roundness, contrast to the surroundings and unevenness of each object are compared
    with those of all objects of each class (Gaussians with medians and robust spreads).
    """
    objects = [one for each in looks for one in _objects(each)]
    by_class: dict[int, Array] = {}
    for value in {one.value for one in objects}:
        features = np.stack([one.features for one in objects if one.value == value])
        if len(features) >= FEWEST:
            by_class[value] = features
    if len(by_class) < 2:
        return []
    models = {value: _model(features) for value, features in by_class.items()}
    strange: dict[tuple[str, int, int], list[_Object]] = {}
    for one in objects:
        if one.value not in models:
            continue
        likely = {value: _log_likelihood(one.features, m) for value, m in models.items()}
        best = max(likely, key=likely.__getitem__)
        if best != one.value and likely[best] - likely[one.value] > CLEARLY:
            strange.setdefault((one.pair, one.value, best), []).append(one)
    names = {item.value: item.name for item in looks[0].pair.classes}
    # Where classes overlap, looks count the class planes from 1.
    exclusive, order = looks[0].pair.classes.exclusive, looks[0].pair.classes.values
    told = {v: names[v if exclusive else order[v - 1]] for v in models}
    return [
        _misnamed(pair, told[value], told[best], members)
        for (pair, value, best), members in strange.items()
    ]


def _misnamed(pair: str, name: str, other: str, members: list[_Object]) -> Finding:
    places = ", ".join(f"y {one.place[0]} x {one.place[1]}" for one in members[:3])
    count = "1 object" if len(members) == 1 else f"{len(members)} objects"
    sentence = f"{pair}: {count} labelled {name} look like {other} ({places}). Check the class."
    values = {"class": name, "looks_like": other, "places": [one.place for one in members]}
    return Finding("classes", "warning", sentence, (pair,), values)


def _objects(look: Look) -> list[_Object]:
    from scipy.ndimage import binary_dilation, find_objects, label

    found = []
    centre, scale = float(np.median(look.grey)), float(look.grey.std()) or 1.0
    grey = (look.grey - centre) / scale
    outside = look.labels == BACKGROUND
    for value in sorted(set(np.unique(look.labels).tolist()) - {BACKGROUND, UNLABELLED}):
        numbers, _ = label(look.labels == value, np.ones((3, 3)))
        for number, box in enumerate(find_objects(numbers), start=1):
            wide = tuple(slice(max(0, s.start - 4), s.stop + 4) for s in box)
            own = numbers[wide] == number
            if own.sum() < SMALLEST:
                continue
            ring = binary_dilation(own, iterations=3) & outside[wide]
            around = grey[wide][ring].mean() if ring.any() else 0.0
            place = (
                int(wide[0].start + own.any(1).argmax()),
                int(wide[1].start + own.any(0).argmax()),
            )
            features = _features(own, grey[wide], float(around))
            found.append(_Object(look.pair.id, int(value), features, place))
    return found


def _features(own: Array, grey: Array, around: float) -> Array:
    rows, columns = np.nonzero(own)
    spread = np.cov(np.stack([rows, columns])) + np.eye(2) / 12
    low, high = np.linalg.eigvalsh(spread)
    inside = grey[own]
    return np.array(
        [
            np.log(own.sum()),
            np.log(high / low),
            float(inside.mean()) - around,
            np.log(float(inside.std()) + 0.05),
        ]
    )


def _model(features: Array) -> tuple[Array, Array]:
    centre = np.median(features, axis=0)
    spread = 1.4826 * np.median(np.abs(features - centre), axis=0)
    return centre, np.maximum(spread, 0.15)


def _log_likelihood(features: Array, model: tuple[Array, Array]) -> float:
    centre, spread = model
    distance = np.minimum(np.abs(features - centre) / spread, 8.0)
    return float(-0.5 * (distance**2).sum() - np.log(spread).sum())
