"""Fields nested in specimens: numbers of each specimen, and over specimens as units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, ndtri, stdtr, stdtrit

from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.intervals import LEVEL, mean_span
from napari_defectseg.measurement.populations import Summary

Real = NDArray[np.float64]
Numbers = Mapping[str, Mapping[str, Estimate]]
COUNTED = ("objects", "pixels", "dispersion_index", "dispersion_p")
"""Quantities that depend on how much was looked at: specimens cannot be compared by them."""


def over_specimens(summaries: Sequence[Summary]) -> dict[str, dict[str, Estimate]]:
    """Return the mean over specimens of each quantity of each class, specimens as units.

    A specimen counts once, however many fields were taken of it: fields of one specimen say
    nothing about others. With fewer than two specimens there is no interval.

    Parameters
    ----------
    summaries : sequence of Summary
        One a specimen, each of all its fields.
    """
    names = dict.fromkeys(name for one in summaries for name in one.classes)
    found: dict[str, dict[str, Estimate]] = {}
    for name in names:
        own = [one.classes[name] for one in summaries if name in one.classes]
        quantities = dict.fromkeys(key for numbers in own for key in numbers)
        found[name] = {
            key: specimen_mean([numbers[key] for numbers in own if key in numbers])
            for key in quantities
            if key not in COUNTED
        }
    return found


def specimen_mean(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean of one number over specimens, with Student's interval."""
    unit = next((one.unit for one in estimates if one.unit), "")
    values = [one.value for one in estimates if one.value is not None]
    if not values:
        return Estimate(None, unit, reason="it is undefined in every specimen")
    mean = float(np.mean(values))
    if len(values) < 2:
        return Estimate(mean, unit)
    low, high = mean_span(values)
    basis = f"95 %, Student, {len(values)} specimens as units"
    return Estimate(mean, unit, low, high, basis=basis)


NO_SCATTER = 1e-9
"""Values of a group that differ by less of themselves are equal but for rounding."""


@dataclass(frozen=True)
class Difference:
    """How two groups of specimens differ in one quantity.

    Parameters
    ----------
    first, second : str
        Names of the groups.
    counts : tuple of int
        Specimens of each.
    means : tuple of float
    value, low, high : float
        Second mean less the first, and its 95 % interval (Welch); nan: too few specimens.
    p : float
        Two-sided, of no difference (Welch).
    effect, effect_low, effect_high : float
        The difference over the pooled standard deviation, without the bias of few specimens
        (Hedges' g), and its 95 % interval.
    adjusted : float
        p after Benjamini & Hochberg over everything asked together.
    """

    first: str
    second: str
    counts: tuple[int, int]
    means: tuple[float, float]
    value: float
    low: float
    high: float
    p: float
    effect: float
    effect_low: float
    effect_high: float
    adjusted: float = math.nan


def difference(
    one: ArrayLike, other: ArrayLike, names: tuple[str, str] = ("", ""), level: float = LEVEL
) -> Difference:
    """Return how the values of two groups differ; each value is one specimen's.

    Interval and p are Welch's (1947), which need no equal variances; the effect size is
    Hedges' g (1981) with its large-sample variance.

    Parameters
    ----------
    one, other : array-like of float, shape (n,), n >= 1
    names : tuple of str
    level : float
    """
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    counts, means = (a.size, b.size), (float(a.mean()), float(b.mean()))
    gap = means[1] - means[0]
    nothing = (math.nan,) * 6
    if min(counts) < 2:
        return Difference(*names, counts, means, gap, *nothing)
    parts = (float(a.var(ddof=1)) / a.size, float(b.var(ddof=1)) / b.size)
    error = math.sqrt(sum(parts))
    if error <= NO_SCATTER * float(max(np.abs(a).max(), np.abs(b).max())):
        return Difference(*names, counts, means, gap, *nothing)
    shares = [part / sum(parts) for part in parts]  # squares of tiny variances would vanish
    degrees = 1 / (shares[0] ** 2 / (a.size - 1) + shares[1] ** 2 / (b.size - 1))
    half = float(stdtrit(degrees, 0.5 + level / 2)) * error
    p = 2 * float(stdtr(degrees, -abs(gap) / error))
    return Difference(*names, counts, means, gap, gap - half, gap + half, p, *hedges(a, b, level))


def hedges(a: Real, b: Real, level: float = LEVEL) -> tuple[float, float, float]:
    """Return Hedges' g of two samples and its interval.

    Examples
    --------
    >>> [round(v, 4) for v in hedges(np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 5.0]))]
    [1.5958, -0.2417, 3.4332]
    """
    degrees = a.size + b.size - 2
    pooled = ((a.size - 1) * a.var(ddof=1) + (b.size - 1) * b.var(ddof=1)) / degrees
    if pooled <= 0:
        return math.nan, math.nan, math.nan
    half = degrees / 2
    less = math.exp(float(gammaln(half) - gammaln(half - 0.5))) / math.sqrt(half)
    g = float(less * (b.mean() - a.mean()) / math.sqrt(pooled))
    spread = math.sqrt((a.size + b.size) / (a.size * b.size) + g**2 / (2 * (a.size + b.size)))
    z = float(ndtri(0.5 + level / 2))
    return g, g - z * spread, g + z * spread
