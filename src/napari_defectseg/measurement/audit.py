"""What a random sample says: precision, recall, and the count they correct, with intervals.

With strata h of N_h members, n_h judged and k_h of them right:

    T = Σ N_h k_h / n_h,   var T = Σ N_h² (1 - n_h / N_h) p_h (1 - p_h) / (n_h - 1)

is the number of predicted objects that are true (Cochran 1977, chapter 5), precision is T / ΣN_h.
Recall is found / (found + missed) over the places that were judged completely, each weighted by
one over its probability of being drawn; places are clusters of objects, so its variance is that
of a ratio of sums over places. The corrected count is T / recall, and relative variances add.

Intervals are those of Clopper and Pearson with the effective sample size, that of a simple random
sample of the same variance (Korn & Graubard 1998): they hold near 0 and 1, where p ± 1.96 s does
not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.labels.audit import Audit, AuditPlace
from napari_defectseg.measurement.intervals import LEVEL


@dataclass(frozen=True)
class Share:
    """A share with its interval.

    Parameters
    ----------
    value, low, high : float
        0 to 1.
    looks : int
        Objects or places that were judged.
    sigma : float
        Standard error.
    more : int
        How many more looks of the same kind halve the interval; 0 where all were looked at.
    """

    value: float
    low: float
    high: float
    looks: int
    sigma: float
    more: int


@dataclass(frozen=True)
class CorrectedCount:
    """How many objects there are.

    Parameters
    ----------
    predicted : int
        How many were predicted.
    true : float
        How many of these are there.
    true_sigma : float
    value, sigma : float
        The corrected count and its standard error; nan without recall.
    low, high : float
        At the level of the estimate.
    """

    predicted: int
    true: float
    true_sigma: float
    value: float
    sigma: float
    low: float
    high: float


@dataclass(frozen=True)
class AuditEstimate:
    """What the verdicts of an audit say; None where nothing was judged.

    Parameters
    ----------
    precision : Share or None
        Objects that are there and of the class they are called.
    recall : Share or None
        Objects that were found, whatever class they were called.
    count : CorrectedCount or None
        From objects that are there, whatever class they were called.
    level : float
    there : Share or None
        Objects that are there, whatever class they are called; at least the precision.
    """

    precision: Share | None
    recall: Share | None
    count: CorrectedCount | None
    level: float = LEVEL
    there: Share | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def estimate_audit(audit: Audit, *, level: float = LEVEL) -> AuditEstimate:
    """Return precision, recall and the corrected count from the verdicts so far.

    Parameters
    ----------
    audit : Audit
        Drawn at random; what was not judged is left out, and since its objects are in random
        order, those judged first are a sample too.
    level : float
        Of the intervals.

    Raises
    ------
    MeasurementError
        If the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise MeasurementError(f"{level} is no level of confidence.", hint="Use 0.95.")
    strata = judged_strata(audit)
    precision = there = None
    true, variance, predicted = math.nan, math.nan, sum(audit.object_strata.values())
    if strata:
        precision = _precision(judged_strata(audit, right_class=True), level)
        there = _precision(strata, level)
        true, variance = true_objects(strata)
        scale = predicted / sum(total for total, _, _ in strata)
        true, variance = true * scale, variance * scale**2
    recall = recall_of(audit.places, audit.place_strata, level=level)
    count = None
    if precision is not None:
        count = corrected_count(
            predicted, true, math.sqrt(variance), recall.value if recall else None,
            recall.sigma if recall else 0.0, level=level,
        )  # fmt: skip
    return AuditEstimate(precision, recall, count, level, there)


def judged_strata(audit: Audit, *, right_class: bool = False) -> list[tuple[int, int, int]]:
    """Return members, judged and true objects of each stratum in which something was judged.

    Parameters
    ----------
    audit : Audit
    right_class : bool
        Whether an object of another class than it is called counts as false.
    """
    strata = []
    for name, members in audit.object_strata.items():
        said = [o.right if right_class else o.there for o in audit.objects if o.stratum == name]
        verdicts = [verdict for verdict in said if verdict is not None]
        if verdicts:
            strata.append((members, len(verdicts), sum(verdicts)))
    return strata


def true_objects(strata: Iterable[tuple[int, int, int]]) -> tuple[float, float]:
    """Return how many predicted objects are true, and the variance of that.

    Parameters
    ----------
    strata : iterable of (members, judged, right)

    Examples
    --------
    >>> total, variance = true_objects([(800, 40, 39), (200, 40, 22)])
    >>> round(total), round(variance ** 0.5, 1)
    (890, 24.1)
    """
    total = variance = 0.0
    for members, judged, right in strata:
        p = right / judged
        total += members * p
        if judged > 1:
            free = 1 - judged / members
            variance += members**2 * free * p * (1 - p) / (judged - 1)
    return total, variance


def corrected_count(
    predicted: int,
    true: float,
    true_sigma: float,
    recall: float | None,
    recall_sigma: float = 0.0,
    *,
    level: float = LEVEL,
) -> CorrectedCount:
    """Return true / recall; relative variances add.

    Parameters
    ----------
    predicted : int
    true, true_sigma : float
        From `true_objects`.
    recall : float or None
        None: no place was judged, so nothing is known of what was missed.
    recall_sigma : float
        Standard error; of one simple sample of M objects ``sqrt(R (1 - R) / M)``.
    level : float
        Of the interval, which is that of a log-normal number.

    Examples
    --------
    >>> n = corrected_count(1000, 890.0, 24.1, 0.75, (0.75 * 0.25 / 60) ** 0.5)
    >>> round(n.value), round(n.sigma)
    (1187, 94)
    """
    if not recall or not true > 0:
        nothing = math.nan
        return CorrectedCount(predicted, true, true_sigma, nothing, nothing, nothing, nothing)
    value = true / recall
    relative = math.hypot(true_sigma / true, recall_sigma / recall)
    factor = math.exp(_normal(level) * math.sqrt(math.log1p(relative**2)))
    return CorrectedCount(
        predicted, true, true_sigma, value, value * relative, value / factor, value * factor
    )


def recall_of(
    places: Iterable[AuditPlace], strata: Mapping[str, int] | None = None, *, level: float = LEVEL
) -> Share | None:
    """Return found / (found + missed) over places that were judged completely.

    Parameters
    ----------
    places : iterable of AuditPlace
        Those that were not judged are left out.
    strata : mapping of str to int, optional
        How many places each stratum holds; None: as many as the probabilities say.
    level : float

    Returns
    -------
    Share or None
        None if no place was judged or none of them holds an object.
    """
    groups: dict[str, list[tuple[int, int]]] = {}
    sizes: dict[str, float] = {}
    drawn: dict[str, int] = {}
    for place in places:
        drawn[place.stratum] = drawn.get(place.stratum, 0) + 1
        sizes[place.stratum] = drawn[place.stratum] / place.probability
        if place.found is not None and place.missed is not None:
            groups.setdefault(place.stratum, []).append((place.found, place.missed))
    sizes |= {name: float(size) for name, size in (strata or {}).items()}
    weights = {name: sizes[name] / len(seen) for name, seen in groups.items()}
    found = sum(weights[name] * sum(f for f, _ in seen) for name, seen in groups.items())
    every = sum(weights[name] * sum(f + m for f, m in seen) for name, seen in groups.items())
    if not every:
        return None
    recall = found / every
    variance = sum(_cluster_variance(seen, sizes[name], recall) for name, seen in groups.items())
    variance /= every**2
    objects = sum(f + m for seen in groups.values() for f, m in seen)
    looks = sum(len(seen) for seen in groups.values())
    total = sum(sizes[name] for name in groups)
    low, high = _interval(recall, variance, objects, looks / total, level)
    return Share(recall, low, high, looks, math.sqrt(variance), more_looks(looks, total))


def more_looks(looks: int, total: float) -> int:
    """Return how many more looks halve an interval whose width goes as sqrt(1/n - 1/N).

    Examples
    --------
    >>> more_looks(40, 1e9), more_looks(50, 100)
    (120, 30)
    """
    if looks >= total:
        return 0
    wanted = 1 / ((1 / looks - 1 / total) / 4 + 1 / total)
    return math.ceil(round(wanted, 6)) - looks


def _precision(strata: list[tuple[int, int, int]], level: float) -> Share:
    true, variance = true_objects(strata)
    members = sum(total for total, _, _ in strata)
    looks = sum(judged for _, judged, _ in strata)
    value, variance = true / members, variance / members**2
    low, high = _interval(value, variance, looks, looks / members, level)
    return Share(value, low, high, looks, math.sqrt(variance), more_looks(looks, members))


def _interval(
    value: float, variance: float, looks: int, fraction: float, level: float
) -> tuple[float, float]:
    """Return the interval of Clopper and Pearson with the effective number of looks."""
    from scipy.special import betaincinv

    if fraction >= 1:
        return value, value
    most = looks / (1 - fraction)
    size = min(value * (1 - value) / variance, most) if variance > 0 else most
    right, tail = value * size, (1 - level) / 2
    low = float(betaincinv(right, size - right + 1, tail)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, size - right, 1 - tail)) if size - right > 0 else 1.0
    return low, high


def _cluster_variance(seen: list[tuple[int, int]], size: float, recall: float) -> float:
    """Return the variance of a stratum's weighted sum of found - recall × all."""
    count = len(seen)
    rest = np.array([f - recall * (f + m) for f, m in seen])
    if count < 2:
        return float(size**2 * (1 - count / size) * (rest**2).sum())
    return float(size**2 * (1 - count / size) * rest.var(ddof=1) / count)


def _normal(level: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + level) / 2))
