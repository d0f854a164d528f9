"""Global envelopes: a curve against simulated ones, at all distances together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError

Real = NDArray[np.float64]

RUNS = 499
FEWEST = 39
"""Fewer runs cannot reject at 5 %."""


@dataclass(frozen=True)
class Envelope:
    """Band that holds whole curves of the null model with 95 %.

    Parameters
    ----------
    low, high, middle : ndarray of float, shape (k,)
    p : float
        Chance of so extreme a curve under the null model, over all distances together.
    runs : int
    """

    low: Real
    high: Real
    middle: Real
    p: float
    runs: int


def global_envelope(observed: ArrayLike, simulated: ArrayLike, level: float = 0.95) -> Envelope:
    """Return the global rank envelope (extreme rank lengths; Myllymäki et al. 2017).

    Curves are ordered by how often and how extremely they leave the others; the band is that
    of all but the most extreme ones. Where the observed curve leaves the band anywhere, the
    null model is rejected at 1 - level.

    Parameters
    ----------
    observed : array-like of float, shape (k,)
    simulated : array-like of float, shape (runs, k)
    level : float

    Raises
    ------
    MeasurementError
        If there are too few runs.
    """
    seen = np.asarray(observed, np.float64)
    drawn = np.asarray(simulated, np.float64)
    if len(drawn) < FEWEST:
        raise MeasurementError(
            f"{len(drawn)} runs of the null model are too few.", hint=f"Use at least {FEWEST}."
        )
    every = np.vstack([seen, drawn])
    order = _extremeness(every)
    p = float(np.count_nonzero(order <= order[0])) / len(every)
    kept = every[order > (1 - level) * len(every)]
    return Envelope(kept.min(axis=0), kept.max(axis=0), np.median(drawn, axis=0), p, len(drawn))


def _extremeness(curves: Real) -> NDArray[np.int64]:
    """Return the place of each curve, 1 the most extreme; equal ones share the last place."""
    from scipy.stats import rankdata

    low = rankdata(curves, method="min", axis=0)
    high = rankdata(-curves, method="min", axis=0)
    ranks = np.sort(np.minimum(low, high), axis=1)
    # Lexicographic: the first column is the most important key.
    order = np.lexsort(ranks.T[::-1])
    sorted_ranks = ranks[order]
    new = np.concatenate([[True], (np.diff(sorted_ranks, axis=0) != 0).any(axis=1)])
    last = np.concatenate([np.flatnonzero(new)[1:], [len(curves)]])
    place = np.empty(len(curves), np.int64)
    place[order] = last[np.cumsum(new) - 1]
    return place
