"""`Keyholes`: depth, width, area and front wall of the keyhole, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.label import label
from napari_defectseg.measurement.movies.surface import SubstrateLine

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]

OPEN = 0.1
"""A keyhole that begins deeper than this share of its depth is closed: it has no width at the
surface."""
WALL = (0.1, 0.9)
"""Shares of the depth between which the front wall is a line."""
FEWEST_ROWS = 4


@dataclass(frozen=True)
class Keyholes:
    """One entry a frame; nan where there is no keyhole, or no such quantity.

    Parameters
    ----------
    present : ndarray of bool, shape (frames,)
    pieces : ndarray of int64
        Parts the class falls into; the largest is measured.
    depth, rim_depth : ndarray of float
        From the undisturbed surface, and from the highest point of its own outline, to the
        deepest one; vertical.
    width_at_surface, width_at_half_depth : ndarray of float
    area : ndarray of float
        Below the surface.
    front_wall_angle : ndarray of float
        Degrees between the surface and the line through the leading wall from 10 to 90 % of
        the depth; 90 is vertical, less leans back.
    front : ndarray of float
        Position of the leading edge of the opening along the surface.
    """

    present: Mask
    pieces: NDArray[np.int64]
    depth: Real
    rim_depth: Real
    width_at_surface: Real
    width_at_half_depth: Real
    area: Real
    front_wall_angle: Real
    front: Real

    @property
    def aspect(self) -> Real:
        """Depth over width at half depth."""
        found: Real = self.depth / self.width_at_half_depth
        return found


NAMES = (
    "depth",
    "rim_depth",
    "width_at_surface",
    "width_at_half_depth",
    "area",
    "front_wall_angle",
    "front",
)


def measure_keyholes(
    holes: Mask,
    line: SubstrateLine,
    steps: tuple[float, float],
    *,
    ahead: int = 0,
    shifts: Real | None = None,
) -> Keyholes:
    """Measure the keyhole of each frame.

    Lengths are those between the outer edges of pixels; a pixel belongs to the keyhole if its
    centre does, so that edges are right to half a pixel on average.

    Parameters
    ----------
    holes : ndarray of bool, shape (t, y, x)
        The keyhole class.
    line : SubstrateLine
        The undisturbed surface, in px of the first frame.
    steps : (float, float)
        Size of a pixel along y and x.
    ahead : int
        +1 or -1 as the laser moves along x; 0: not known, and no front wall.
    shifts : ndarray of float, shape (t, 2), or None
        How far the picture has moved in each frame, in px.
    """
    frames = holes.shape[0]
    found = np.full((frames, len(NAMES)), np.nan)
    pieces = np.zeros(frames, np.int64)
    for frame in range(frames):
        body, pieces[frame] = _largest(holes[frame])
        if pieces[frame]:
            moved = (0.0, 0.0) if shifts is None else (shifts[frame, 0], shifts[frame, 1])
            found[frame] = _one(body, line, steps, ahead, moved)
    columns = {name: found[:, place] for place, name in enumerate(NAMES)}
    return Keyholes(pieces > 0, pieces, **columns)


def moving(front: Real, least: float = 3.0) -> int:
    """Return +1 or -1 if a leading edge moves steadily to larger or smaller columns, else 0.

    Parameters
    ----------
    front : ndarray of float, shape (frames,)
    least : float
        How often its mean step must be larger than the standard error of that.
    """
    at = np.flatnonzero(np.isfinite(front))
    if at.size < 4:
        return 0
    slope, error = slope_of(at.astype(np.float64), front[at])
    return 0 if not abs(slope) > least * error else int(np.sign(slope))


def slope_of(x: Real, y: Real) -> tuple[float, float]:
    """Return the slope of a line and its standard error, what follows on each other counted less.

    The error of least squares grows by √((1 + ρ)/(1 - ρ)) for residuals with the correlation ρ
    of neighbours (Bartlett 1935); ρ below 0 counts as 0. At least three points.
    """
    from napari_defectseg.measurement.intervals import lag_correlation

    slope, intercept = np.polyfit(x, y, 1)
    rest = y - (intercept + slope * x)
    away = x - x.mean()
    plain = float(rest @ rest) / (x.size - 2) / float(away @ away)
    rho = max(lag_correlation(rest), 0.0)
    return float(slope), float(np.sqrt(plain * (1 + rho) / (1 - rho)))


def _largest(mask: Mask) -> tuple[Mask, int]:
    """Return the largest connected part of a mask, and how many there are."""
    if not mask.any():
        return mask, 0
    numbers, count = label(np.ascontiguousarray(mask))
    if count == 1:
        return mask, 1
    sizes = np.bincount(numbers.ravel())
    sizes[0] = 0
    return np.asarray(numbers == sizes.argmax()), count


def _one(
    body: Mask,
    line: SubstrateLine,
    steps: tuple[float, float],
    ahead: int,
    moved: tuple[float, float],
) -> tuple[float, ...]:
    dy, dx = steps
    y, x = np.nonzero(body)
    surface = line.row(x - moved[1]) + moved[0]
    below = y - surface
    deepest = float(below.max()) + 0.5
    if deepest <= 0:
        return (np.nan,) * len(NAMES)
    sides = _sides(below, x)
    rows = sides[:, 0]
    widths = sides[:, 2] - sides[:, 1] + 1
    closed = float(rows[0]) - 0.5 > max(OPEN * deepest, 1.0)
    middle = float(widths[np.abs(rows - deepest / 2).argmin()])
    lead = sides[:, 2] + 0.5 if ahead >= 0 else sides[:, 1] - 0.5
    return (
        deepest * dy,
        float(y.max() - y.min() + 1) * dy,
        np.nan if closed else float(widths[0]) * dx,
        middle * dx,
        float(np.clip(below + 0.5, 0, 1).sum()) * dy * dx,
        _front_angle(rows, lead, deepest, steps, ahead) if ahead else np.nan,
        np.nan if closed else float(lead[0] - moved[1]) * dx,
    )


def _sides(below: Real, x: NDArray[Any]) -> Real:
    """Return mean depth, first and last column of each row of pixels, shape (rows, 3).

    Rows go along the surface, since the picture may stand a little askew; those whose centres
    lie above it are left out, unless all do.
    """
    level = np.floor(below).astype(np.int64)
    under = level >= min(0, int(level.max()))
    found, place = np.unique(level[under], return_inverse=True)
    low, high = np.full(found.size, np.inf), np.full(found.size, -np.inf)
    np.minimum.at(low, place, x[under])
    np.maximum.at(high, place, x[under])
    depth = np.bincount(place, below[under]) / np.bincount(place)
    return np.stack([depth, low, high], axis=1)


def _front_angle(
    depth: Real, lead: Real, deepest: float, steps: tuple[float, float], ahead: int
) -> float:
    inner = (depth >= WALL[0] * deepest) & (depth <= WALL[1] * deepest)
    if np.count_nonzero(inner) < FEWEST_ROWS:
        return float("nan")
    run = np.polyfit(depth[inner] * steps[0], ahead * lead[inner] * steps[1], 1)[0]
    return float(90 + np.degrees(np.arctan(run)))
