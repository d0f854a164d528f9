"""Smart brush: the stroke stops at the edge that the image shows under it."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels import whole
from napari_defectseg.labels.draft import Draft
from napari_defectseg.labels.edit import Edit, Mask
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stroke import Stroke, draw_into

TOOL = "edge brush"
SMOOTH = 1.0
"""Standard deviation in pixels of the blur that keeps noise from being taken for an edge."""
CORE = 0.6
"""The middle of the stroke says what is meant: farther from its rim than this share."""
CLEAR = -0.15
"""Two populations must describe the grey values better than one by this (see `parting`)."""
LEAST = 0.02
"""Share of the stroke that either side of an edge has at least."""
Values = np.ndarray[Any, np.dtype[Any]]


def smart_brush(
    labelmap: LabelMap,
    stroke: Stroke,
    values: Values,
    class_value: int,
    *,
    number: int | None = None,
    protect: bool = False,
) -> Edit | None:
    """Draw with the brush, inside the edge that runs under it.

    Where the grey values under the stroke fall into two populations, only the side on which the
    middle of the stroke lies is drawn. Without a clear edge it is a brush like any other. What is
    drawn is decided about as `paint` does.

    Parameters
    ----------
    labelmap : LabelMap
        Not changed.
    stroke : Stroke
    values : ndarray, shape of ``stroke.box``
        Grey values of the image there.
    class_value : int
        The class to draw.
    number : int or None
        The object to extend; None: decided as `paint` does.
    protect : bool
        Go around objects that a person has checked, unless the stroke begins on one.

    Raises
    ------
    LabelError
        If the values have another shape than the stroke, or `number` another class.
    """
    labelmap.classes.by_value(class_value)
    draft = Draft(labelmap, labelmap.plane_of(class_value))
    followed = within_edge(stroke, values)
    draw_into(draft, followed, class_value, number=number, protect=protect)
    return draft.edit(TOOL)


def within_edge(stroke: Stroke, values: Values) -> Stroke:
    """Return the part of a stroke on its own side of the edge under it.

    Parameters
    ----------
    stroke : Stroke
    values : ndarray, shape of ``stroke.box``

    Raises
    ------
    LabelError
        If the shapes differ.
    """
    if values.shape != stroke.mask.shape:
        raise LabelError(
            f"Grey values of shape {values.shape} do not fit a stroke of {stroke.mask.shape}."
        )
    if not stroke.mask.any():
        return stroke
    mask = whole.flat(stroke.mask)
    grey = values.astype(np.float32).reshape(mask.shape)
    smooth = ndimage.gaussian_filter(np.nan_to_num(grey), SMOOTH, mode="nearest")
    level = parting(smooth[mask])
    if level is None:
        return stroke
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[(slice(1, -1),) * mask.ndim]
    core = depth >= CORE * depth.max()
    bright = bool(np.median(smooth[core]) > level)
    side = mask & ((smooth > level) == bright)
    kept = _held(side, core) & mask
    if not kept.any():
        return stroke
    return Stroke(stroke.box, np.ascontiguousarray(kept.reshape(stroke.mask.shape)), stroke.start)


def parting(values: Values) -> float | None:
    """Return the grey value that parts two populations; None if one describes them as well.

    The threshold of least error for two Gaussians (Kittler & Illingworth 1986), which unlike
    Otsu's also finds a narrow strip of background; taken where its criterion is below that of a
    single Gaussian. Even and bell-shaped distributions have none.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
    """
    ordered = np.sort(values.astype(np.float64))
    count = ordered.size
    first, last = max(2, int(LEAST * count)), count - max(2, int(LEAST * count))
    spread = float(ordered.std())
    if last <= first or spread <= 0:
        return None
    below = np.arange(first, last + 1)
    share = below / count
    floor = (1e-3 * spread) ** 2
    total, squares = np.cumsum(ordered), np.cumsum(ordered**2)
    low = _variance(below, total[below - 1], squares[below - 1])
    above = count - below
    high = _variance(above, total[-1] - total[below - 1], squares[-1] - squares[below - 1])
    low, high = np.maximum(low, floor), np.maximum(high, floor)
    error = share * np.log(low) + (1 - share) * np.log(high)
    error -= 2 * (share * np.log(share) + (1 - share) * np.log(1 - share))
    best = int(np.argmin(error))
    if error[best] - 2 * np.log(spread) > CLEAR:
        return None
    place = int(below[best])
    # Where blur mixes both, the middle between them is the edge.
    return float(np.median(ordered[:place]) + np.median(ordered[place:])) / 2


def _variance(count: Values, total: Values, squares: Values) -> Values:
    found: Values = squares / count - (total / count) ** 2
    return found


def _held(side: Mask, core: Mask) -> Mask:
    """Return the parts of one side that the middle of the stroke reaches, without pinholes."""
    near = np.ones((3,) * side.ndim, bool)
    numbered, count = ndimage.label(side, near)
    hold = np.zeros(count + 1, bool)
    hold[np.unique(numbered[core & side])] = True
    hold[0] = False
    kept: Mask = hold[numbered]
    return kept | whole.holes_of(kept)
