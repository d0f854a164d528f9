"""The model's doubt as a range, and counts corrected by a random, completely checked audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.label import label
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.intervals import wilson

SPAN = 0.2


@dataclass(frozen=True)
class DoubtRange:
    """Number and fraction of a class at a lower and at a higher threshold.

    Parameters
    ----------
    thresholds : tuple of float
        Lower, chosen, higher.
    objects, fraction : Estimate
        The chosen threshold's value; low and high are the least and the largest of the three.
        A range of what the model leaves open, not a 95 % interval.
    """

    thresholds: tuple[float, float, float]
    objects: Estimate
    fraction: Estimate


def doubt_range(
    scores: NDArray[Any],
    threshold: float = 0.5,
    *,
    span: float = SPAN,
    min_size: int = 1,
    roi: NDArray[np.bool_] | None = None,
) -> DoubtRange:
    """Return how number and fraction of a class change with the threshold.

    Parameters
    ----------
    scores : ndarray of float, shape (…)
        Probability of the class at every pixel.
    threshold, span : float
        The range goes from threshold - span to threshold + span.
    min_size : int
        Smallest object in pixels.
    roi : ndarray of bool or None
        What is counted.

    Raises
    ------
    MeasurementError
        If nothing is counted, or the thresholds are no probabilities.
    """
    levels = (threshold - span, threshold, threshold + span)
    if not (0 < levels[0] <= levels[2] < 1):
        raise MeasurementError(f"Thresholds from {levels[0]:g} to {levels[2]:g} are no range.")
    total = scores.size if roi is None else int(np.count_nonzero(roi))
    if total == 0:
        raise MeasurementError("Nothing is counted: the region is empty.")
    counts, shares = [], []
    for level in levels:
        mask = scores >= level if roi is None else (scores >= level) & roi
        counts.append(_objects(mask, min_size))
        shares.append(float(np.count_nonzero(mask)) / total)
    basis = f"range of thresholds {levels[0]:g} to {levels[2]:g}; not a 95 % interval"
    return DoubtRange(
        levels,
        Estimate(counts[1], "", min(counts), max(counts), basis=basis),
        Estimate(shares[1], "", min(shares), max(shares), basis=basis),
    )


@dataclass(frozen=True)
class Stratum:
    """Predicted objects of a range of scores, and a random sample of them that was checked.

    Parameters
    ----------
    predicted, checked, true : int
    """

    predicted: int
    checked: int
    true: int


def audited_count(strata: Sequence[Stratum], found: int = 0, sought: int = 0) -> Estimate:
    """Return the true number of objects by a random audit.

    ``T = Σ N_h k_h/n_h``, variance ``Σ N_h² (1 - n_h/N_h) p (1-p)/(n_h - 1)``; divided by the
    recall m/M of regions labelled completely, whose relative variance (1-R)/(R M) is added.
    A queue of doubtful objects is no random sample and must not come in here.

    Parameters
    ----------
    strata : sequence of Stratum
    found, sought : int
        Of the `sought` objects in completely labelled random regions the model had `found`;
        0 and 0: nobody looked, misses are not corrected.

    Raises
    ------
    MeasurementError
        If a stratum cannot be estimated.
    """
    total, variance = 0.0, 0.0
    for item in strata:
        if not 2 <= item.checked <= item.predicted or not 0 <= item.true <= item.checked:
            raise MeasurementError(
                f"{item.checked} of {item.predicted} objects checked, {item.true} true: "
                "that estimates nothing.",
                hint="Check at least two objects of every range of scores.",
            )
        share = item.true / item.checked
        total += item.predicted * share
        left = 1 - item.checked / item.predicted
        variance += item.predicted**2 * left * share * (1 - share) / (item.checked - 1)
    if sought:
        recall = found / sought
        if not 0 < recall <= 1:
            raise MeasurementError(f"{found} found of {sought} is no recall.")
        relative = variance / total**2 + (1 - recall) / (recall * sought) if total else 0.0
        total /= recall
        variance = relative * total**2
    half = 1.96 * float(np.sqrt(variance))
    kind = "predictions and misses" if sought else "predictions, not misses,"
    basis = f"random audit of {kind} 95 %"
    return Estimate(total, "", max(total - half, 0.0), total + half, basis=basis)


def recall_of(found: int, sought: int) -> Estimate:
    """Return the share of true objects that the model found, with Wilson's interval."""
    low, high = wilson(found, sought)
    return Estimate(found / sought, "", low, high, basis="Wilson, 95 %")


def _objects(mask: NDArray[np.bool_], min_size: int) -> int:
    labels, count = label(mask)
    if min_size <= 1:
        return int(count)
    return int(np.count_nonzero(np.bincount(labels.ravel())[1:] >= min_size))
