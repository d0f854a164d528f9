"""Border rules that leave no bias: weights for sizes, a frame for counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.errors import MeasurementError

Real = NDArray[np.float64]

LARGEST_SHARE = 0.05
"""Share of the area in objects as wide as the window above which a mean size is refused."""


def frame_weights(windows: ArrayLike, boxes: ArrayLike) -> Real:
    """Return Miles–Lantuéjoul weights of objects that lie wholly inside their window.

    One over the area (volume) in which the object could lie and be whole,
    ``1/Σ_k Π(W - w)`` over all windows k. Their sum is the number per area (Miles 1974;
    Lantuéjoul 1980), weighted means are without bias.

    Parameters
    ----------
    windows : array-like of float, shape (k, ndim) or (ndim,)
    boxes : array-like of float, shape (n, ndim)
        Sides of the bounding boxes.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    MeasurementError
        If an object fits into no window.
    """
    frame = np.atleast_2d(np.asarray(windows, np.float64))
    box = np.asarray(boxes, np.float64).reshape(-1, frame.shape[1])
    room = np.zeros(len(box))
    for window in frame:
        room += np.prod(np.maximum(window - box, 0), axis=1)
    if np.any(room <= 0):
        raise MeasurementError("An object is as wide as the window: it has no weight.")
    weights: Real = 1 / room
    return weights


def in_frame(low: ArrayLike, window_low: ArrayLike) -> NDArray[np.bool_]:
    """Return which objects the counting frame counts: those off its first edges.

    An object is counted by the corner of its bounding box with the lowest indices. It is known
    to lie inside if the object touches no first edge (left and upper, in front); objects cut
    by the other edges count whole. The corner may then lie anywhere but in the first row of
    pixels along each axis, so the counted area is one pixel a side smaller. Unlike the frame
    of Gundersen (1977) it needs no guard zone; pieces of one object cut apart by the edge
    count more than once.

    Parameters
    ----------
    low : array-like of int, shape (n, ndim)
        First indices of each object.
    window_low : array-like of int, shape (ndim,)
        First indices of the window.
    """
    first = np.asarray(low) > np.asarray(window_low)
    return np.asarray(first.all(axis=1), np.bool_)
