"""Size distributions: log-normal and Weibull, fitted above a detection limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtri_exp

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.statistics import likelihood

Real = NDArray[np.float64]

FEWEST = 8
"""Objects that a fit needs."""
BASIS = "profile likelihood, 95 %, objects as units"


class Family(Protocol):
    """A distribution of positive sizes with two parameters on unbounded scales."""

    name: str
    names: tuple[str, str]

    def log_density(self, x: Real, first: float, second: float) -> Real:
        """Return the logarithm of the density."""

    def log_above(self, x: Real, first: float, second: float) -> Real:
        """Return the logarithm of the share of larger sizes."""

    def quantile(self, log_above: Real, first: float, second: float) -> Real:
        """Return the sizes with that logarithm of the share of larger ones."""

    def start(self, x: Real) -> tuple[float, float]:
        """Return parameters to begin with."""

    def natural(self, first: float, second: float) -> tuple[float, float]:
        """Return the parameters that `names` name."""


class LogNormal:
    """Logarithms with mean μ and standard deviation σ; searched as (μ, ln σ)."""

    name = "lognormal"
    names = ("mu", "sigma")

    def log_density(self, x: Real, first: float, second: float) -> Real:
        """Return the logarithm of the density."""
        logs = np.log(x)
        z = (logs - first) / math.exp(second)
        value: Real = -0.5 * z**2 - second - logs - 0.5 * math.log(2 * math.pi)
        return value

    def log_above(self, x: Real, first: float, second: float) -> Real:
        """Return the logarithm of the share of larger sizes."""
        return np.asarray(log_ndtr(-(np.log(x) - first) / math.exp(second)), np.float64)

    def quantile(self, log_above: Real, first: float, second: float) -> Real:
        """Return the sizes with that logarithm of the share of larger ones."""
        value: Real = np.exp(first - math.exp(second) * ndtri_exp(log_above))
        return value

    def start(self, x: Real) -> tuple[float, float]:
        """Return parameters to begin with."""
        logs = np.log(x)
        return float(logs.mean()), math.log(max(float(logs.std()), 1e-3))

    def natural(self, first: float, second: float) -> tuple[float, float]:
        """Return μ and σ."""
        return first, math.exp(second)


class Weibull:
    """Share above x is exp(-(x/scale)^shape); searched as (ln shape, ln scale)."""

    name = "weibull"
    names = ("shape", "scale")

    def log_density(self, x: Real, first: float, second: float) -> Real:
        """Return the logarithm of the density."""
        shape, ratio = math.exp(first), np.log(x) - second
        value: Real = first - second + (shape - 1) * ratio - np.exp(shape * ratio)
        return value

    def log_above(self, x: Real, first: float, second: float) -> Real:
        """Return the logarithm of the share of larger sizes."""
        value: Real = -np.exp(math.exp(first) * (np.log(x) - second))
        return value

    def quantile(self, log_above: Real, first: float, second: float) -> Real:
        """Return the sizes with that logarithm of the share of larger ones."""
        value: Real = math.exp(second) * (-log_above) ** math.exp(-first)
        return value

    def start(self, x: Real) -> tuple[float, float]:
        """Return parameters to begin with."""
        spread = max(float(np.log(x).std()), 1e-3)
        return math.log(1.2825 / spread), float(np.log(x).mean()) + 0.5772 * spread / 1.2825

    def natural(self, first: float, second: float) -> tuple[float, float]:
        """Return shape and scale."""
        return math.exp(first), math.exp(second)


FAMILIES: Mapping[str, Family] = {"lognormal": LogNormal(), "weibull": Weibull()}


@dataclass(frozen=True)
class SizeFit:
    """A distribution fitted to sizes above a detection limit.

    Parameters
    ----------
    family : str
    point : tuple of float
        Parameters on the unbounded scales of the family.
    parameters : mapping of str to Estimate
    limit : float
        Detection limit c; 0: none.
    count : int
        Sizes used: those of at least `limit`.
    log_likelihood, aic : float
    largest_difference : float
        Between the observed and the fitted share of smaller sizes.
    """

    family: str
    point: tuple[float, float]
    parameters: Mapping[str, Estimate]
    limit: float
    count: int
    log_likelihood: float
    aic: float
    largest_difference: float

    def below(self, x: ArrayLike) -> Real:
        """Return the share of smaller sizes among those above the limit."""
        return below(FAMILIES[self.family], np.asarray(x, np.float64), self.point, self.limit)

    def sample(self, count: int, rng: np.random.Generator) -> Real:
        """Return sizes above the limit drawn from the distribution."""
        item = FAMILIES[self.family]
        logs = np.log(rng.uniform(size=count))
        if self.limit > 0:
            logs = logs + item.log_above(np.array([self.limit]), *self.point)[0]
        return item.quantile(logs, *self.point)


def fit_sizes(
    sizes: ArrayLike,
    family: str = "lognormal",
    *,
    limit: float = 0.0,
    weights: ArrayLike | None = None,
    unit: str = "",
) -> SizeFit:
    """Fit a distribution by maximum likelihood with left truncation at the detection limit.

    Maximises Σ[log f(x) - log(1 - F(c))] over sizes x >= c.

    Parameters
    ----------
    sizes : array-like of float, shape (n,)
    family : {"lognormal", "weibull"}
    limit : float
        Detection limit c: smaller objects are not seen, or not all of them.
    weights : array-like of float or None, shape (n,)
        Of the border rule; scaled to the number of sizes that they are worth.
    unit : str
        Of the sizes, for the scale.

    Raises
    ------
    MeasurementError
        If there are too few sizes, or they do not determine the distribution.
    """
    item = _family(family)
    x, w = _above(sizes, weights, limit)
    found = _maximum(item, x, w, limit, item.start(x))
    first, second = _log_likelihoods(item, x, w, limit)
    spans = (
        likelihood.profile_span(first, found),
        likelihood.profile_span(second, likelihood.Peak(found.second, found.first, found.value)),
    )
    point = (found.first, found.second)
    return SizeFit(
        family,
        point,
        _parameters(item, point, spans, unit),
        limit,
        int(x.size),
        found.value,
        4 - 2 * found.value,
        _difference(item, x, w, point, limit),
    )


def refit(family: str, x: Real, limit: float, start: tuple[float, float]) -> tuple[float, float]:
    """Return the parameters of sizes above a limit, without intervals."""
    item = _family(family)
    found = _maximum(item, x, np.ones_like(x), limit, start)
    return found.first, found.second


def below(family: Family, x: Real, point: tuple[float, float], limit: float) -> Real:
    """Return the share of smaller sizes among those above a limit."""
    above = family.log_above(x, *point)
    if limit > 0:
        above = above - family.log_above(np.array([limit]), *point)[0]
    value: Real = -np.expm1(np.minimum(above, 0.0))
    return value


def vuong(sizes: ArrayLike, one: SizeFit, other: SizeFit) -> tuple[float, float]:
    """Return Vuong's z (positive: `one` is closer) and its two-sided p (Vuong 1989).

    Raises
    ------
    MeasurementError
        If the fits have different limits.
    """
    if one.limit != other.limit:
        raise MeasurementError("Fits above different detection limits cannot be compared.")
    x, _ = _above(sizes, None, one.limit)
    gain = _point_log_likelihood(one, x) - _point_log_likelihood(other, x)
    spread = float(gain.std())
    if spread == 0:
        return 0.0, 1.0
    z = float(gain.sum()) / (math.sqrt(x.size) * spread)
    return z, math.erfc(abs(z) / math.sqrt(2))


def log_normal_moments(median: float, sigma: float) -> dict[str, float]:
    """Return mean, spread, mode and weighted means of a log-normal distribution of diameters."""
    square = sigma**2
    return {
        "mean": median * math.exp(square / 2),
        "std": median * math.exp(square / 2) * math.sqrt(math.expm1(square)),
        "mode": median * math.exp(-square),
        "cube_mean": median * math.exp(1.5 * square),
        "d32": median * math.exp(2.5 * square),
        "d43": median * math.exp(3.5 * square),
        "volume_median": median * math.exp(3 * square),
    }


def quantiles(fit: SizeFit, shares: ArrayLike) -> Real:
    """Return the sizes below which a share of those above the limit lies, for a q-q plot."""
    item = FAMILIES[fit.family]
    logs = np.log1p(-np.asarray(shares, np.float64))
    if fit.limit > 0:
        logs = logs + item.log_above(np.array([fit.limit]), *fit.point)[0]
    return item.quantile(logs, *fit.point)


def _family(name: str) -> Family:
    if name not in FAMILIES:
        raise MeasurementError(
            f"There is no size distribution {name!r}.", hint=f"Use one of {', '.join(FAMILIES)}."
        )
    return FAMILIES[name]


def _above(sizes: ArrayLike, weights: ArrayLike | None, limit: float) -> tuple[Real, Real]:
    x = np.asarray(sizes, np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, np.float64)
    keep = np.isfinite(x) & (x > 0) & (x >= limit)
    x, w = x[keep], w[keep]
    if x.size < FEWEST:
        raise MeasurementError(
            f"{x.size} sizes above the detection limit are too few for a distribution.",
            hint=f"It needs at least {FEWEST}.",
        )
    if np.ptp(x) == 0:
        raise MeasurementError("All sizes are equal: there is no distribution to fit.")
    return x, w * (w.sum() / float(w @ w))


def _log_likelihoods(
    item: Family, x: Real, w: Real, limit: float
) -> tuple[likelihood.LogLikelihood, likelihood.LogLikelihood]:
    cut, total = np.array([limit]), float(w.sum())

    def value(first: float, second: float) -> float:
        if abs(first) > 500 or abs(second) > 500:
            return -math.inf
        with np.errstate(over="ignore", invalid="ignore"):
            found = float(w @ item.log_density(x, first, second))
            if limit > 0:
                found -= total * float(item.log_above(cut, first, second)[0])
        return found if math.isfinite(found) else -math.inf

    return value, likelihood.swapped(value)


def _maximum(
    item: Family, x: Real, w: Real, limit: float, start: tuple[float, float]
) -> likelihood.Peak:
    value, _ = _log_likelihoods(item, x, w, limit)
    return likelihood.maximise(value, start)


def _parameters(
    item: Family,
    point: tuple[float, float],
    spans: tuple[tuple[float, float], tuple[float, float]],
    unit: str,
) -> dict[str, Estimate]:
    # Each natural parameter is a rising function of one searched parameter.
    (low_1, high_1), (low_2, high_2) = spans
    values = item.natural(*point)
    lows, highs = item.natural(low_1, low_2), item.natural(_low(high_1), _low(high_2))
    units = {"scale": unit}
    return {
        name: Estimate(value, units.get(name, ""), _none(low), _none(high), basis=BASIS)
        for name, value, low, high in zip(item.names, values, lows, highs, strict=True)
    }


def _low(value: float) -> float:
    return min(value, 700.0)


def _none(value: float) -> float | None:
    return value if math.isfinite(value) and abs(value) < 1e300 else None


def _difference(item: Family, x: Real, w: Real, point: tuple[float, float], limit: float) -> float:
    order = np.argsort(x)
    steps = np.cumsum(w[order]) / w.sum()
    fitted = below(item, x[order], point, limit)
    before = np.concatenate([[0.0], steps[:-1]])
    return float(np.maximum(np.abs(steps - fitted), np.abs(fitted - before)).max())


def _point_log_likelihood(fit: SizeFit, x: Real) -> Real:
    item = FAMILIES[fit.family]
    value = item.log_density(x, *fit.point)
    if fit.limit > 0:
        value = value - item.log_above(np.array([fit.limit]), *fit.point)[0]
    return value
