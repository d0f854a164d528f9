"""`arrangement_steps`: whether objects are clustered, regular or as if put down at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.progress import Step, Steps, drive
from napari_defectseg.measurement.statistics.envelopes import RUNS, Envelope, global_envelope
from napari_defectseg.measurement.statistics.nearest import Nearest, nearest
from napari_defectseg.measurement.statistics.reshuffle import reshuffled, shapes_of
from napari_defectseg.measurement.statistics.ripley import (
    PairFunctions,
    longest,
    mask_covariance,
    pair_functions,
)

Real = NDArray[np.float64]
Mask = NDArray[np.bool_]

DISTANCES = 40
MOST_ROOM = 200_000
"""Pixels whose distance to the border stands for all."""


@dataclass(frozen=True)
class Arrangement:
    """Neighbours and pairs of objects, with the band of the same objects put down at random.

    Parameters
    ----------
    objects : int
    neighbours : Nearest
    pairs : PairFunctions
    l_band, g_band : Envelope
        Of L and g under the null model.
    neighbour_mean : float
        Mean nearest neighbour distance of the null model.
    unit : str
    """

    objects: int
    neighbours: Nearest
    pairs: PairFunctions
    l_band: Envelope
    g_band: Envelope
    neighbour_mean: float
    unit: str

    @property
    def verdict(self) -> str:
        """In words: at random, clustered or regular."""
        if self.l_band.p > 0.05:
            return "as if at random"
        above = self.pairs.l > self.l_band.high
        below = self.pairs.l < self.l_band.low
        return "clustered" if above.sum() >= below.sum() else "regular"

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        mean = self.neighbours.mean
        return {
            "objects": self.objects,
            "unit": self.unit,
            "nearest_neighbour": {
                "mean": None if np.isnan(mean) else mean,
                "mean_of_null_model": self.neighbour_mean,
                "mean_of_points_at_random": self.neighbours.expected,
            },
            "r": self.pairs.r.tolist(),
            "k": self.pairs.k.tolist(),
            "l": _curve(self.pairs.l, self.l_band),
            "g": _curve(self.pairs.g, self.g_band),
            "runs": self.l_band.runs,
            "null_model": "the same objects put down at random without overlap",
            "verdict": self.verdict,
        }


def arrangement(
    labels: NDArray[Any],
    spacing: Sequence[float],
    unit: str = "px",
    *,
    roi: Mask | None = None,
    runs: int = RUNS,
    seed: int = 0,
) -> Arrangement:
    """Return how objects lie to one another; see `arrangement_steps`."""
    return drive(arrangement_steps(labels, spacing, unit, roi=roi, runs=runs, seed=seed))


def arrangement_steps(
    labels: NDArray[Any],
    spacing: Sequence[float],
    unit: str = "px",
    *,
    roi: Mask | None = None,
    runs: int = RUNS,
    seed: int = 0,
) -> Steps[Arrangement]:
    """Compare neighbours and pairs of objects with the same objects reshuffled.

    Objects have a size, so that they never lie as points at random do: the null model puts
    down the same objects without overlap in the same mask. In a projection this tests the
    projected pattern, nothing in the depth.

    Parameters
    ----------
    labels : ndarray of int, shape (y, x) or (z, y, x)
    spacing : sequence of float
    unit : str
    roi : ndarray of bool or None
        What is counted.
    runs : int
        Of the null model.
    seed : int

    Raises
    ------
    MeasurementError
        If there are too few objects, or they lie too dense for the null model.
    """
    inside = np.ones(labels.shape, bool) if roi is None else np.asarray(roi, bool)
    kept = np.where(inside, labels, 0)
    shapes = shapes_of(kept)
    if len(shapes) < 3:
        raise MeasurementError(f"{len(shapes)} objects have no arrangement.")
    curves = _Curves(inside, np.asarray(spacing, np.float64))
    neighbours, pairs = curves.of(_middles(kept))
    rng = np.random.default_rng(seed)
    drawn_l, drawn_g, means = [], [], []
    for done in range(runs):
        if done % 20 == 0:
            yield Step(done, runs, "Putting the objects down at random")
        near, other = curves.of(reshuffled(shapes, inside, rng))
        drawn_l.append(other.l)
        drawn_g.append(other.g)
        means.append(near.mean)
    return Arrangement(
        len(shapes),
        neighbours,
        pairs,
        global_envelope(pairs.l, drawn_l),
        global_envelope(pairs.g, drawn_g),
        float(np.nanmean(means)),
        unit,
    )


class _Curves:
    """What is the same for the picture and every run of the null model."""

    def __init__(self, inside: Mask, steps: Real) -> None:
        from scipy import ndimage

        padded = np.pad(inside, 1)
        border = ndimage.distance_transform_edt(padded, sampling=steps)
        self._border = border[(slice(1, -1),) * inside.ndim]
        room = self._border[inside]
        self._room = room[:: max(1, room.size // MOST_ROOM)]
        self._steps = steps
        self._size = float(np.count_nonzero(inside)) * float(np.prod(steps))
        self._covariance = mask_covariance(inside, steps.tolist())
        sides = [
            float(np.ptp(np.flatnonzero(inside.any(axis=tuple(set(range(inside.ndim)) - {axis})))))
            + 1
            for axis in range(inside.ndim)
        ]
        reach = longest((np.array(sides) * steps).tolist())
        self.r = np.linspace(0, reach, DISTANCES + 1)[1:]

    def of(self, middles: Real) -> tuple[Nearest, PairFunctions]:
        """Return neighbours and pairs of middles in pixels."""
        at = tuple(np.clip(np.rint(middles).astype(int), 0, np.array(self._border.shape) - 1).T)
        points = middles * self._steps
        near = nearest(points, self._border[at], self._room, self._size)
        return near, pair_functions(points, self.r, self._size, self._covariance)


def _middles(labels: NDArray[Any]) -> Real:
    values, place, counts = np.unique(labels[labels > 0], return_inverse=True, return_counts=True)
    at = np.nonzero(labels)
    sums = [np.bincount(place, axis, values.size) / counts for axis in at]
    return np.stack(sums, axis=1)


def _curve(values: Real, band: Envelope) -> dict[str, Any]:
    return {
        "value": values.tolist(),
        "low": band.low.tolist(),
        "high": band.high.tolist(),
        "middle": band.middle.tolist(),
        "p": band.p,
    }
