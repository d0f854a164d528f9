"""`measure_pools`: depth, length and area of the melt pool, frame by frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.movies.surface import SubstrateLine

Real = NDArray[np.float64]


def measure_pools(
    pools: NDArray[np.bool_],
    line: SubstrateLine,
    steps: tuple[float, float],
    shifts: Real | None = None,
) -> Real:
    """Return depth, length and area of the melt pool below the surface, shape (frames, 3).

    nan in frames that do not show it.

    Parameters
    ----------
    pools : ndarray of bool, shape (t, y, x)
        The melt pool with the keyhole in it.
    line : SubstrateLine
        The undisturbed surface, in px of the first frame.
    steps : (float, float)
        Size of a pixel along y and x.
    shifts : ndarray of float, shape (t, 2), or None
        How far the picture has moved, in px.
    """
    found = np.full((len(pools), 3), np.nan)
    for frame, mask in enumerate(pools):
        y, x = np.nonzero(mask)
        if not y.size:
            continue
        down, along = (0.0, 0.0) if shifts is None else shifts[frame]
        below = y - (line.row(x - along) + down)
        if below.max() <= -0.5:
            continue
        wide = x[below > -0.5]
        found[frame] = (
            (float(below.max()) + 0.5) * steps[0],
            float(wide.max() - wide.min() + 1) * steps[1],
            float(np.clip(below + 0.5, 0, 1).sum()) * steps[0] * steps[1],
        )
    return found
