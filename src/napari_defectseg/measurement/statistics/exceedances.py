"""Peaks over a threshold: the generalised Pareto distribution of the largest defects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.intervals import garwood
from napari_defectseg.measurement.statistics import likelihood
from napari_defectseg.measurement.statistics.gumbel import FURTHEST, Extrapolated, far

Real = NDArray[np.float64]

FEWEST = 10
BASIS = "95 %, profile likelihood and counting, objects as units"


@dataclass(frozen=True)
class Exceedances:
    """Sizes above a threshold u: ``P(X > x) = (1 + ξ (x-u)/σ)^(-1/ξ)``.

    Parameters
    ----------
    threshold : float
    scale, shape : Estimate
        σ and ξ.
    log_likelihood : float
    excess : ndarray of float, shape (n,)
        Sizes above the threshold, minus the threshold.
    cut : ndarray of bool, shape (n,)
        Cut by the frame: at least that large.
    volume : float
        Inspected.
    unit : str
        Of sizes.
    """

    threshold: float
    scale: Estimate
    shape: Estimate
    log_likelihood: float
    excess: Real
    cut: NDArray[np.bool_]
    volume: float
    unit: str

    @property
    def rate(self) -> float:
        """Exceedances ζ per volume."""
        return self.excess.size / self.volume

    def largest(self, volume: float) -> Extrapolated:
        """Return the size that is exceeded once in a volume.

        ``x = u + (σ/ξ)((m ζ)^ξ - 1)``; the interval joins that of the profile likelihood with
        that of the number of exceedances.

        Parameters
        ----------
        volume : float
            m, in the unit of the inspected one.

        Raises
        ------
        MeasurementError
            If no exceedance is expected in it.
        """
        number = self.rate * volume
        if number <= 1:
            raise MeasurementError(
                f"In this volume {number:.3g} objects above {self.threshold:g} are expected.",
                hint="Ask for a larger volume, or take a lower threshold.",
            )
        value = self._level(number)
        low, high = self._profile(number)
        few, many = (count / self.excess.size * number for count in garwood(self.excess.size))
        down = math.hypot(value - low, value - self._level(max(few, 1.0)))
        up = math.hypot(high - value, self._level(many) - value)
        estimate = Estimate(
            value, self.unit, max(value - down, self.threshold), value + up, basis=BASIS
        )
        factor = volume / self.volume
        notes = (far(factor),) if factor > FURTHEST else ()
        return Extrapolated(estimate, factor, notes)

    def _level(self, number: float) -> float:
        xi = self.shape.value or 0.0
        return self.threshold + (self.scale.value or 1.0) * _growth(number, xi)

    def _profile(self, number: float) -> tuple[float, float]:
        """Return the interval of the level for a known rate."""

        def value(level: float, xi: float) -> float:
            growth = _growth(number, xi)
            if level <= 0 or growth <= 0:
                return -math.inf
            return _log_likelihood(self.excess, self.cut, math.log(level / growth), xi)

        peak = likelihood.Peak(
            self._level(number) - self.threshold, self.shape.value or 0.0, self.log_likelihood
        )
        low, high = likelihood.profile_span(value, peak)
        return self.threshold + low, self.threshold + high


def fit_exceedances(
    sizes: ArrayLike,
    threshold: float,
    volume: float,
    cut: ArrayLike | None = None,
    unit: str = "",
) -> Exceedances:
    """Fit the generalised Pareto distribution to sizes above a threshold.

    Objects cut by the frame are censored from below, not dropped: the largest is the likeliest
    to be cut. Such below the threshold are left out.

    Parameters
    ----------
    sizes : array-like of float, shape (n,)
    threshold : float
        u; see `mean_excess`.
    volume : float
        Inspected volume (area).
    cut : array-like of bool or None, shape (n,)
    unit : str

    Raises
    ------
    MeasurementError
        If too few sizes lie above.
    """
    x = np.asarray(sizes, np.float64)
    censored = np.zeros(x.size, bool) if cut is None else np.asarray(cut, bool)
    above = x > threshold
    excess, censored = x[above] - threshold, censored[above]
    if (~censored).sum() < FEWEST or volume <= 0:
        raise MeasurementError(
            f"{int((~censored).sum())} whole objects above {threshold:g} are too few.",
            hint=f"Take a lower threshold: it needs at least {FEWEST}.",
        )

    def value(log_scale: float, xi: float) -> float:
        return _log_likelihood(excess, censored, log_scale, xi)

    peak = likelihood.maximise(value, (math.log(float(excess.mean())), 0.05))
    scale = likelihood.profile_span(value, peak)
    shape = likelihood.profile_span(
        likelihood.swapped(value), likelihood.Peak(peak.second, peak.first, peak.value)
    )
    basis = "95 %, profile likelihood, objects as units"
    return Exceedances(
        threshold,
        Estimate(math.exp(peak.first), unit, _exp(scale[0]), _exp(scale[1]), basis=basis),
        Estimate(peak.second, "", *shape, basis=basis),
        peak.value,
        excess,
        censored,
        volume,
        unit,
    )


def mean_excess(sizes: ArrayLike, thresholds: ArrayLike) -> Real:
    """Return the mean size above each threshold minus the threshold; straight where GPD holds."""
    x = np.asarray(sizes, np.float64)
    found = [x[x > u] - u for u in np.asarray(thresholds, np.float64)]
    return np.array([float(part.mean()) if part.size else np.nan for part in found])


def stability(sizes: ArrayLike, thresholds: ArrayLike, volume: float) -> list[Estimate]:
    """Return the shape ξ at each threshold; where it stays, the threshold is high enough."""
    return [fit_exceedances(sizes, float(u), volume).shape for u in np.ravel(thresholds)]


def _growth(number: float, xi: float) -> float:
    """Return ((m ζ)^ξ - 1)/ξ, its limit ln(m ζ) for ξ -> 0."""
    logs = math.log(number)
    if abs(xi * logs) < 1e-8:
        return logs
    if xi * logs > 600:
        return math.inf
    return math.expm1(xi * logs) / xi


def _log_likelihood(excess: Real, cut: NDArray[np.bool_], log_scale: float, xi: float) -> float:
    if not abs(log_scale) < 300 or not -0.9 < xi < 5:
        return -math.inf
    z = excess * math.exp(-log_scale)
    if abs(xi) < 1e-8:
        above = -z
        slope = np.zeros_like(z)
    else:
        inner = 1 + xi * z
        if np.any(inner <= 0):
            return -math.inf
        slope = np.log(inner)
        above = -slope / xi
    return float((above - slope)[~cut].sum() - log_scale * (~cut).sum() + above[cut].sum())


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))
