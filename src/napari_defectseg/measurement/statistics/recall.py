"""Recall by size: from which size on the model finds objects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.statistics import likelihood

Real = NDArray[np.float64]

FEWEST = 10
NINE = math.log(9)
"""Logit of 0.9."""


@dataclass(frozen=True)
class RecallCurve:
    """Probability that an object is found, by its size: logistic in the logarithm of the size.

    Parameters
    ----------
    a50, a90 : Estimate
        Size at which half, and nine of ten, are found, with 95 % intervals.
    a90_95 : float
        Size above which with 95 % confidence nine of ten are found (upper bound of a90).
    slope : float
        Of the logit against ln(size).
    """

    a50: Estimate
    a90: Estimate
    a90_95: float
    slope: float

    def at(self, sizes: ArrayLike) -> Real:
        """Return the recall at some sizes."""
        logs = np.log(np.asarray(sizes, np.float64) / (self.a50.value or 1.0))
        return np.asarray(expit(self.slope * logs), np.float64)


def recall_curve(sizes: ArrayLike, found: ArrayLike, unit: str = "") -> RecallCurve:
    """Fit the recall of true objects by size (probability of detection curve).

    The objects must come from completely labelled random regions, not from a choice.

    Parameters
    ----------
    sizes : array-like of float, shape (n,)
        Of all true objects.
    found : array-like of bool, shape (n,)
        Which of them the model found.
    unit : str

    Raises
    ------
    MeasurementError
        If too few were found or missed, or small ones are found as often as large ones.
    """
    logs = np.log(np.asarray(sizes, np.float64))
    hit = np.asarray(found, bool)
    if min(int(hit.sum()), int((~hit).sum())) < FEWEST:
        raise MeasurementError(
            f"{int(hit.sum())} objects found and {int((~hit).sum())} missed: too few for a curve.",
            hint=f"Label more regions completely: at least {FEWEST} of each.",
        )

    def value(at_nine: float, log_slope: float) -> float:
        """Return the likelihood of (ln a90, ln slope)."""
        return _log_likelihood(logs, hit, at_nine, log_slope, NINE)

    def half(at_half: float, log_slope: float) -> float:
        return _log_likelihood(logs, hit, at_half, log_slope, 0.0)

    spread = max(float(logs.std()), 1e-3)
    start = (float(np.median(logs)), math.log(2 / spread))
    middle = likelihood.maximise(half, start)
    slope = math.exp(middle.second)
    if slope * spread < 1e-3:
        raise MeasurementError("Small objects are found as often as large ones: no recall by size.")
    nine = likelihood.Peak(middle.first + NINE / slope, middle.second, middle.value)
    bound = likelihood.profile_span(value, nine, level=0.90)[1]
    return RecallCurve(
        _estimate(middle.first, likelihood.profile_span(half, middle), unit),
        _estimate(nine.first, likelihood.profile_span(value, nine), unit),
        _exp(bound),
        slope,
    )


def _log_likelihood(
    logs: Real, hit: NDArray[np.bool_], at: float, log_slope: float, logit: float
) -> float:
    if abs(log_slope) > 20:
        return -math.inf
    z = logit + math.exp(log_slope) * (logs - at)
    return float(log_expit(np.where(hit, z, -z)).sum())


def _estimate(log_size: float, span: tuple[float, float], unit: str) -> Estimate:
    low, high = (_exp(end) for end in span)
    return Estimate(
        math.exp(log_size),
        unit,
        low,
        high if math.isfinite(high) else None,
        basis="95 %, profile likelihood, objects as units",
    )


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
