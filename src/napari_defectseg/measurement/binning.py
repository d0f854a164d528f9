"""`Histogram`: how a column is distributed, class by class, in bins that a person can read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.classes import DefectClass
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.edges import linear_edges, log_edges
from napari_defectseg.measurement.table import RegionTable

Real = NDArray[np.float64]
Scale = Literal["linear", "log"]
Weight = Literal["number", "size"]
"""Each object counts once, or as much as its area (volume)."""

RELIABLE_PX = 7
"""Diameters below as many pixels are not to be trusted: an edge half a pixel off changes the
area by about a third."""
ONE_CLASS = DefectClass(1, "object", "", "plain")
"""Stands for objects without classes."""
DIAMETERS = ("equivalent_diameter_area", "axis_major_length", "axis_minor_length")


@dataclass(frozen=True)
class Histogram:
    """How a column is distributed.

    Parameters
    ----------
    column : str
    unit : str
        Of the column; empty where it has none.
    edges : ndarray, shape (bins + 1,)
        Rising, in the unit of the column; a bin holds its lower edge, the last one both.
    counts : ndarray of int64, shape (classes, bins)
        Number of objects.
    heights : ndarray of float64, shape (classes, bins)
        The same as `counts`, or areas (volumes).
    classes : tuple of DefectClass
        One a row of `counts`.
    scale : {"linear", "log"}
        Whether bins are of one width or grow by one factor.
    weight : {"number", "size"}
        What `heights` add up.
    weight_unit : str
        Unit of `heights`: empty for numbers, else that of an area (volume).
    median : float
        Half of what `heights` add up lies below.
    left_out : int
        Objects without a value (on a logarithmic axis also 0 and below), or without a class.
    unreliable_below : float or None
        Sizes below are not to be trusted, in the unit of the column; None: not a size.
    unreliable : int
        Objects below.
    """

    column: str
    unit: str
    edges: Real
    counts: NDArray[np.int64]
    heights: Real
    classes: tuple[DefectClass, ...]
    scale: Scale
    weight: Weight
    weight_unit: str
    median: float
    left_out: int = 0
    unreliable_below: float | None = None
    unreliable: int = 0

    @cached_property
    def objects(self) -> int:
        """Number of objects in all bins."""
        return int(self.counts.sum())

    @property
    def width(self) -> float:
        """Width of a linear bin; the factor from bin to bin on a logarithmic axis."""
        low, high = float(self.edges[0]), float(self.edges[1])
        return high - low if self.scale == "linear" else high / low

    def bin_of(self, value: float) -> int | None:
        """Return the bin that holds `value`; None where none does."""
        found = _places(np.array([value]), self.edges)[0]
        return int(found) if found >= 0 else None

    def span(self, index: int) -> tuple[float, float]:
        """Return lower and upper edge of a bin."""
        return float(self.edges[index]), float(self.edges[index + 1])

    def rows_in(self, table: RegionTable, index: int) -> NDArray[np.bool_]:
        """Return which rows of the table lie in a bin, whatever their class."""
        rows: NDArray[np.bool_] = _places(np.asarray(table[self.column], float), self.edges) == (
            index
        )
        return rows


def histogram(
    table: RegionTable,
    column: str = "equivalent_diameter_area",
    *,
    scale: Scale = "linear",
    weight: Weight = "number",
    bins: int | None = None,
) -> Histogram | None:
    """Return how a column is distributed, class by class; None where it has no value to show.

    Bins are as wide as Freedman and Diaconis (1981, 10.1007/BF01025868) say, on the axis as it
    is drawn, rounded so that edges are short numbers: multiples of 1, 2 or 5 times a power of
    ten, or a whole number of bins a decade.

    Parameters
    ----------
    table : RegionTable
    column : str
        A column of numbers.
    scale : {"linear", "log"}
    weight : {"number", "size"}
    bins : int or None
        About how many bins, up to `edges.MOST_BINS`; None: as the values are spread.

    Raises
    ------
    MeasurementError
        If there is no such column, it holds no numbers, or there are no areas to add up.

    Examples
    --------
    >>> from napari_defectseg.measurement.regions import measure_regions
    >>> labels = np.repeat(np.array([[1, 0, 2, 2, 0, 3, 3]], np.int32), 1, axis=0)
    >>> found = histogram(measure_regions(labels), "num_pixels")
    >>> found.edges.tolist(), found.counts.tolist()
    ([1.0, 2.0, 3.0], [[1, 2]])
    """
    values = _numbers(table, column)
    sizes = _numbers(table, "area") if weight == "size" else np.ones(len(table))
    row = table.class_places
    shown = np.isfinite(values) & (row >= 0)
    if scale == "log":
        shown &= values > 0
    if not shown.any():
        return None
    values, sizes, row = values[shown], sizes[shown], row[shown]
    whole = table[column].dtype.kind in "iub"
    edges = log_edges(values, bins) if scale == "log" else linear_edges(values, bins, whole)
    classes = tuple(table.classes) if table.classes is not None else (ONE_CLASS,)
    shape = (len(classes), edges.size - 1)
    place = row * shape[1] + _places(values, edges)
    limit = unreliable_below(table, column)
    return Histogram(
        column,
        table.column(column).unit,
        edges,
        np.bincount(place, minlength=shape[0] * shape[1]).reshape(shape),
        np.bincount(place, sizes, shape[0] * shape[1]).reshape(shape).astype(np.float64),
        classes,
        scale,
        weight,
        table.column("area").unit if weight == "size" else "",
        _median(values, sizes if weight == "size" else None),
        int(np.count_nonzero(~shown)),
        limit,
        0 if limit is None else int(np.count_nonzero(values < limit)),
    )


def unreliable_below(table: RegionTable, column: str) -> float | None:
    """Return the size below which a column is not to be trusted; None where it is no size.

    It is that of a disc (ball) of `RELIABLE_PX` pixels across, in the unit of the column.
    """
    ndim = table.calibration.ndim
    pixel = float(np.prod(table.calibration.steps) ** (1 / ndim))
    if column in DIAMETERS:
        return RELIABLE_PX * pixel
    ball = float(np.pi * RELIABLE_PX**ndim / (2 * ndim))
    if column == "area":
        return ball * float(pixel**ndim)
    return ball if column == "num_pixels" else None


def _numbers(table: RegionTable, column: str) -> Real:
    values = table[column]
    if values.dtype.kind not in "iufb":
        raise MeasurementError(
            f"The column {column!r} holds no numbers.", hint="Choose another one for the histogram."
        )
    return values.astype(np.float64)


def _places(values: Real, edges: Real) -> NDArray[np.int64]:
    """Return the bin of each value, -1 where none holds it."""
    place: NDArray[Any] = np.searchsorted(edges, values, side="right") - 1
    place[values == edges[-1]] = edges.size - 2
    place[(place >= edges.size - 1) | ~np.isfinite(values)] = -1
    return place.astype(np.int64)


def _median(values: Real, weights: Real | None) -> float:
    """Return the (weighted) median; without weights by selection, which needs no sorting."""
    if weights is None:
        return float(np.median(values))
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    half = total[-1] / 2
    first = int(np.searchsorted(total, half))
    last = int(np.searchsorted(total, half, side="right"))
    last = min(last, values.size - 1)
    return float((values[order[first]] + values[order[last]]) / 2)
