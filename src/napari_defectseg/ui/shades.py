"""`Shades`: which colour of a scale the objects of a table get for the values of a column."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import columns, numbers

STEPS = 100
"""Colours of a scale; more would not be told apart, and they and the classes fit into a byte."""
NOT_MEASURED = STEPS + 1
"""Shade of objects that have no value."""
LOW, HIGH = 2.0, 98.0
"""Percentiles at which the scale begins and ends: single giants must not take all colours."""
Limits = tuple[float, float]


@dataclass(frozen=True)
class Shades:
    """A column as colours.

    Parameters
    ----------
    title, unit : str
    limits : tuple of float
        Values of the first and the last colour; those beyond have them too.
    shade_of : ndarray of uint8
        For each object number 1 … `STEPS`, `NOT_MEASURED`, or 0 where there is no object.
    beyond : tuple of bool
        Whether there are values below and above the limits.
    """

    title: str = ""
    unit: str = ""
    limits: Limits = (0.0, 0.0)
    shade_of: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(1, np.uint8))
    beyond: tuple[bool, bool] = (False, False)

    @property
    def ends(self) -> tuple[str, str]:
        """What stands at both ends of the colour bar."""
        low, high = (numbers.plain(value) for value in self.limits)
        return f"≤ {low}" if self.beyond[0] else low, f"≥ {high}" if self.beyond[1] else high

    @property
    def heading(self) -> str:
        """Column and unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def changed_from(self, before: Shades) -> NDArray[np.int64]:
        """Return the numbers of the objects that have another shade than before."""
        size = max(self.shade_of.size, before.shade_of.size)
        return np.flatnonzero(_padded(self.shade_of, size) != _padded(before.shade_of, size))


def shades_of(
    table: RegionTable, key: str, *, frame: int = 0, limits: Limits | None = None
) -> Shades:
    """Return the shades of a column.

    Parameters
    ----------
    table : RegionTable
    key : str
        A column of numbers.
    frame : int
        Of a movie: the frame whose rows count.
    limits : tuple of float or None
        None: 2nd and 98th percentile of the values.
    """
    values = np.asarray(table[key], float)
    label = np.asarray(table["label"], np.int64)
    here = np.asarray(table["frame"]) == frame if "frame" in table else np.ones(len(table), bool)
    finite = values[np.isfinite(values)]
    if limits is None:
        ends = np.percentile(finite, (LOW, HIGH)) if finite.size else (0.0, 0.0)
        limits = float(ends[0]), float(ends[1])
    beyond = (bool((finite < limits[0]).any()), bool((finite > limits[1]).any()))
    shade_of = np.zeros(int(label.max(initial=0)) + 1, np.uint8)
    shade_of[label[here]] = _steps(values[here], limits)
    unit = table.column(key).unit
    return Shades(columns.title(table, key, long=True), unit, limits, shade_of, beyond)


def _steps(values: NDArray[np.float64], limits: Limits) -> NDArray[np.uint8]:
    low, high = limits
    known = np.isfinite(values)
    share = np.full(values.shape, 0.5)
    if high > low:
        np.divide(values - low, high - low, out=share, where=known)
    steps = 1 + np.clip(share * STEPS, 0, STEPS - 1)
    return np.where(known, steps, NOT_MEASURED).astype(np.uint8)


def _padded(shades: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    return np.pad(shades, (0, size - shades.size))
