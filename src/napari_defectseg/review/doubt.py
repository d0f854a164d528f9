"""`Doubt`: how much an object wants to be looked at, and why, in words.

The doubt of an object is a rank from 0 to 1, not a probability that it is wrong. Each reason has
a strength s from 0 to 1 and a weight w, and they add up as independent alarms do:

    doubt = 1 - Π (1 - w s)

so that one strong reason is enough, several weak ones count together, and none lowers it.

====================== ====== ============================================================
reason                 weight strength s
====================== ====== ============================================================
scores are undecided   0.9    mean of the normalised entropy of the scores over its pixels
models or flips differ 0.9    mean of the disagreement map over its pixels
unlikely size          0.5    (z - 2) / 4 of the logarithm of the size, within 0 and 1
unlikely shape         0.5    the same of the shape column that is farthest out
changed by the model   0.4    1
touches the border     0.1    1
====================== ====== ============================================================

z = |x - median| / (1.4826 MAD) among the objects of the class (Iglewicz & Hoaglin 1993; where
more than half are alike, 1.2533 mean deviations in its place). Classes of fewer than eight objects
say nothing about what is usual.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.images.image import ArrayLike
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.review.entropy import mean_entropy_steps, mean_over_objects_steps

WEIGHTS = {
    "entropy": 0.9,
    "disagreement": 0.9,
    "size": 0.5,
    "shape": 0.5,
    "changed": 0.4,
    "border": 0.1,
}
"""How much each reason can add at most."""
SHAPES = {
    "eccentricity": "elongated",
    "solidity": "compact",
    "extent": "box-filling",
    "circularity": "round",
    "sphericity": "round",
    "aspect": "elongated",
}
"""Shape columns that are used where a table has them, and what a high value means."""
USUAL, FAR = 2.0, 4.0
"""Robust z up to which a value is usual; so much more gives full strength."""
FEWEST = 8
"""Objects of a class that are needed to say what is usual."""
WORTH_SAYING = 0.05
"""Reasons that add less are left out of the words."""
Real = NDArray[np.float64]


@dataclass(frozen=True)
class Reason:
    """Why an object is here.

    Parameters
    ----------
    kind : str
        A key of `WEIGHTS`.
    words : str
        As the card says it.
    share : float
        Weight times strength, 0 to 1.
    """

    kind: str
    words: str
    share: float


@dataclass(frozen=True)
class Doubt:
    """How much an object wants to be looked at.

    Parameters
    ----------
    number : int
    value : float
        The rank, 0 to 1; see the formula above.
    reasons : tuple of Reason
        Strongest first.
    score : float
        Mean probability of its own class; nan where there are no scores.
    """

    number: int
    value: float
    reasons: tuple[Reason, ...] = ()
    score: float = float("nan")

    @property
    def why(self) -> str:
        """The reasons in words: ``"scores are undecided; 2.1 times the typical size"``."""
        said = [reason.words for reason in self.reasons if reason.share >= WORTH_SAYING]
        return "; ".join(said) or "nothing unusual"

    def share_of(self, kind: str) -> float:
        """Return what one kind of reason adds."""
        return max((one.share for one in self.reasons if one.kind == kind), default=0.0)


def object_doubts(
    labelmap: LabelMap,
    scores: ArrayLike | None = None,
    *,
    disagreement: ArrayLike | None = None,
    table: RegionTable | None = None,
    changed: Collection[int] = (),
) -> dict[int, Doubt]:
    """Return the doubt of every object.

    Parameters
    ----------
    labelmap : LabelMap
    scores : array-like of float, shape (channel, *axes), optional
        Probabilities; read slab by slab, so they may lie on disk.
    disagreement : array-like of float, shape (*axes), optional
        0 where flips or models agree, 1 where they do not at all.
    table : RegionTable, optional
        Its shape columns are used.
    changed : collection of int
        Objects that the last model made or changed.
    """
    return drive(
        object_doubts_steps(
            labelmap, scores, disagreement=disagreement, table=table, changed=changed
        )
    )


def object_doubts_steps(
    labelmap: LabelMap,
    scores: ArrayLike | None = None,
    *,
    disagreement: ArrayLike | None = None,
    table: RegionTable | None = None,
    changed: Collection[int] = (),
) -> Steps[dict[int, Doubt]]:
    """Do what `object_doubts` does, as steps."""
    numbers = sorted(labelmap.object_classes)
    found: dict[int, list[Reason]] = {number: [] for number in numbers}
    means: dict[int, float] = {}
    if scores is not None:
        entropy, means = yield from mean_entropy_steps(labelmap, scores)
        for number, value in entropy.items():
            _add(found, number, "entropy", _undecided(value), value)
    if disagreement is not None:
        differ = yield from mean_over_objects_steps(labelmap, disagreement)
        for number, value in differ.items():
            _add(found, number, "disagreement", "flips or models disagree", value)
    yield Step(0, 0, "What is usual for each class")
    _add_sizes(found, labelmap, numbers)
    if table is not None:
        _add_shapes(found, labelmap, table)
    for number in numbers:
        if touches_border(labelmap, number):
            _add(found, number, "border", "touches the border", 1.0)
        if number in changed:
            _add(found, number, "changed", "changed by the last model", 1.0)
    return {n: _doubt(n, reasons, means.get(n, float("nan"))) for n, reasons in found.items()}


def combined(shares: Collection[float]) -> float:
    """Return 1 - Π (1 - share)."""
    return float(1.0 - np.prod([1.0 - share for share in shares]))


def touches_border(labelmap: LabelMap, number: int) -> bool:
    """Whether the box of an object reaches the edge of the image (not: the first frame)."""
    box = labelmap.index.box(number)
    return any(
        side.start == 0 or side.stop == length
        for axis, side, length in zip(labelmap.axes, box, labelmap.shape, strict=True)
        if axis != "t"
    )


def robust_z(values: Real) -> Real:
    """Return (x - median) / (1.4826 MAD); zeros for fewer than eight, or all alike."""
    if values.size < FEWEST:
        return np.zeros(values.size)
    middle = np.median(values)
    away = np.abs(values - middle)
    spread = 1.4826 * float(np.median(away)) or 1.2533 * float(away.mean())
    return (values - middle) / spread if spread > 0 else np.zeros(values.size)


def _strength(z: float) -> float:
    return float(np.clip((abs(z) - USUAL) / FAR, 0.0, 1.0))


def _undecided(entropy: float) -> str:
    return "scores are undecided" if entropy >= 0.5 else "scores are a little undecided"


def _add(
    found: dict[int, list[Reason]], number: int, kind: str, words: str, strength: float
) -> None:
    share = WEIGHTS[kind] * min(max(strength, 0.0), 1.0)
    if share > 0 and number in found:
        found[number].append(Reason(kind, words, share))


def _add_sizes(found: dict[int, list[Reason]], labelmap: LabelMap, numbers: list[int]) -> None:
    sizes = labelmap.index.sizes
    for chosen in _by_class(labelmap, numbers):
        logs = np.log(np.maximum(sizes[chosen], 1).astype(float))
        typical = float(np.median(logs))
        for number, value, z in zip(chosen, logs, robust_z(logs), strict=True):
            times = float(np.exp(value - typical))
            _add(found, number, "size", f"{times:.2g} times the typical size", _strength(z))


def _add_shapes(found: dict[int, list[Reason]], labelmap: LabelMap, table: RegionTable) -> None:
    rows = {int(number): row for row, number in enumerate(table["label"])}
    worst: dict[int, tuple[float, str]] = {}
    for column, high in SHAPES.items():
        if column not in table:
            continue
        values = np.asarray(table[column], float)
        for chosen in _by_class(labelmap, [n for n in rows if n in found]):
            known = [n for n in chosen if np.isfinite(values[rows[n]])]
            for n, z in zip(known, robust_z(values[[rows[n] for n in known]]), strict=True):
                strength = _strength(z)
                if strength > worst.get(n, (0.0, ""))[0]:
                    more = "more" if z > 0 else "less"
                    worst[n] = (strength, f"{more} {high} than others of its class")
    for number, (strength, words) in worst.items():
        _add(found, number, "shape", words, strength)


def _by_class(labelmap: LabelMap, numbers: list[int]) -> list[list[int]]:
    classes: dict[int, list[int]] = {}
    for number in numbers:
        classes.setdefault(labelmap.object_classes[number], []).append(number)
    return list(classes.values())


def _doubt(number: int, reasons: list[Reason], score: float) -> Doubt:
    ordered = tuple(sorted(reasons, key=lambda reason: -reason.share))
    return Doubt(number, combined([reason.share for reason in ordered]), ordered, score)
