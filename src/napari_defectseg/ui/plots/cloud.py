"""`Cloud`: what a plot of points shows, which of them lie within a line, many as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QRectF
from qtpy.QtGui import QColor

from napari_defectseg.core.classes import DefectClass
from napari_defectseg.measurement.pairs import bin_pairs

CELLS = (90, 160)
"""Rows and columns of the picture of many points."""


@dataclass(frozen=True)
class Cloud:
    """What is shown.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        In the unit of their columns; not finite: not shown.
    kinds : ndarray of int, shape (n,)
        Index into `classes`; -1: of none, not shown.
    classes : sequence of DefectClass
    x_title, y_title : str
        With units.
    logarithmic : bool
        Whether the horizontal axis is.
    stepped : bool
        Points of a class are joined by steps.
    joined : bool
        They are joined by lines, in their order; a gap where one is not finite.
    spread : (ndarray, ndarray) or None
        Lower and upper end of an interval of each `y`.
    counted : str
        What the points are: ``"objects"``, ``"frames"``.
    """

    x: np.ndarray
    y: np.ndarray
    kinds: np.ndarray
    classes: Sequence[DefectClass]
    x_title: str
    y_title: str
    logarithmic: bool = False
    stepped: bool = False
    joined: bool = False
    spread: tuple[np.ndarray, np.ndarray] | None = None
    counted: str = "objects"

    @property
    def across(self) -> np.ndarray:
        """Places on the horizontal axis."""
        if not self.logarithmic:
            return self.x
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(self.x)

    @property
    def shown(self) -> np.ndarray:
        """Indices of the points that have a place."""
        return np.flatnonzero(np.isfinite(self.across) & np.isfinite(self.y) & (self.kinds >= 0))


def within(corners: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which points lie within a closed line, by the even-odd rule.

    Parameters
    ----------
    corners : ndarray of float, shape (k, 2)
    x, y : ndarray of float, shape (n,)

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
    >>> within(square, np.array([1.0, 3.0]), np.array([1.0, 1.0])).tolist()
    [True, False]
    """
    inside = np.zeros(x.shape, bool)
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
    px, py = x[near], y[near]
    odd = np.zeros(near.size, bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > py) != (y1 > py)
        odd ^= crosses & (px < x0 + (py - y0) * (x1 - x0) / (y1 - y0))
    inside[near] = odd
    return inside


def picture_of(cloud: Cloud, shown: np.ndarray, inks: Sequence[QColor]) -> pg.ImageItem:
    """Return many points as a picture: the commoner class gives the colour, the number the depth.

    Parameters
    ----------
    cloud : Cloud
    shown : ndarray of int
        Its points that have a place.
    inks : sequence of QColor
        One a class.
    """
    x, y = cloud.across, cloud.y
    spans = span_of(x[shown]), span_of(y[shown])
    found = bin_pairs(x, y, cloud.kinds, len(cloud.classes), spans, CELLS)
    total = found.counts.sum(axis=0)
    colours = np.array([ink.getRgb()[:3] for ink in inks], np.uint8)
    picture = np.empty((*CELLS, 4), np.uint8)
    picture[..., :3] = colours[found.counts.argmax(axis=0)]
    depth = np.log1p(total) / np.log1p(max(int(total.max()), 1))
    picture[..., 3] = np.where(total > 0, 60 + 195 * depth, 0)
    item = pg.ImageItem(picture, axisOrder="row-major")
    item.setRect(
        QRectF(spans[0][0], spans[1][0], spans[0][1] - spans[0][0], spans[1][1] - spans[1][0])
    )
    return item


def span_of(values: np.ndarray) -> tuple[float, float]:
    """Return the ends of some values, apart also where all are one."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)
