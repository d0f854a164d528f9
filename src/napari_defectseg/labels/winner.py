"""The class that wins a pixel, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled


@compiled
def choose(
    scores: NDArray[np.float32],
    values: NDArray[np.uint8],
    limits: NDArray[np.float32],
    out: NDArray[np.uint8],
) -> None:
    """Write the class value that wins each pixel, or 0.

    Parameters
    ----------
    scores : ndarray of float32, shape (channel, n)
        The background first, where there is one channel more than classes.
    values : ndarray of uint8, shape (class,)
    limits : ndarray of float32, shape (class,)
        Least probability; not a number: the best class wins if the background does not.
    out : ndarray of uint8, shape (n,)
    """
    first = scores.shape[0] - values.size
    for i in range(out.size):
        chosen = -1
        best = np.float32(-np.inf)
        for k in range(values.size):
            score = scores[first + k, i]
            if score > best:  # not a number never wins
                best = score
                chosen = k
        if chosen < 0:
            out[i] = 0
            continue
        limit = limits[chosen]
        if np.isnan(limit):
            limit = scores[0, i] if first else best
            won = best > limit or first == 0
        else:
            won = best >= limit
        out[i] = values[chosen] if won else 0


@compiled
def pick(
    scores: NDArray[np.float32],
    values: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    out: NDArray[np.float32],
) -> None:
    """Write the score of the class that each pixel has, 0 for the background.

    Parameters
    ----------
    scores : ndarray of float32, shape (class, n)
        Without the background.
    values : ndarray of uint8, shape (class,)
    mask : ndarray of uint8, shape (n,)
    out : ndarray of float32, shape (n,)
    """
    for i in range(out.size):
        out[i] = 0
        if mask[i] == 0:
            continue
        for k in range(values.size):
            if values[k] == mask[i]:
                out[i] = scores[k, i]
