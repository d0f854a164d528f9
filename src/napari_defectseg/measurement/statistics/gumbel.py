"""Block maxima: Gumbel's distribution and the largest defect of a larger volume."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.statistics import likelihood

Real = NDArray[np.float64]

FEWEST = 24
"""Blocks that ASTM E2283 wants."""
FURTHEST = 1000
"""Times the inspected volume beyond which an extrapolation is warned of."""
BASIS = "95 %, profile likelihood, blocks as units"


@dataclass(frozen=True)
class Gumbel:
    """``F = exp(-exp(-(x-λ)/δ))`` fitted to the largest of each block.

    Parameters
    ----------
    location, scale : Estimate
        λ and δ.
    log_likelihood : float
    maxima : ndarray of float, shape (k,)
    cut : ndarray of bool, shape (k,)
        Largest objects cut by the frame: they are at least as large as seen.
    shape_p : float
        p of ξ = 0 against the general extreme value distribution; small: Gumbel does not hold.
    unit : str
    """

    location: Estimate
    scale: Estimate
    log_likelihood: float
    maxima: Real
    cut: NDArray[np.bool_]
    shape_p: float
    unit: str

    def largest(self, blocks: float) -> Extrapolated:
        """Return the size x(T) that the largest of T blocks exceeds once in T blocks.

        ``x(T) = λ - δ ln(-ln(1 - 1/T))`` with the interval of its profile likelihood.

        Parameters
        ----------
        blocks : float
            T, the wanted volume over that of a block; above 1.
        """
        if not blocks > 1:
            raise MeasurementError(f"{blocks:g} blocks are no larger volume.")
        depth = -math.log(-math.log1p(-1 / blocks))
        at, spread = self.location.value or 0.0, self.scale.value or 1.0

        def value(size: float, log_scale: float) -> float:
            return _log_likelihood(
                self.maxima, self.cut, size - math.exp(log_scale) * depth, log_scale
            )

        peak = likelihood.Peak(at + spread * depth, math.log(spread), self.log_likelihood)
        low, high = likelihood.profile_span(value, peak)
        estimate = Estimate(peak.first, self.unit, low, high, basis=BASIS)
        return Extrapolated(estimate, blocks / self.maxima.size, _warnings(blocks, self))


@dataclass(frozen=True)
class Extrapolated:
    """A size beyond what was inspected.

    Parameters
    ----------
    size : Estimate
    factor : float
        Volume asked for over the volume inspected.
    warnings : tuple of str
    """

    size: Estimate
    factor: float
    warnings: tuple[str, ...] = ()


def fit_gumbel(maxima: ArrayLike, cut: ArrayLike | None = None, unit: str = "") -> Gumbel:
    """Fit Gumbel's distribution to block maxima by maximum likelihood (ASTM E2283).

    Parameters
    ----------
    maxima : array-like of float, shape (k,)
        Largest size in each block of one volume (area).
    cut : array-like of bool or None, shape (k,)
        Whether the largest is cut by the frame: censored, it counts as 'at least'.
    unit : str

    Raises
    ------
    MeasurementError
        If the blocks do not determine the distribution.
    """
    x = np.asarray(maxima, np.float64)
    censored = np.zeros(x.size, bool) if cut is None else np.asarray(cut, bool)
    if x.size < 3 or (~censored).sum() < 3 or np.ptp(x) == 0:
        raise MeasurementError(f"{x.size} blocks are too few for extreme values.")

    def value(at: float, log_scale: float) -> float:
        return _log_likelihood(x, censored, at, log_scale)

    spread = float(x.std()) * math.sqrt(6) / math.pi
    peak = likelihood.maximise(value, (float(x.mean()) - 0.5772 * spread, math.log(spread)))
    spans = likelihood.profile_span(value, peak)
    log_spans = likelihood.profile_span(
        likelihood.swapped(value), likelihood.Peak(peak.second, peak.first, peak.value)
    )
    return Gumbel(
        Estimate(peak.first, unit, *spans, basis=BASIS),
        Estimate(
            math.exp(peak.second),
            unit,
            math.exp(log_spans[0]),
            math.exp(log_spans[1]),
            basis=BASIS,
        ),
        peak.value,
        x,
        censored,
        _shape_test(x, censored, peak),
        unit,
    )


def return_level(location: float, scale: float, blocks: float) -> float:
    """Return λ - δ ln(-ln(1 - 1/T))."""
    return location - scale * math.log(-math.log1p(-1 / blocks))


def section_block(area: float, maxima: ArrayLike) -> float:
    """Return the volume that a polished section stands for: area times the mean maximum.

    Parameters
    ----------
    area : float
        Of a block.
    maxima : array-like of float
        √area of the largest of each block.
    """
    return area * float(np.asarray(maxima, np.float64).mean())


def _log_likelihood(x: Real, cut: NDArray[np.bool_], at: float, log_scale: float) -> float:
    if abs(log_scale) > 300:
        return -math.inf
    with np.errstate(over="ignore"):
        z = (x - at) * math.exp(-log_scale)
        power = np.exp(-z)
        seen = -log_scale - z[~cut] - power[~cut]
        beyond = np.log(-np.expm1(-power[cut]) + 1e-300)
    return float(seen.sum() + beyond.sum())


def _shape_test(x: Real, cut: NDArray[np.bool_], peak: likelihood.Peak) -> float:
    """Return p of the likelihood ratio of GEV against Gumbel."""
    from scipy.optimize import minimize

    def cost(point: Real) -> float:
        at, log_scale, xi = (float(part) for part in point)
        if abs(xi) < 1e-6:
            return -_log_likelihood(x, cut, at, log_scale)
        inner = 1 + xi * (x - at) * math.exp(-min(max(log_scale, -300), 300))
        if np.any(inner <= 0):
            return 1e300
        power = inner ** (-1 / xi)
        seen = -log_scale - (1 + 1 / xi) * np.log(inner[~cut]) - power[~cut]
        beyond = np.log(-np.expm1(-power[cut]) + 1e-300)
        return -float(seen.sum() + beyond.sum())

    best = min(
        float(minimize(cost, [peak.first, peak.second, xi], method="Nelder-Mead").fun)
        for xi in (-0.1, 0.1)
    )
    return float(chdtrc(1, max(2 * (-best - peak.value), 0.0)))


def _warnings(blocks: float, fit: Gumbel) -> tuple[str, ...]:
    notes = []
    count = fit.maxima.size
    if count < FEWEST:
        notes.append(f"{count} blocks are few: ASTM E2283 wants at least {FEWEST}.")
    if blocks > FURTHEST * count:
        notes.append(far(blocks / count))
    if fit.shape_p < 0.05:
        notes.append(
            f"The maxima do not follow Gumbel's distribution (p = {fit.shape_p:.2g}): perhaps two "
            "kinds of defects; split them first."
        )
    return tuple(notes)


def far(factor: float) -> str:
    """Return the warning of an extrapolation beyond 1000 times what was inspected."""
    return (
        f"This extrapolates to {factor:.3g} times the inspected volume; beyond {FURTHEST} times "
        "the interval does not hold what is unknown of the tail."
    )
