"""`Counting`: how much each object of a class counts, by the border rule and over the fields."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.intervals import (
    CLEARLY,
    Dispersion,
    Span,
    dispersion,
    garwood,
    ratio_span,
    skewed_end,
    weighted_count,
    wider,
)
from napari_defectseg.measurement.region import Region
from napari_defectseg.measurement.settings import WINDOWED
from napari_defectseg.measurement.statistics.frames import LARGEST_SHARE, frame_weights
from napari_defectseg.measurement.table import RegionTable

Real = NDArray[np.float64]
EMPTY = "nothing was counted: the region is empty"


@dataclass(frozen=True)
class Counting:
    """The objects of a class with what each adds to a density.

    Parameters
    ----------
    density : ndarray of float, shape (n,)
        Number per area (volume) that each object stands for; their sum is the density.
    sizes : ndarray of float, shape (n,)
        Weights for means of sizes; 0: cut by the border, not used.
    fields : ndarray of int64 or None, shape (n,)
        Field of each object; None: one field.
    areas : ndarray of float, shape (k,)
        Counted area (volume) of each field, in the unit of the calibration.
    room : float
        Area (volume) that the border rule leaves; an object that is not seen would count 1/room.
    refused : str
        Why mean sizes would be wrong; empty: they are not.
    """

    density: Real
    sizes: Real
    fields: NDArray[np.int64] | None
    areas: Real
    room: float
    refused: str = ""

    @property
    def objects(self) -> int:
        """Number of objects."""
        return int(self.density.size)

    def counts(self) -> NDArray[np.int64]:
        """Return the number of objects in each field."""
        fields = np.zeros(self.objects, np.int64) if self.fields is None else self.fields
        return np.bincount(fields, minlength=self.areas.size).astype(np.int64)

    def dispersion(self) -> Dispersion | None:
        """Return whether fields scatter as counting would have it; None for one field."""
        if self.fields is None or self.areas.size < 2 or not self.areas.all():
            return None
        return dispersion(self.counts(), self.areas)

    def total(self, values: ArrayLike = 1.0, unit: str = "", factor: float = 1.0) -> Estimate:
        """Return Σ density × values × factor with its interval.

        Objects are Poisson events (Garwood; Fay & Feuer where they count differently); with
        several fields the interval is never narrower than Student's over the fields.

        Parameters
        ----------
        values : array-like of float, shape (n,) or ()
            What each object adds, for example its volume.
        unit : str
        factor : float
            Turns the sum into the unit.
        """
        if self.room <= 0:
            return Estimate(None, unit, reason=EMPTY)
        parts = self.density * np.asarray(values, np.float64) * factor
        if parts.size and not parts.any():
            return Estimate(0.0, unit)
        if not parts.size:
            if np.ndim(values):
                return Estimate(0.0, unit)
            return Estimate(0.0, unit, 0.0, garwood(0)[1] / self.room * factor, basis=_basis(1))
        span = weighted_count(parts)
        return Estimate(float(parts.sum()), unit, *self._over_fields(parts, span), basis=self.basis)

    @property
    def basis(self) -> str:
        """What the intervals of sums hold."""
        return _basis(1 if self.fields is None else self.areas.size)

    def _over_fields(self, parts: Real, span: Span) -> Span:
        if self.fields is None or self.areas.size < 2 or not self.areas.any():
            return span
        tops = np.bincount(self.fields, parts, self.areas.size) * self.areas.sum()
        low, high = wider(span, ratio_span(tops, self.areas))
        found = self.dispersion()
        if found is not None and found.p < CLEARLY:
            high = max(high, skewed_end(tops, self.areas))
        return max(low, 0.0), high


def _basis(fields: int) -> str:
    if fields < 2:
        return "95 %, counting alone, objects at random"
    return f"95 %, {fields} fields as units, not narrower than counting"


def counting_of(table: RegionTable, region: Region, rows: NDArray[np.bool_], name: str) -> Counting:
    """Return how the chosen rows of a class count.

    Parameters
    ----------
    table : RegionTable
    region : Region
        Of the table.
    rows : ndarray of bool
        The objects of the class.
    name : str
        Of the class, empty where there are none.
    """
    calibration = table.calibration
    areas = np.array([part.size(calibration) for part in region.each])
    fields = None if table.fields is None or len(areas) < 2 else table.fields[rows]
    count = int(np.count_nonzero(rows))
    whole = np.ones(count, bool)
    if "touches_border" in table:
        whole = ~np.asarray(table["touches_border"][rows], bool)
    refused = _refused(table, region, rows, name)
    if region.border not in WINDOWED or not region.each[0].window:
        room = float(areas.sum())
        density = np.full(count, 1 / room if room else 0.0)
        return Counting(density, np.ones(count), fields, areas, room, refused)
    windows = np.concatenate([_windows(part, calibration) for part in region.each])
    room = float(np.prod(windows, axis=1).sum())
    weights = _weights(windows, _boxes(table, rows, calibration), whole)
    density = np.full(count, 1 / room) if region.border == "frame" else weights
    return Counting(density, weights, fields, areas, room, refused)


def _windows(region: Region, calibration: Calibration) -> Real:
    """Return the sides of every frame's window, one pixel smaller: the edge is not inside.

    An object is whole if it does not touch the outermost pixels, so that its box has one
    pixel less to lie in.
    """
    sides = (np.array(region.window) - 1) * np.array(calibration.steps)
    return np.repeat(sides[None], region.frames, axis=0)


def _boxes(table: RegionTable, rows: NDArray[np.bool_], calibration: Calibration) -> Real:
    ndim = calibration.ndim
    bounds = np.stack([table[f"bbox-{index}"][rows] for index in range(2 * ndim)], axis=1)
    sides: Real = (bounds[:, ndim:] - bounds[:, :ndim]) * np.array(calibration.steps)
    return sides


def _weights(windows: Real, boxes: Real, whole: NDArray[np.bool_]) -> Real:
    found = np.zeros(len(boxes))
    # Frames of a movie have one window: equal ones are taken together.
    sides, times = np.unique(windows, axis=0, return_counts=True)
    if whole.any():
        room = sum(
            number / frame_weights(side, boxes[whole])
            for side, number in zip(sides, times, strict=True)
        )
        found[whole] = 1 / np.asarray(room)
    return found


def _refused(table: RegionTable, region: Region, rows: NDArray[np.bool_], name: str) -> str:
    if region.border not in WINDOWED:
        return ""
    wide = region.spanning_pixels.get(name, 0)
    pixels = int(table["num_pixels"][rows].sum()) + region.border_pixels.get(name, 0)
    if pixels == 0 or wide / pixels <= LARGEST_SHARE:
        return ""
    return (
        f"objects as wide as the window hold {100 * wide / pixels:.0f} % of the area: "
        "mean sizes would be too small"
    )
