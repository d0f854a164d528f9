"""Does a fitted distribution hold? Anderson–Darling with a parametric bootstrap."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.measurement.statistics.fits import FAMILIES, SizeFit, below, refit

Real = NDArray[np.float64]

ROUNDS = 499
LARGEST = 10_000
"""Above that many sizes every family is rejected; the largest difference says more."""


def goodness(sizes: ArrayLike, fit: SizeFit, *, rounds: int = ROUNDS, seed: int = 0) -> float:
    """Return the p of a fitted distribution; see `goodness_steps`."""
    return drive(goodness_steps(sizes, fit, rounds=rounds, seed=seed))


def goodness_steps(
    sizes: ArrayLike, fit: SizeFit, *, rounds: int = ROUNDS, seed: int = 0
) -> Steps[float]:
    """Draw from the fit, fit again, and count how often the misfit is as large as seen.

    The parameters of every draw are fitted anew, so that p holds for fitted parameters
    (a table for given ones would never reject; Lilliefors 1967).

    Raises
    ------
    MeasurementError
        If there are more than 10 000 sizes.
    """
    x = np.sort(np.asarray(sizes, np.float64))
    x = x[x >= max(fit.limit, np.nextafter(0, 1))]
    if x.size > LARGEST:
        raise MeasurementError(
            f"With {x.size} sizes every distribution is rejected.",
            hint="Look at the largest difference and the q-q plot instead.",
        )
    rng = np.random.default_rng(seed)
    seen, worse = anderson(fit, x, fit.point), 0
    for done in range(rounds):
        if done % 50 == 0:
            yield Step(done, rounds, "Testing the distribution")
        drawn = np.sort(fit.sample(x.size, rng))
        point = refit(fit.family, drawn, fit.limit, fit.point)
        worse += anderson(fit, drawn, point) >= seen
    return (worse + 1) / (rounds + 1)


def anderson(fit: SizeFit, x: Real, point: tuple[float, float]) -> float:
    """Return A² of sorted sizes under a family with these parameters (Anderson & Darling 1952)."""
    share = np.clip(below(FAMILIES[fit.family], x, point, fit.limit), 1e-15, 1 - 1e-15)
    rank = 2 * np.arange(1, x.size + 1) - 1
    return float(-x.size - (rank * (np.log(share) + np.log1p(-share[::-1]))).sum() / x.size)
