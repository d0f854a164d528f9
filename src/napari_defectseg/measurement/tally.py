"""`Tally`: what truth and prediction of one class have in common, as counts that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.matching import (
    Matches,
    MatchRule,
    match_centres,
    match_overlaps,
)

NAN = float("nan")


@dataclass(frozen=True)
class Paired:
    """Pairs of objects found under one rule: how many, and the sum of their IoU or distance."""

    pairs: int = 0
    total: float = 0.0

    def __add__(self, other: Paired) -> Paired:
        return Paired(self.pairs + other.pairs, self.total + other.total)


@dataclass(frozen=True)
class Tally:
    """Counts of one class, over one image or many; ``+`` pools them.

    Parameters
    ----------
    both, truth, predicted, pixels : int
        Pixels (voxels) in both masks, in the truth, in the prediction, and compared at all.
    true_objects, predicted_objects : int
    paired : mapping of MatchRule to Paired
    splits : int
        Truth objects that two or more predicted objects overlap.
    merges : int
        Predicted objects that overlap two or more truth objects.
    sizes : ndarray of int64
        Pixels of each truth object.
    found : ndarray of bool
        Which of them have a partner under the first rule.
    """

    both: int = 0
    truth: int = 0
    predicted: int = 0
    pixels: int = 0
    true_objects: int = 0
    predicted_objects: int = 0
    paired: Mapping[MatchRule, Paired] = field(default_factory=dict)
    splits: int = 0
    merges: int = 0
    sizes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    found: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))

    def __add__(self, other: Tally) -> Tally:
        rules = dict.fromkeys([*self.paired, *other.paired])
        return Tally(
            self.both + other.both,
            self.truth + other.truth,
            self.predicted + other.predicted,
            self.pixels + other.pixels,
            self.true_objects + other.true_objects,
            self.predicted_objects + other.predicted_objects,
            {rule: self.under(rule) + other.under(rule) for rule in rules},
            self.splits + other.splits,
            self.merges + other.merges,
            np.concatenate([self.sizes, other.sizes]),
            np.concatenate([self.found, other.found]),
        )

    def under(self, rule: MatchRule) -> Paired:
        """Return the pairs found under a rule; none where there were no objects."""
        return self.paired.get(rule, Paired())

    def figures(self, rule: MatchRule) -> dict[str, float]:
        """Return every figure by name; nan where it is undefined.

        ``iou = both / union`` and ``dice = 2 both / (truth + predicted)`` are undefined where
        both masks are empty, ``precision`` without a prediction, ``recall`` without a truth.
        ``object_f1 = 2 pairs / (true + predicted objects)`` likewise. ``sq`` is the mean IoU of
        the pairs, ``pq = object_f1 · sq`` (Kirillov et al. 2019, 10.1109/CVPR.2019.00963);
        matched by distance, ``mean_distance`` stands instead of the two.
        """
        wrong = self.truth + self.predicted - 2 * self.both
        outside = self.pixels - self.truth
        found = self.under(rule)
        f1 = _ratio(2 * found.pairs, self.true_objects + self.predicted_objects)
        values = {
            "iou": _ratio(self.both, self.truth + self.predicted - self.both),
            "dice": _ratio(2 * self.both, self.truth + self.predicted),
            "precision": _ratio(self.both, self.predicted),
            "recall": _ratio(self.both, self.truth),
            "specificity": _ratio(outside - (self.predicted - self.both), outside),
            "accuracy": _ratio(self.pixels - wrong, self.pixels),
            "object_f1": f1,
            "object_precision": _ratio(found.pairs, self.predicted_objects),
            "object_recall": _ratio(found.pairs, self.true_objects),
        }
        mean = _ratio(found.total, found.pairs)
        if rule.kind == "distance":
            return values | {"mean_distance": mean}
        return values | {"sq": mean, "pq": f1 * mean if found.pairs else f1}

    def f1_at(self, rule: MatchRule) -> float:
        """Return the object F1 under one of the rules that were counted."""
        found = self.under(rule)
        return _ratio(2 * found.pairs, self.true_objects + self.predicted_objects)

    def counts(self) -> dict[str, int]:
        """Return the counts that the figures come from, by name."""
        return {
            "true_pixels": self.truth,
            "predicted_pixels": self.predicted,
            "shared_pixels": self.both,
            "true_objects": self.true_objects,
            "predicted_objects": self.predicted_objects,
            "splits": self.splits,
            "merges": self.merges,
        }

    def recall_by_size(self) -> list[dict[str, int]]:
        """Return how many truth objects of each size were found; small ones are lost first.

        Each class of sizes reaches from `low` to below `high` pixels, `high` four times `low`
        (in the plane: twice the diameter).
        """
        step = np.floor(np.log2(np.maximum(self.sizes, 1)) / 2).astype(np.int64)
        return [
            {
                "low": int(4**power),
                "high": int(4 ** (power + 1)),
                "objects": int(np.count_nonzero(step == power)),
                "found": int(np.count_nonzero(self.found[step == power])),
            }
            for power in np.unique(step).tolist()
        ]


def tally(
    truth: NDArray[np.int32],
    predicted: NDArray[np.int32],
    pixels: int,
    rules: Sequence[MatchRule],
    steps: Sequence[float],
) -> Tally:
    """Count what two arrays of object numbers of one class have in common.

    Parameters
    ----------
    truth, predicted : ndarray of int32, of one shape
        0 where there is no object.
    pixels : int
        Pixels that are compared.
    rules : sequence of MatchRule
        The first one tells which truth objects were found.
    steps : sequence of float
        Pixel size of each axis, for distances.
    """
    true_size, predicted_size = np.bincount(truth.ravel()), np.bincount(predicted.ravel())
    true_size[0] = predicted_size[0] = 0
    shared = (truth > 0) & (predicted > 0)
    width = predicted_size.size
    codes, area = np.unique(
        truth[shared].astype(np.int64) * width + predicted[shared], return_counts=True
    )
    row, column = codes // width, codes % width
    iou = area / (true_size[row] + predicted_size[column] - area)
    matches = {}
    for rule in rules:
        if rule.kind == "iou":
            matches[rule] = match_overlaps(row, column, iou, rule.limit)
        else:
            matches[rule] = _match_by_centre(truth, predicted, steps, rule.limit)
    names = np.flatnonzero(true_size)
    return Tally(
        int(area.sum()),
        int(true_size.sum()),
        int(predicted_size.sum()),
        pixels,
        names.size,
        int(np.count_nonzero(predicted_size)),
        {rule: Paired(len(found), float(found.value.sum())) for rule, found in matches.items()},
        int(np.count_nonzero(np.bincount(row, minlength=1) > 1)),
        int(np.count_nonzero(np.bincount(column, minlength=1) > 1)),
        true_size[names],
        np.isin(names, matches[rules[0]].truth),
    )


def _match_by_centre(
    truth: NDArray[np.int32], predicted: NDArray[np.int32], steps: Sequence[float], reach: float
) -> Matches:
    true_names, true_centres = _centres(truth, steps)
    predicted_names, predicted_centres = _centres(predicted, steps)
    found = match_centres(true_centres, predicted_centres, reach)
    return Matches(true_names[found.truth], predicted_names[found.predicted], found.value)


def _centres(
    labels: NDArray[np.int32], steps: Sequence[float]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    places = np.nonzero(labels)
    names, which, count = np.unique(labels[places], return_inverse=True, return_counts=True)
    sums = [np.bincount(which, place, len(names)) for place in places]
    centres = np.stack(sums, axis=1) / count[:, None] * np.asarray(steps)
    return names.astype(np.int64), centres


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else NAN
