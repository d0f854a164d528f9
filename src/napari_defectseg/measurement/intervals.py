"""Intervals of counts: Garwood's exact one for a Poisson number."""

from __future__ import annotations

from scipy.special import chdtri

LEVEL = 0.95


def garwood(count: int, level: float = LEVEL) -> tuple[float, float]:
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
