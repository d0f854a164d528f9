"""`SubstrateLine`: the undisturbed surface that depths count from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]
Frames = Callable[[int], NDArray[Any]]
"""Reads the grey values of a frame, shape (y, x)."""

MARGIN = 0.5
"""Keyholes and what lies this share of their width ahead of them are no undisturbed surface."""
FEWEST = 16
"""Columns that a line is fitted to at least."""
SMOOTH = 1.5
"""Standard deviation in px that grey values are smoothed by along a column."""
BESIDE = 8
"""Columns that are averaged before an edge is looked for."""
ROUGH = 0.6
"""Columns that scatter more than that many px about their line show no clear surface."""
CUT = 2.5
"""Columns further from the line than that many robust deviations take no part in it."""


@dataclass(frozen=True)
class SubstrateLine:
    """A straight line, rows against columns, in px; rows count downwards, pixel centres are whole.

    Parameters
    ----------
    intercept : float
        Row at column 0.
    slope : float
        Rows a column.
    source : str
        How it was found, for a person.
    scatter : float
        Robust standard deviation of the columns about it, in px; nan where there are none.
    columns : int
        How many it was fitted to.
    """

    intercept: float
    slope: float = 0.0
    source: str = ""
    scatter: float = float("nan")
    columns: int = 0

    def row(self, column: ArrayLike) -> Real:
        """Return its rows at some columns."""
        found: Real = self.intercept + self.slope * np.asarray(column, np.float64)
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "row_at_first_column": self.intercept,
            "rows_per_column": self.slope,
            "unit": "px",
            "source": self.source,
            "scatter": None if np.isnan(self.scatter) else self.scatter,
            "columns": self.columns,
        }


def given_surface(rows: tuple[float, ...], width: int) -> SubstrateLine:
    """Return the line that a person gave: one row, or those at the first and the last column."""
    first, last = rows[0], rows[-1]
    return SubstrateLine(first, (last - first) / max(width - 1, 1), "given")


def surface_of_masks(holes: Mask) -> SubstrateLine | None:
    """Return the line through the upper ends of keyholes; None if there is no keyhole.

    Level, at the median over the frames: a rim that the melt raised in some of them does not
    move it.

    Parameters
    ----------
    holes : ndarray of bool, shape (t, y, x)
    """
    there = holes.any(axis=(1, 2))
    if not there.any():
        return None
    tops = holes[there].any(axis=2).argmax(axis=1)
    source = f"upper ends of the keyhole in {tops.size} frames"
    return SubstrateLine(float(np.median(tops)) - 0.5, 0.0, source)


def surface_of_picture(
    read: Frames, holes: Mask, near: SubstrateLine, *, reach: int = 12, ahead: int = 0
) -> SubstrateLine | None:
    """Return the line at the edge of grey values near a first guess; None if none is clear.

    Each column is averaged over the frames in which the keyhole has not come near it yet, so
    that melt and bumps behind the laser do not count.

    Parameters
    ----------
    read : callable
        Reads the grey values of a frame.
    holes : ndarray of bool, shape (t, y, x)
        The keyhole.
    near : SubstrateLine
        Where to look.
    reach : int
        Rows on each side of it.
    ahead : int
        +1 or -1 as the laser moves; 0: columns count that no keyhole ever comes near.
    """
    picture = _undisturbed(read, holes, ahead)
    known = np.flatnonzero(np.isfinite(picture).all(axis=0))
    if known.size < FEWEST:
        return None
    rows = _edges(picture[:, known], near.row(known), reach)
    good = np.isfinite(rows)
    if np.count_nonzero(good) < FEWEST:
        return None
    columns, rows = known[good].astype(np.float64), rows[good]
    slope, intercept, scatter, used = _robust_line(columns, rows)
    if scatter > ROUGH:
        return None
    source = f"edge of grey values in {used} columns that the laser had not reached"
    return SubstrateLine(intercept, slope, source, scatter, used)


def _undisturbed(read: Frames, holes: Mask, ahead: int) -> Real:
    """Return the mean over the undisturbed frames of each column, nan where there is none."""
    count, _, width = holes.shape
    total, seen = np.zeros(holes.shape[1:]), np.zeros(width)
    columns = np.arange(width)
    passed = np.zeros(width, bool)
    ever = holes.any(axis=(0, 1)) if ahead == 0 else np.zeros(width, bool)
    for frame in range(count):
        at = np.flatnonzero(holes[frame].any(axis=0))
        if at.size:
            margin = MARGIN * (at[-1] - at[0] + 1) + BESIDE
            low, high = at[0] - margin, at[-1] + margin
            passed |= (columns >= low) & (columns <= high)
            if ahead:
                passed |= (columns <= high) if ahead > 0 else (columns >= low)
        free = ~(passed | ever)
        if not free.any():
            break
        total[:, free] += read(frame)[:, free]
        seen[free] += 1
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Real = total / np.where(seen > 0, seen, np.nan)
    return found


def _edges(picture: Real, near: Real, reach: int) -> Real:
    """Return the row of the steepest change of each column, of the sign most columns share."""
    from scipy import ndimage

    smooth = ndimage.uniform_filter1d(picture, BESIDE + 1, axis=1, mode="nearest")
    change = ndimage.gaussian_filter1d(smooth, SMOOTH, axis=0, order=1, mode="nearest")
    height = picture.shape[0]
    rows = np.arange(height)[:, None]
    close = np.abs(rows - near) <= reach
    strength = np.where(close, change, 0.0)
    sign = 1.0 if strength.max(axis=0).sum() >= -strength.min(axis=0).sum() else -1.0
    best = np.where(close, sign * change, -np.inf).argmax(axis=0)
    found = np.full(picture.shape[1], np.nan)
    inner = np.flatnonzero((best > 0) & (best < height - 1))
    here = best[inner]
    before, at, after = (sign * change[here + step, inner] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    peak = (at > 0) & (bend < 0)
    shift = np.clip(0.5 * (before - after)[peak] / bend[peak], -1, 1)
    found[inner[peak]] = here[peak] + shift
    return found


def _robust_line(columns: Real, rows: Real) -> tuple[float, float, float, int]:
    """Return slope, intercept, robust scatter and number of columns kept.

    Least squares, again and again without the columns that lie apart (`CUT`).
    """
    keep = np.abs(rows - np.median(rows)) <= max(4 * _spread(rows), 2.0)
    slope, intercept, scatter = 0.0, float(np.median(rows)), _spread(rows)
    for _ in range(10):
        slope, intercept = (float(v) for v in np.polyfit(columns[keep], rows[keep], 1))
        rest = rows - (intercept + slope * columns)
        scatter = _spread(rest[keep])
        now = np.abs(rest) <= CUT * max(scatter, 0.2)
        if np.array_equal(now, keep) or np.count_nonzero(now) < FEWEST:
            break
        keep = now
    return slope, intercept, scatter, int(np.count_nonzero(keep))


def _spread(values: Real) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
