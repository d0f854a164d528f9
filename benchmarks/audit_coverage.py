"""Does the five-minute review's interval cover the truth? Seeded cases with known truth.

    python benchmarks/audit_coverage.py [--cases 200]

Each case is a population of predicted objects whose chance to be true follows their score, and of
objects that were missed, clustered in places; a sample is drawn and judged as a person would who
is always right. Printed: the share of intervals (nominal 95 %) that hold the true precision, the
true recall and the true count, and their mean widths.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.measurement.audit import AuditEstimate, estimate_audit
from napari_defectseg.review.audit import AuditSettings, draw_audit

CELL, SIDE = 4, 512


@dataclass(frozen=True)
class Case:
    """One audit and the truth it is held against."""

    estimate: AuditEstimate
    precision: float
    recall: float
    count: int


def play(seed: int) -> Case:
    """Make a population, draw a sample, judge it."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(150, 900))
    recall = rng.uniform(0.6, 0.98)
    cells = SIDE // CELL
    # Some regions are dense and missed more often than others: places are clusters.
    dense = rng.gamma(2.0, 1.0, (8, 8)).repeat(cells // 8, 0).repeat(cells // 8, 1).ravel()
    spots = rng.choice(cells * cells, n, replace=False, p=dense / dense.sum())
    missed_most = rng.uniform(0.5, 1.5, (8, 8)).repeat(cells // 8, 0).repeat(cells // 8, 1).ravel()
    missed = rng.random(n) < np.clip((1 - recall) * missed_most[spots], 0, 1)
    predicted, lost = spots[~missed], spots[missed]
    scores = rng.beta(4, 1, predicted.size)
    right = rng.random(predicted.size) < np.clip(scores * rng.uniform(0.8, 1.15) + 0.1, 0, 1)
    labelmap = LabelMap.empty(
        (SIDE, SIDE), ClassMap.of(["void"]), ("y", "x"), Calibration((1.0, 1.0), "nm", "made")
    )
    for number, spot in enumerate(predicted.tolist(), start=1):
        y, x = divmod(spot, cells)
        labelmap.planes[0][CELL * y + 1 : CELL * y + 3, CELL * x + 1 : CELL * x + 3] = number
        labelmap.object_classes[number] = 1
    named = dict(enumerate(scores.tolist(), start=1))
    audit = draw_audit(labelmap, named, AuditSettings(objects=40, places=24, side=64, seed=seed))
    for i, one in enumerate(audit.objects):
        audit = audit.judge_object(i, bool(right[one.number - 1]))
    at = np.stack([lost // cells, lost % cells], axis=1) * CELL + CELL // 2
    for i, place in enumerate(audit.places):
        inside = np.ones(len(at), bool)
        for axis, (low, high) in enumerate(place.region):
            inside &= (at[:, axis] >= low) & (at[:, axis] < high)
        found = sum(bool(right[number - 1]) for number in place.predicted)
        audit = audit.judge_place(i, found, int(inside.sum()))
    true = int(right.sum())
    return Case(
        estimate_audit(audit), true / predicted.size, true / (true + lost.size), true + lost.size
    )


def coverage(cases: int, first: int = 0) -> dict[str, tuple[float, float]]:
    """Return the share of intervals that hold the truth, and their mean width, by quantity."""
    held: dict[str, list[bool]] = {"precision": [], "recall": [], "count": []}
    width: dict[str, list[float]] = {name: [] for name in held}
    for seed in range(first, first + cases):
        case = play(seed)
        for name, truth in (
            ("precision", case.precision), ("recall", case.recall), ("count", case.count),
        ):  # fmt: skip
            one = getattr(case.estimate, name)
            held[name].append(one is not None and one.low <= truth <= one.high)
            width[name].append(one.high - one.low if one is not None else np.nan)
    return {name: (float(np.mean(held[name])), float(np.nanmean(width[name]))) for name in held}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=200)
    cases = parser.parse_args().cases
    for name, (share, width) in coverage(cases).items():
        print(f"{name:10} covered in {100 * share:5.1f} % of {cases} cases, mean width {width:.3g}")


if __name__ == "__main__":
    main()
