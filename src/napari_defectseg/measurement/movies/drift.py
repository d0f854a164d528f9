"""`drift_of`: how far the picture itself moves from frame to frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.movies.surface import Frames

Real = NDArray[np.float64]
FINE = 20
"""Shifts are found to one part in that many of a pixel."""
SMOOTH = 1.0
"""Standard deviation in px that grey values are smoothed by."""
WIDE = 8.0
"""Standard deviation in px of the surroundings that a mark is compared with."""


def drift_of(read: Frames, moving: NDArray[np.bool_]) -> Real:
    """Return how far each frame lies from the first, by phase correlation.

    What moves by itself (keyhole, pores) is replaced by its row's mean and does not count;
    marks on the specimen and its edges do.

    Parameters
    ----------
    read : callable
        Reads the grey values of a frame.
    moving : ndarray of bool, shape (t, y, x)
        What moves by itself.

    Returns
    -------
    ndarray of float64, shape (t, 2)
        Rows and columns in px; a mark at (y, x) of the first frame lies at (y, x) + shift.
    """
    from skimage.registration import phase_cross_correlation

    found = np.zeros((len(moving), 2))
    first = _texture(read(0), moving[0])
    for number in range(1, len(moving)):
        own = _texture(read(number), moving[number])
        # The function says how to move the second picture back onto the first.
        back = phase_cross_correlation(first, own, upsample_factor=FINE, normalization=None)[0]
        found[number] = -np.asarray(back, np.float64)
    return found


def steadied(
    read: Frames, moving: NDArray[np.bool_], shifts: Real
) -> tuple[Frames, NDArray[np.bool_]]:
    """Return a reader of frames that lie on the first one, and the masks moved likewise.

    Parameters
    ----------
    read : callable
        Reads the grey values of a frame.
    moving : ndarray of bool, shape (t, y, x)
    shifts : ndarray of float, shape (t, 2)
        Of `drift_of`.
    """
    from scipy import ndimage

    def steady(frame: int) -> NDArray[Any]:
        grey = np.asarray(read(frame), np.float64)
        return np.asarray(ndimage.shift(grey, -shifts[frame], order=1, mode="nearest"))

    masks = [
        ndimage.shift(mask.astype(np.uint8), -np.rint(shift), order=0) > 0
        for mask, shift in zip(moving, shifts, strict=True)
    ]
    return steady, np.stack(masks)


def _texture(frame: NDArray[Any], moving: NDArray[np.bool_]) -> Real:
    from scipy import ndimage

    grey = np.asarray(frame, np.float64)
    if moving.any():
        wide = ndimage.binary_dilation(moving, iterations=4)
        pairs = zip(grey, wide, strict=True)
        beside = [np.median(row if out.all() else row[~out]) for row, out in pairs]
        grey = np.where(wide, np.array(beside)[:, None], grey)
    fine = ndimage.gaussian_filter(grey, SMOOTH) - ndimage.gaussian_filter(grey, WIDE)
    # Every place counts alike, so that one strong edge with melt on it does not outvote all marks.
    strength = np.sqrt(ndimage.gaussian_filter(fine**2, WIDE))
    even = fine / (strength + 0.2 * float(np.median(strength)) + np.finfo(np.float64).tiny)
    height, width = grey.shape
    window = np.hanning(height)[:, None] * np.hanning(width)[None, :]
    flat: Real = (even - even.mean()) * window
    return flat
