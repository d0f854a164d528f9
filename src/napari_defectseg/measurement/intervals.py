"""Intervals of counts, weighted counts, means and ratios; objects or fields as units."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, chdtri, ndtri, stdtrit

from napari_defectseg.core.errors import MeasurementError

Real = NDArray[np.float64]
Span = tuple[float, float]
LEVEL = 0.95
CLEARLY = 0.01
"""Fields disagree clearly if the test of dispersion has a smaller p."""
FEW_FIELDS = 5
"""Below that many fields an interval over fields is said to rest on few."""


def garwood(count: int, level: float = LEVEL) -> Span:
    """Return the exact interval of a Poisson mean after `count` were seen.

    ``[χ²(α/2; 2n)/2, χ²(1 - α/2; 2n + 2)/2]`` (Garwood 1936). For no event it is
    0 to 3.689 at 95 %.

    Examples
    --------
    >>> [round(value, 4) for value in garwood(5)]
    [1.6235, 11.6683]
    """
    tail = (1 - level) / 2
    # chdtri takes the upper tail.
    low = float(chdtri(2 * count, 1 - tail)) / 2 if count else 0.0
    return low, float(chdtri(2 * count + 2, tail)) / 2


def weighted_count(weights: ArrayLike, level: float = LEVEL) -> Span:
    """Return the interval of a sum of weights, one a Poisson event (Fay & Feuer 1997).

    Gamma interval of Σw with variance Σw²; for equal weights it is Garwood's times the weight.

    Parameters
    ----------
    weights : array-like of float, shape (n,), n >= 1
        Positive weights, one an object.
    level : float
    """
    values = np.asarray(weights, np.float64)
    total, square, largest = float(values.sum()), float(values @ values), float(values.max())
    tail = (1 - level) / 2
    low = square / (2 * total) * float(chdtri(2 * total**2 / square, 1 - tail))
    more, wide = total + largest, square + largest**2
    return low, wide / (2 * more) * float(chdtri(2 * more**2 / wide, tail))


def wilson(successes: int, trials: int, level: float = LEVEL) -> Span:
    """Return Wilson's interval of a share (Wilson 1927).

    Raises
    ------
    MeasurementError
        If there was no trial.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise MeasurementError(f"{successes} of {trials} is no share.")
    z = float(ndtri(1 - (1 - level) / 2))
    share, scale = successes / trials, 1 + z**2 / trials
    middle = (share + z**2 / (2 * trials)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def mean_span(values: ArrayLike, level: float = LEVEL) -> Span:
    """Return Student's interval of a mean; at least two values."""
    sample = np.asarray(values, np.float64)
    return ratio_span(sample, np.ones_like(sample), level)


def ratio_span(tops: ArrayLike, bottoms: ArrayLike, level: float = LEVEL) -> Span:
    """Return the interval of Σtops/Σbottoms where each pair is one unit (field, object).

    ``r ± t(k-1) √(k/(k-1) Σ(top - r bottom)²)/Σbottom``: the ratio estimator, Student's interval
    of the mean where all bottoms are equal.

    Parameters
    ----------
    tops, bottoms : array-like of float, shape (k,), k >= 2
    level : float
    """
    above, below = np.asarray(tops, np.float64), np.asarray(bottoms, np.float64)
    count, base = above.size, float(below.sum())
    ratio = float(above.sum()) / base
    rest = above - ratio * below
    error = math.sqrt(count / (count - 1) * float(rest @ rest)) / base
    half = float(stdtrit(count - 1, 1 - (1 - level) / 2)) * error
    return ratio - half, ratio + half


def wider(one: Span, other: Span) -> Span:
    """Return the span of both."""
    return min(one[0], other[0]), max(one[1], other[1])


@dataclass(frozen=True)
class Dispersion:
    """Whether fields scatter as counting alone would have it.

    Parameters
    ----------
    fields : int
    index : float
        Variance over mean of the counts, for fields of unequal size Pearson's χ²/(k-1).
        About 1 where objects lie at random.
    p : float
        Chance of so large an index at random: (k-1) D ~ χ²(k-1).
    """

    fields: int
    index: float
    p: float


def dispersion(counts: ArrayLike, sizes: ArrayLike | None = None) -> Dispersion:
    """Return the index of dispersion of the counts of fields.

    Parameters
    ----------
    counts : array-like of float, shape (k,)
    sizes : array-like of float or None, shape (k,)
        Counted area or volume of each field; None: all equal.

    Raises
    ------
    MeasurementError
        If there are fewer than two fields.
    """
    seen = np.asarray(counts, np.float64)
    if seen.size < 2:
        raise MeasurementError("One field has no scatter between fields.")
    size = np.ones_like(seen) if sizes is None else np.asarray(sizes, np.float64)
    expected = seen.sum() * size / size.sum()
    held = expected > 0
    if not held.any():
        return Dispersion(seen.size, math.nan, math.nan)
    square = float(((seen - expected)[held] ** 2 / expected[held]).sum())
    return Dispersion(seen.size, square / (seen.size - 1), float(chdtrc(seen.size - 1, square)))


def rate_span(counts: ArrayLike, sizes: ArrayLike | None = None, level: float = LEVEL) -> Span:
    """Return the interval of Σcounts/Σsizes with fields as units.

    Student's interval over the fields, never narrower than counting alone (Garwood): a handful
    of fields cannot show that they agree, so a test does not decide between the two. Where the
    fields clearly disagree (`CLEARLY`) their counts are skewed, and the upper end is the one
    found for the logarithm, r exp(half/r): Student's alone then holds the truth too seldom.

    Parameters
    ----------
    counts : array-like of int, shape (k,), k >= 2
    sizes : array-like of float or None, shape (k,)
        None: per field.
    level : float
    """
    seen = np.asarray(counts, np.float64)
    size = np.ones_like(seen) if sizes is None else np.asarray(sizes, np.float64)
    base = float(size.sum())
    low, high = garwood(int(seen.sum()), level)
    low, high = wider((low / base, high / base), ratio_span(seen, size, level))
    if dispersion(seen, size).p < CLEARLY:
        high = max(high, skewed_end(seen, size, level))
    return max(low, 0.0), high


def skewed_end(tops: ArrayLike, bottoms: ArrayLike, level: float = LEVEL) -> float:
    """Return the upper end of the interval of a positive ratio, found for its logarithm."""
    ratio = float(np.sum(tops)) / float(np.sum(bottoms))
    return ratio * math.exp(ratio_span(tops, bottoms, level)[1] / ratio - 1)


def effective_number(values: ArrayLike) -> float:
    """Return how many independent values a series of frames is worth for its mean.

    ``n (1 - ρ)/(1 + ρ)`` with the correlation ρ of neighbours (Bartlett 1935); not more than n.
    """
    series = np.asarray(values, np.float64)
    rho = lag_correlation(series)
    return min(float(series.size), series.size * (1 - rho) / (1 + rho))


def lag_correlation(values: ArrayLike) -> float:
    """Return the correlation ρ of neighbours in a series, kept between -0.99 and 0.99."""
    series = np.asarray(values, np.float64)
    rest = series - series.mean()
    power = float(rest @ rest)
    if series.size < 3 or power == 0:
        return 0.0
    return float(np.clip(rest[1:] @ rest[:-1] / power, -0.99, 0.99))


def combined_error(
    effective_count: float, thickness: float = 0.0, pixel: float = 0.0, power: int = 2
) -> float:
    """Return the relative standard error of a density per foil volume.

    ``√(1/n + (u_t/t)² + (power u_p)²)``, for relative errors that are small.

    Parameters
    ----------
    effective_count : float
        Independent objects.
    thickness, pixel : float
        Relative standard deviation of the thickness and of the pixel size.
    power : int
        Power with which the pixel size enters: 2 for a number per foil volume.
    """
    return math.sqrt(1 / effective_count + thickness**2 + (power * pixel) ** 2)
