"""Correlation of columns: Pearson, Spearman, partial, lagged; p with what frames are worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtr

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.intervals import lag_correlation

Real = NDArray[np.float64]
Method = Literal["pearson", "spearman"]

FEWEST = 4
LINKED: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "area", "num_pixels", "equivalent_diameter_area", "axis_major_length",
            "axis_middle_length", "axis_minor_length", "area_bbox", "area_filled", "area_convex",
            "area_outline", "perimeter", "perimeter_crofton", "perimeter_grey", "surface_area",
            "surface_area_grey", "feret_max", "feret_min", "feret_diameter_max", "root_area",
            "enclosing_diameter", "projected_area", "projected_area_along", "root_area_along",
            "ellipse_major_length", "ellipse_minor_length", "diameter_deblurred", "mean_width",
        }
    ),
    frozenset({"aspect", "elongation", "flatness", "eccentricity", "axis_major_length",
               "axis_middle_length", "axis_minor_length"}),
    frozenset({"circularity", "roundness", "perimeter_crofton", "area"}),
    frozenset({"sphericity", "compactness", "surface_area", "area"}),
    frozenset({"intensity_mean", "intensity_min", "intensity_max"}),
    frozenset({"angle_to_axis", "normal_to_axis"}),
)  # fmt: skip
"""Columns that are linked by definition: their correlation says nothing."""


@dataclass(frozen=True)
class Correlation:
    """How two columns go together.

    Parameters
    ----------
    first, second : str
    value : float
        nan where one of them does not vary.
    low, high : float
        95 % interval (Fisher's z).
    p : float
        Two-sided, of no correlation.
    count : int
        Pairs of values.
    effective : float
        What they are worth: fewer where values follow one another.
    adjusted : float
        p after Benjamini & Hochberg over all pairs asked together; nan: not among them.
    linked : bool
        Whether the two are linked by definition.
    """

    first: str
    second: str
    value: float
    low: float
    high: float
    p: float
    count: int
    effective: float
    adjusted: float = math.nan
    linked: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; what is undefined is None."""
        found: dict[str, Any] = {"first": self.first, "second": self.second}
        for name in ("value", "low", "high", "p", "adjusted", "effective"):
            number = float(getattr(self, name))
            found[name] = number if math.isfinite(number) else None
        return found | {"count": self.count, "linked": self.linked}


def correlate(
    first: ArrayLike,
    second: ArrayLike,
    *,
    method: Method = "pearson",
    controls: Sequence[ArrayLike] = (),
    lag: int = 0,
    series: bool = False,
    names: tuple[str, str] = ("", ""),
) -> Correlation:
    """Return the correlation of two columns.

    Parameters
    ----------
    first, second : array-like of float, shape (n,)
        Rows where one is nan are left out; of a series only together at both ends.
    method : {"pearson", "spearman"}
    controls : sequence of array-like
        Columns whose linear share is taken out of both first (partial correlation).
    lag : int
        `second` is taken that many rows later; for series.
    series : bool
        Whether rows follow one another in time: then n(1 - ρρ')/(1 + ρρ') values count
        (Bartlett 1935).
    names : tuple of str

    Raises
    ------
    MeasurementError
        If too few rows are left, or a lag is asked for what is no series.
    """
    if lag and not series:
        raise MeasurementError("A lag needs rows that follow one another in time.")
    columns = [np.asarray(part, np.float64) for part in (first, second, *controls)]
    if lag:
        columns[1] = _shifted(columns[1], lag)
    keep = np.isfinite(columns).all(axis=0)
    columns = [column[keep] for column in columns]
    if method == "spearman":
        columns = [_ranks(column) for column in columns]
    x, y, *others = columns
    degrees = x.size - len(others)
    if degrees < FEWEST:
        raise MeasurementError(
            f"{x.size} rows are too few to correlate {' and '.join(names)}".rstrip() + "."
        )
    x, y = (_rest(column, others) for column in (x, y))
    worth = float(degrees)
    if series:
        both = lag_correlation(x) * lag_correlation(y)
        worth = min(worth, degrees * (1 - both) / (1 + both))
    value = _coefficient(x, y)
    low, high, p = _interval(value, worth, method)
    return Correlation(*names, value, low, high, p, int(keep.sum()), worth)


def correlations(
    columns: Mapping[str, ArrayLike],
    *,
    method: Method = "pearson",
    controls: Sequence[str] = (),
    lag: int = 0,
    series: bool = False,
) -> list[Correlation]:
    """Return the correlations of all pairs of columns, p adjusted for their number.

    Pairs that are linked by definition are marked and do not take part in the adjustment.

    Parameters
    ----------
    columns : mapping of str to array-like
    method, lag, series
        See `correlate`.
    controls : sequence of str
        Columns taken out of all others first.

    Raises
    ------
    MeasurementError
        If a control is not among the columns.
    """
    missing = [name for name in controls if name not in columns]
    if missing:
        raise MeasurementError(f"There is no column {missing[0]!r} to take out.")
    held = [columns[name] for name in controls]
    free = [name for name in columns if name not in controls]
    found = [
        replace(
            correlate(
                columns[one], columns[other], method=method, controls=held, lag=lag,
                series=series, names=(one, other),
            ),
            linked=linked(one, other),
        )
        for one, other in combinations(free, 2)
    ]  # fmt: skip
    asked = [index for index, item in enumerate(found) if not item.linked and item.p == item.p]
    for index, p in zip(asked, false_discovery([found[i].p for i in asked]), strict=True):
        found[index] = replace(found[index], adjusted=float(p))
    return found


def linked(one: str, other: str) -> bool:
    """Return whether two columns are linked by definition."""
    return any({one, other} <= group for group in LINKED)


def false_discovery(p: ArrayLike) -> Real:
    """Return p adjusted for the rate of false discoveries (Benjamini & Hochberg 1995)."""
    values = np.asarray(p, np.float64)
    order = np.argsort(values)
    scaled = values[order] * values.size / np.arange(1, values.size + 1)
    least = np.minimum.accumulate(scaled[::-1])[::-1]
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(least, 1.0)
    return adjusted


def lagged(
    first: ArrayLike, second: ArrayLike, most: int, method: Method = "pearson"
) -> list[Correlation]:
    """Return the correlations with `second` shifted by -most … most rows."""
    return [
        correlate(first, second, method=method, lag=lag, series=True, names=("", str(lag)))
        for lag in range(-most, most + 1)
    ]


def _coefficient(x: Real, y: Real) -> float:
    a, b = x - x.mean(), y - y.mean()
    power = math.sqrt(float(a @ a) * float(b @ b))
    if power <= 1e-12 * max(float(x @ x), float(y @ y), 1e-300):
        return math.nan
    return float(np.clip(a @ b / power, -1.0, 1.0))


def _interval(value: float, worth: float, method: Method) -> tuple[float, float, float]:
    if math.isnan(value) or worth <= 3:
        return math.nan, math.nan, math.nan
    bound = min(abs(value), 1 - 1e-15)
    t = bound * math.sqrt((worth - 2) / (1 - bound**2))
    p = 2 * float(stdtr(worth - 2, -t))
    # Ranks scatter a little more than normal values (Fieller, Hartley & Pearson 1957).
    error = math.sqrt((1.06 if method == "spearman" else 1.0) / (worth - 3))
    middle, half = math.atanh(math.copysign(bound, value)), float(ndtri(0.975)) * error
    return math.tanh(middle - half), math.tanh(middle + half), p


def _rest(column: Real, others: Sequence[Real]) -> Real:
    if not others:
        return column
    design = np.stack([np.ones_like(column), *others], axis=1)
    fitted: Real = column - design @ np.linalg.lstsq(design, column, rcond=None)[0]
    return fitted


def _ranks(column: Real) -> Real:
    from scipy.stats import rankdata

    return np.asarray(rankdata(column), np.float64)


def _shifted(column: Real, lag: int) -> Real:
    found = np.full_like(column, np.nan)
    if lag > 0:
        found[: max(column.size - lag, 0)] = column[lag:]
    else:
        found[-lag:] = column[:lag]
    return found
