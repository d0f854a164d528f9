"""Mean, spread and percentiles of sizes, counted by number and by volume."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, ndtri

from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.intervals import LEVEL, Span, ratio_span, wider

Real = NDArray[np.float64]
PERCENTILES = (10, 50, 90)
LARGEST_COUNT = 5


def describe_sizes(
    diameters: ArrayLike, weights: ArrayLike | None = None, unit: str = ""
) -> dict[str, Estimate]:
    """Return what a size distribution is in numbers.

    Geometric mean and standard deviation, D10, D50 and D90 by number and by volume, D[3,2] and
    D[4,3], and the share of the volume that the five largest hold.

    Parameters
    ----------
    diameters : array-like of float, shape (n,)
    weights : array-like of float or None, shape (n,)
        Of the border rule; None: all equal.
    unit : str
        Of the diameters.
    """
    d = np.asarray(diameters, np.float64)
    names = [f"d{p}_by_number" for p in PERCENTILES] + [f"d{p}_by_volume" for p in PERCENTILES]
    if d.size == 0:
        none = Estimate(None, unit, reason="there are no objects")
        every = ["geometric_mean", "geometric_std", *names, "d32", "d43", "share_of_five_largest"]
        return dict.fromkeys(every, none)
    w = np.ones_like(d) if weights is None else np.asarray(weights, np.float64)
    order = np.argsort(d)
    d, w = d[order], w[order]
    volume = w * d**3
    logs = np.log(d)
    middle = float(w @ logs / w.sum())
    spread = math.exp(math.sqrt(float(w @ (logs - middle) ** 2 / w.sum())))
    found = {"geometric_mean": math.exp(middle), "geometric_std": spread}
    found |= dict(zip(names[:3], quantiles(d, w), strict=True))
    found |= dict(zip(names[3:], quantiles(d, volume), strict=True))
    found["d32"] = float(volume.sum() / (w @ d**2))
    found["d43"] = float(volume @ d / volume.sum())
    share = float(volume[-LARGEST_COUNT:].sum() / volume.sum())
    estimates = {
        name: Estimate(value, "" if name == "geometric_std" else unit)
        for name, value in found.items()
    }
    return estimates | {"share_of_five_largest": Estimate(share)}


def quantiles(values: Real, weights: Real, shares: ArrayLike = (0.1, 0.5, 0.9)) -> list[float]:
    """Return weighted quantiles of sorted values; for equal weights the median is the usual one."""
    total = np.cumsum(weights)
    place = (total - weights / 2) / total[-1]
    return [float(found) for found in np.interp(np.asarray(shares, np.float64), place, values)]


def mean_of(values: Real, weights: Real, fields: NDArray[np.int64] | None) -> tuple[float, Span]:
    """Return a weighted mean and its interval, objects as units; fields too where there are.

    At least two values. With fields the interval is the wider one of objects and fields.
    """
    span = ratio_span(weights * values, weights)
    mean = float(weights @ values / weights.sum())
    if fields is None:
        return mean, span
    below = np.bincount(fields, weights)
    held = below > 0
    if held.sum() < 2:
        return mean, span
    tops = np.bincount(fields, weights * values)
    return mean, wider(span, ratio_span(tops[held], below[held]))


def median_of(values: Real, level: float = LEVEL) -> tuple[float, Span | None]:
    """Return the median and its interval from order statistics; none for fewer than six values.

    The ranks are those whose binomial probability holds the level (Thompson 1936).
    """
    count = values.size
    tail = (1 - level) / 2
    low, high = 0, count // 2 + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bdtr(middle - 1, count, 0.5) <= tail else (low, middle)
    half = count // 2
    ends = (low - 1, count - low) if low else (half, half)
    # One partition finds all of them.
    parts = np.partition(values, [*ends, (count - 1) // 2, half])
    median = float(parts[(count - 1) // 2] + parts[half]) / 2
    return median, (float(parts[ends[0]]), float(parts[ends[1]])) if low else None


def std_of(values: Real, weights: Real, median: float, level: float = LEVEL) -> tuple[float, Span]:
    """Return the standard deviation and its interval for sizes of any distribution.

    Bonett's (2006) interval of ln s², with the fourth moment about the median. At least two
    values.
    """
    total = float(weights.sum())
    worth = total**2 / float(weights @ weights)
    rest = values - median
    squares = rest * rest
    off = float(weights @ rest) / total
    square = float(weights @ squares) / total - off**2
    if square <= 0:
        return 0.0, (0.0, 0.0)
    fourth = float((weights * squares) @ squares) / total
    z = float(ndtri(1 - (1 - level) / 2))
    scale = worth / max(worth - z, 1.0)
    excess = max(fourth / square**2 - (worth - 3) / worth, 0.0)
    half = z * scale * math.sqrt(excess / max(worth - 1, 1.0))
    spread = square * worth / (worth - 1)
    low, high = (math.sqrt(spread * scale * math.exp(side)) for side in (-half, half))
    return math.sqrt(spread), (low, high)
