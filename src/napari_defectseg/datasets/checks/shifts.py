"""Whether a mask lies where its objects are."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_defectseg.core.classes import BACKGROUND, UNLABELLED
from napari_defectseg.datasets.checks.look import Look
from napari_defectseg.datasets.finding import Finding

Array = np.ndarray[Any, Any]
REACH = 24
"""Pixels by which a mask may be shifted and is still found."""
LEAST = 3.0
"""A smaller shift is within what people draw."""
CLEAR = 4.0
"""Standard deviations by which the outline must fit better at the other place."""
ENOUGH = 60
"""Pixels of outline below which nothing is said."""


def shifted(look: Look) -> list[Finding]:
    """Return a finding if the outline of the mask fits the picture much better elsewhere.

    The mean steepness of the picture under the outline is compared for all displacements.
    """
    outline = _outline(look.labels)
    if outline.sum() < ENOUGH or min(outline.shape) < 2 * REACH:
        return []
    fit = fits(look.grey, outline)
    centre = REACH
    best = np.unravel_index(int(fit.argmax()), fit.shape)
    dy, dx = int(best[0]) - centre, int(best[1]) - centre
    # How much the fit varies by itself, away from the place of the best one.
    rows, columns = np.indices(fit.shape)
    far = np.hypot(rows - best[0], columns - best[1]) > REACH / 3
    spread = float(fit[far].std()) or 1e-12
    gain = float(fit[best] - fit[centre, centre]) / spread
    alone = float(fit[best] - fit[far].max()) / spread
    if np.hypot(dy, dx) < LEAST or gain < CLEAR or alone < 0.5:
        return []
    sentence = (
        f"{look.pair.id}: the mask fits its image better when moved by {dy:+d} px down and "
        f"{dx:+d} px to the right. Look at it, and correct it."
    )
    values = {"down": dy, "right": dx, "clear": round(gain, 1)}
    return [Finding("shift", "warning", sentence, (look.pair.id,), values)]


def _outline(labels: Array) -> Array:
    edges = np.zeros(labels.shape, bool)
    known = np.where(labels == UNLABELLED, BACKGROUND, labels)
    for axis in (0, 1):
        here = np.diff(known.astype(np.int16), axis=axis) != 0
        first = [slice(None)] * 2
        first[axis] = slice(1, None)
        edges[tuple(first)] |= here
    edges[labels == UNLABELLED] = False
    edges[[0, -1], :] = False
    edges[:, [0, -1]] = False
    return edges


def fits(grey: Array, outline: Array) -> Array:
    """Return the mean steepness under the outline for each displacement of it.

    Returns
    -------
    ndarray, shape (2 * REACH + 1, 2 * REACH + 1)
        Down and right from ``-REACH``.
    """
    from scipy.fft import irfft2, next_fast_len, rfft2
    from scipy.ndimage import gaussian_gradient_magnitude

    steep = gaussian_gradient_magnitude(grey.astype(np.float32), 1.5, mode="nearest")
    limit = float(np.percentile(steep, 99))
    steep = np.minimum(steep, limit) - float(np.minimum(steep, limit).mean())
    inner = np.zeros_like(outline)
    inside = (slice(REACH, -REACH), slice(REACH, -REACH))
    inner[inside] = outline[inside]
    if not inner.any():
        inner = outline
    size = [int(next_fast_len(n + REACH + 1, True)) for n in grey.shape]
    found = irfft2(rfft2(steep, size) * np.conj(rfft2(inner.astype(np.float32), size)), size)
    span = np.r_[-REACH : REACH + 1]
    values: Array = found[np.ix_(span, span)] / inner.sum()
    return values
