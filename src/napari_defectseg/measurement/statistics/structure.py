"""Two-point correlation and chord lengths of a phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Chords:
    """Runs of a phase along straight lines.

    Parameters
    ----------
    mean : float
        Total length over number of starts: without bias though the frame cuts chords.
    lengths, surviving : ndarray of float, shape (k,)
        Lengths that occur, and the share of chords that are longer (Kaplan & Meier 1958).
    starts, cut : int
        Chords that begin inside, and those of them that the frame cuts.
    """

    mean: float
    lengths: Real
    surviving: Real
    starts: int
    cut: int


def two_point(
    mask: NDArray[Any], longest: int, *, roi: Mask | None = None, axis: int | None = None
) -> Real:
    """Return S2(h) for h = 0 … `longest` pixels.

    The share of pairs of counted pixels h apart that both lie in the phase. S2(0) is the
    fraction φ, S2 tends to φ² for far pairs. (PoreSpy's ``two_point_correlation`` gives S2/φ.)

    Parameters
    ----------
    mask : ndarray of bool
        The phase.
    longest : int
    roi : ndarray of bool or None
        What is counted.
    axis : int or None
        Direction; None: all axes together, which wants a structure without direction and a
        pixel of one size.

    Returns
    -------
    ndarray of float64, shape (longest + 1,)
        nan where there is no pair.
    """
    inside = np.asarray(mask, bool)
    if roi is not None:
        inside = inside & roi
    axes = range(inside.ndim) if axis is None else (axis,)
    found = np.full(longest + 1, np.nan)
    for lag in range(longest + 1):
        both = sum(_pairs(inside, lag, along) for along in axes)
        if roi is None:
            pairs = sum(
                inside.size // inside.shape[along] * max(inside.shape[along] - lag, 0)
                for along in axes
            )
        else:
            pairs = sum(_pairs(roi, lag, along) for along in axes)
        if pairs:
            found[lag] = both / pairs
    return found


def boundary_density(s2: Real, spacing: float, ndim: int) -> float:
    """Return surface per volume (length per area) from the slope of S2 at 0.

    ``S_V = -4 S2'(0)``, ``L_A = -π S2'(0)``; the slope is that over the first pixel, so that
    aligned flat faces are biased as for every estimate along axes.
    """
    factor = 4.0 if ndim == 3 else np.pi
    return float(factor * (s2[0] - s2[1]) / spacing)


def chords(
    mask: NDArray[Any], axis: int, spacing: float = 1.0, *, roi: Mask | None = None
) -> Chords:
    """Return the chords of a phase along an axis.

    Chords that begin inside are followed to their end; where the frame comes first they are
    longer than seen, which `mean` and `surviving` allow for. Chords wholly inside alone would
    be too short in the mean.

    Parameters
    ----------
    mask : ndarray of bool
    axis : int
    spacing : float
        Size of a pixel along the axis.
    roi : ndarray of bool or None
        What is counted.

    Raises
    ------
    MeasurementError
        If no chord begins inside.
    """
    inside = np.moveaxis(np.asarray(mask, bool), axis, -1)
    counted = np.ones(inside.shape, bool) if roi is None else np.moveaxis(roi, axis, -1)
    state = np.where(counted, inside.astype(np.int8), -1).reshape(-1, inside.shape[-1])
    # A wall of 'not counted' at both ends keeps lines apart.
    line = np.pad(state, ((0, 0), (1, 1)), constant_values=-1).ravel()
    change = np.flatnonzero(np.diff(line))
    begin, end = change[:-1] + 1, change[1:] + 1
    phase = line[begin] == 1
    begin, end = begin[phase], end[phase]
    whole_start = line[begin - 1] == 0
    # Starts are seen in the pixels whose neighbour before is counted, too.
    total = int((end - begin - ~whole_start).sum())
    if not whole_start.any():
        raise MeasurementError("No chord of this phase begins inside what is counted.")
    lengths = (end - begin)[whole_start]
    cut = line[end[whole_start]] == -1
    share = _kaplan_meier(lengths, cut)
    starts = int(whole_start.sum())
    occurring = np.unique(lengths)
    return Chords(
        total * spacing / starts, occurring * spacing, share, starts, int(np.count_nonzero(cut))
    )


def _pairs(inside: Mask, lag: int, axis: int) -> int:
    if lag >= inside.shape[axis]:
        return 0
    moved = np.moveaxis(inside, axis, 0)
    return int(np.count_nonzero(moved[lag:] & moved[: moved.shape[0] - lag]))


def _kaplan_meier(lengths: NDArray[np.int64], cut: Mask) -> Real:
    """Return the share that survives each length that occurs."""
    values, at = np.unique(lengths, return_inverse=True)
    ended = np.bincount(at, ~cut, minlength=values.size)
    risk = np.bincount(at, minlength=values.size)[::-1].cumsum()[::-1]
    share: Real = np.cumprod(1 - ended / risk)
    return share
