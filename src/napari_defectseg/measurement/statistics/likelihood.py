"""Maximum likelihood of two parameters, and intervals from the profile of the likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.intervals import LEVEL, Span

Real = NDArray[np.float64]
LogLikelihood = Callable[[float, float], float]
FURTHEST = 60
"""Steps outward before a profile counts as open on that side."""


@dataclass(frozen=True)
class Peak:
    """Where the likelihood of (first, second) is largest, and how curved it is there.

    Parameters
    ----------
    first, second : float
    value : float
        Logarithm of the likelihood.
    """

    first: float
    second: float
    value: float


def maximise(log_likelihood: LogLikelihood, start: tuple[float, float]) -> Peak:
    """Return the largest value of a likelihood of two unbounded parameters.

    Raises
    ------
    MeasurementError
        If there is no largest value.
    """
    from scipy.optimize import minimize

    def cost(point: Real) -> float:
        value = log_likelihood(float(point[0]), float(point[1]))
        return -value if math.isfinite(value) else 1e300

    found = minimize(
        cost,
        np.array(start, np.float64),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000},
    )
    if not found.success or found.fun > 1e299 or np.max(np.abs(found.x)) > 1e8:
        raise MeasurementError("The sizes do not determine this distribution.")
    return Peak(float(found.x[0]), float(found.x[1]), -float(found.fun))


def profile_span(log_likelihood: LogLikelihood, peak: Peak, level: float = LEVEL) -> Span:
    """Return the interval of the first parameter from its profile likelihood.

    All values whose best likelihood over the second parameter is within χ²(1)/2 of the peak;
    infinite on a side where the likelihood does not fall so far.
    """
    drop = float(chdtri(1, 1 - level)) / 2
    spread = _spread(log_likelihood, peak)
    return (
        _end(log_likelihood, peak, peak.value - drop, -spread),
        _end(log_likelihood, peak, peak.value - drop, spread),
    )


def swapped(log_likelihood: LogLikelihood) -> LogLikelihood:
    """Return the likelihood with its parameters in the other order."""
    return lambda first, second: log_likelihood(second, first)


def _spread(log_likelihood: LogLikelihood, peak: Peak) -> float:
    """Return about one standard error of the first parameter, from the curvature at the peak."""
    step = 1e-3 * max(abs(peak.first), 1e-3)
    for _ in range(40):
        fall = peak.value - log_likelihood(peak.first + step, peak.second)
        if math.isfinite(fall) and 0.01 < fall < 4:
            return step / math.sqrt(2 * fall)
        step *= 0.3 if not math.isfinite(fall) or fall >= 4 else 2.0
    return step


def _end(log_likelihood: LogLikelihood, peak: Peak, wanted: float, step: float) -> float:
    from scipy.optimize import brentq

    second = peak.second

    def above(first: float) -> float:
        nonlocal second
        best, second = _best_second(log_likelihood, first, second)
        return best - wanted

    inside, outside = peak.first, peak.first + step
    for _ in range(FURTHEST):
        if above(outside) < 0:
            tolerance = 1e-6 * max(abs(step), 1e-12)
            return float(brentq(above, inside, outside, xtol=tolerance))
        inside, outside = outside, outside + step
        step *= 1.3
    return math.copysign(math.inf, step)


def _best_second(log_likelihood: LogLikelihood, first: float, near: float) -> tuple[float, float]:
    """Return the best likelihood for a first parameter, and the second that gives it."""
    from scipy.optimize import minimize_scalar

    def cost(second: float) -> float:
        value = log_likelihood(first, second)
        return -value if math.isfinite(value) else 1e300

    found = minimize_scalar(cost, bracket=(near - 0.05, near + 0.05), tol=1e-6)
    if found.fun < 1e299:
        return -float(found.fun), float(found.x)
    return -1e300, near
