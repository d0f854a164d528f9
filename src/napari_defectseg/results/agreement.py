"""How far two people agree on the same images, per class, with intervals over specimens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.classes import BACKGROUND, UNLABELLED
from napari_defectseg.core.errors import DatasetError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.datasets.dataset import Dataset
from napari_defectseg.datasets.pair import Pair

Array = np.ndarray[Any, Any]
DRAWS = 2000
LEVEL = 0.95
FIGURES = ("dice", "iou", "kappa")


@dataclass(frozen=True)
class Figure:
    """A number with its interval.

    Parameters
    ----------
    value : float
        Pooled over all images; nan where neither person saw the class.
    low, high : float
        95 % interval by drawing specimens again; nan for a single specimen.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """What two people agree on.

    Parameters
    ----------
    classes : mapping of str to mapping of str to Figure
        ``dice``, ``iou`` and Cohen's ``kappa`` of each class.
    confusion : dict of str to dict of str to int
        Pixels by what the first and the second person said, background included.
    images, specimens : int
        How many both have labelled.
    only_one : tuple of str
        Images that only one of them has.
    """

    classes: Mapping[str, Mapping[str, Figure]]
    confusion: dict[str, dict[str, int]]
    images: int
    specimens: int
    only_one: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values, None where undefined."""
        return {
            "classes": {
                name: {
                    key: {part: _plain(getattr(one, part)) for part in ("value", "low", "high")}
                    for key, one in figures.items()
                }
                for name, figures in self.classes.items()
            },
            "confusion": self.confusion,
            "images": self.images,
            "specimens": self.specimens,
            "only_one": list(self.only_one),
        }


def agreement_steps(first: Dataset, second: Dataset, *, seed: int = 0) -> Steps[Agreement]:
    """Compare the masks of two datasets image by image.

    Images are the same when their pixels are, or else their names. Pixels that either person
    left unlabelled do not count.

    Parameters
    ----------
    first, second : Dataset
        Of the same classes.
    seed : int
        Of the drawing of specimens.

    Raises
    ------
    DatasetError
        If classes differ, or no image is in both.
    """
    if first.classes.names != second.classes.names:
        raise DatasetError(
            f"{first.path} has the classes {', '.join(first.classes.names)}; {second.path} has "
            f"{', '.join(second.classes.names)}."
        )
    matched, alone = _matched(first, second)
    names = ("background", *first.classes.names)
    counts: dict[str, Array] = {}
    total = np.zeros((len(names), len(names)), np.int64)
    for number, (one, other) in enumerate(matched):
        yield Step(number, len(matched), "comparing two people's labels")
        found, confused = _count(one, other)
        specimen = one.specimen
        counts[specimen] = counts.get(specimen, 0) + found
        total += confused
    stacked = np.stack(list(counts.values()))
    classes = {
        name: _figures(stacked[:, k], np.random.default_rng([seed, k]))
        for k, name in enumerate(first.classes.names)
    }
    confusion = {a: {b: int(total[i, j]) for j, b in enumerate(names)} for i, a in enumerate(names)}
    return Agreement(classes, confusion, len(matched), len(counts), tuple(alone))


def agreement(first: Dataset, second: Dataset, *, seed: int = 0) -> Agreement:
    """Compare the masks of two datasets; see `agreement_steps`."""
    return drive(agreement_steps(first, second, seed=seed))


def _matched(first: Dataset, second: Dataset) -> tuple[list[tuple[Pair, Pair]], list[str]]:
    others = list(second.pairs())
    by_hash = {pair.sha256.get("image"): pair for pair in others}
    by_name = {pair.id: pair for pair in others}
    matched, alone = [], []
    for pair in first.pairs():
        other = by_hash.get(pair.sha256.get("image")) or by_name.get(pair.id)
        if other is None or other.label_shape != pair.label_shape:
            alone.append(pair.id)
        else:
            matched.append((pair, other))
    used = {other.id for _, other in matched}
    alone += [pair.id for pair in others if pair.id not in used]
    if not matched:
        raise DatasetError(
            f"{first.path} and {second.path} have no image in common.",
            hint="Both people must label the same images.",
        )
    return matched, alone


def _count(one: Pair, other: Pair) -> tuple[Array, Array]:
    """Return both, first alone, second alone and neither for each class; and who said what."""
    a, b = one.mask(), other.mask()
    values = one.classes.values
    size = len(values) + 1
    confused = np.zeros((size, size), np.int64)
    if one.classes.exclusive:
        known = (a != UNLABELLED) & (b != UNLABELLED)
        order = np.zeros(256, np.int64)
        order[list(values)] = np.arange(1, size)
        pairs = order[a[known]] * size + order[b[known]]
        confused += np.bincount(pairs, minlength=size * size).reshape(size, size)
        rows, columns, all_of = confused.sum(1), confused.sum(0), confused.sum()
        both = np.diag(confused)
        found = np.stack([both, rows - both, columns - both, all_of - rows - columns + both], 1)
        return found[1:], confused
    found = np.zeros((len(values), 4), np.int64)
    for k, (p, q) in enumerate(zip(a, b, strict=True)):
        known = (p != UNLABELLED) & (q != UNLABELLED)
        x, y = p[known] != BACKGROUND, q[known] != BACKGROUND
        found[k] = [(x & y).sum(), (x & ~y).sum(), (~x & y).sum(), (~x & ~y).sum()]
        confused[k + 1, k + 1] = found[k, 0]
        confused[k + 1, 0], confused[0, k + 1] = found[k, 1], found[k, 2]
    return found, confused


def _figures(counts: Array, rng: np.random.Generator) -> dict[str, Figure]:
    """Return the figures of one class from counts, shape (specimen, 4)."""
    number = len(counts)
    drawn = counts[rng.integers(0, number, (DRAWS, number))].sum(axis=1)
    found = {}
    for name in FIGURES:
        rule = RULES[name]
        value = float(rule(counts.sum(axis=0)[np.newaxis])[0])
        low = high = float("nan")
        again = rule(drawn)
        if number > 1 and np.isfinite(again).any():
            tail = 50 * (1 - LEVEL)
            low, high = (float(q) for q in np.nanpercentile(again, [tail, 100 - tail]))
        found[name] = Figure(value, low, high)
    return found


def _dice(counts: Array) -> Array:
    both, one, other, _ = counts.T.astype(float)
    return _ratio(2 * both, 2 * both + one + other)


def _iou(counts: Array) -> Array:
    both, one, other, _ = counts.T.astype(float)
    return _ratio(both, both + one + other)


def _kappa(counts: Array) -> Array:
    """Return (po - pe) / (1 - pe) of yes and no for a class (Cohen 1960)."""
    both, one, other, neither = counts.T.astype(float)
    total = both + one + other + neither
    seen = both + neither
    chance = ((both + one) * (both + other) + (neither + one) * (neither + other)) / total
    return _ratio(seen - chance, total - chance)


def _ratio(top: Array, below: Array) -> Array:
    found: Array = np.divide(top, below, out=np.full(top.shape, np.nan), where=below > 0)
    return found


RULES: dict[str, Callable[[Array], Array]] = {"dice": _dice, "iou": _iou, "kappa": _kappa}


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None
