"""Outlines and pixels: a polygon is filled where pixel centres lie inside; a mask is traced."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
HALF = 0.5
"""Pixel (0, 0) reaches from 0 to 1 in files whose coordinates count from the image's edge."""


def filled(points: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Return rows and columns of the pixels whose centres lie inside a polygon.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        y and x of the corners, counted from the centre of pixel (0, 0).
    shape : tuple of int
        Pixels outside are left out.
    """
    from skimage.draw import polygon

    corners = np.asarray(points, float).reshape(-1, 2)
    if len(corners) < 3:
        return np.zeros(0, int), np.zeros(0, int)
    rows, columns = polygon(corners[:, 0], corners[:, 1], shape)
    return rows, columns


def filled_mask(points: Array, shape: tuple[int, int]) -> Array:
    """Return the same as a mask of `shape`."""
    mask = np.zeros(shape, bool)
    mask[filled(points, shape)] = True
    return mask


def ellipse_points(centre: tuple[float, float], radii: tuple[float, float], turn: float) -> Array:
    """Return 64 corners of an ellipse; `turn` in radians from x towards y."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    y, x = radii[0] * np.sin(angle), radii[1] * np.cos(angle)
    turned = np.stack(
        [y * np.cos(turn) + x * np.sin(turn), x * np.cos(turn) - y * np.sin(turn)], axis=1
    )
    found: Array = turned + np.asarray(centre)
    return found


def along(points: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Return the pixels that a line through `points` (y, x) touches, one pixel wide."""
    from skimage.draw import line

    corners = np.rint(np.asarray(points, float).reshape(-1, 2)).astype(int)
    parts = [line(*a, *b) for a, b in pairwise(corners)]
    parts = parts or [(corners[:, 0], corners[:, 1])]
    rows = np.concatenate([part[0] for part in parts])
    columns = np.concatenate([part[1] for part in parts])
    inside = (rows >= 0) & (columns >= 0) & (rows < shape[0]) & (columns < shape[1])
    return rows[inside], columns[inside]


def traced(mask: Array) -> list[Array]:
    """Return the outlines of a mask: filled with even-odd rule they give exactly its pixels.

    Each is an array of (y, x) between pixel centres, not closed; holes are outlines too.
    """
    from skimage.measure import find_contours

    padded = np.pad(np.asarray(mask, float), 1)
    found = find_contours(padded, 0.5, fully_connected="high")
    return [contour[:-1] - 1 for contour in found]


def has_holes(mask: Array) -> bool:
    """Return whether a mask surrounds pixels that are not in it."""
    from scipy.ndimage import binary_fill_holes

    return bool((binary_fill_holes(mask) & ~np.asarray(mask, bool)).any())
