"""From a table to the bars of the histogram: one place, so that plot and table agree."""

from __future__ import annotations

import numpy as np

from napari_defectseg.core.classes import DefectClass
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import columns, numbers
from napari_defectseg.ui.plots.histogram import Bars

UNRELIABLE_PX = 7
"""Diameters below as many pixels are drawn as not to be trusted."""
MOST_BINS = 60
ONE_CLASS = DefectClass(1, "object", "", "plain")
_ROUND = np.array([1.0, 2.0, 5.0, 10.0])


def bars_of(
    table: RegionTable, key: str, *, by_size: bool = False, logarithmic: bool = False
) -> Bars | None:
    """Return the bars of a column, stacked by class; None if there is nothing to draw.

    Parameters
    ----------
    table : RegionTable
    key : str
        A column of numbers.
    by_size : bool
        Add up areas (volumes) instead of counting objects.
    logarithmic : bool
        Bins that grow by a factor; values of 0 and below are left out.
    """
    values = np.asarray(table[key], float)
    usable = np.isfinite(values) & ((values > 0) if logarithmic else True)
    if not usable.any():
        return None
    edges = _edges(values[usable], table, key, logarithmic)
    weights = np.asarray(table["area"], float) if by_size else None
    classes = tuple(table.classes) if table.classes is not None else ()
    rows = [usable & table.rows_of(item.name) for item in classes] or [usable]
    heights = np.stack(
        [
            np.histogram(values[row], edges, weights=None if weights is None else weights[row])[0]
            for row in rows
        ]
    ).astype(float)
    unit = table.column(key).unit
    return Bars(
        edges,
        heights,
        classes,
        columns.title(table, key, long=True),
        unit,
        _height_name(table, edges, unit, by_size, logarithmic),
        logarithmic,
        _unreliable(table, key),
        f"below {UNRELIABLE_PX} px",
        float(np.median(values[usable])),
        int(np.count_nonzero(usable)),
    )


def _edges(values: np.ndarray, table: RegionTable, key: str, logarithmic: bool) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if logarithmic:
        count = int(np.clip(np.sqrt(values.size) * 2, 6, MOST_BINS))
        low, high = (low * 0.999, high * 1.001) if high > low else (low / 1.5, high * 1.5)
        return np.geomspace(low, high, count + 1)
    width = _round_width(values)
    first = np.floor(low / width) * width
    count = max(1, int(np.ceil((high - first) / width + 1e-9)))
    edges = first + width * np.arange(count + 1)
    return edges if edges[-1] > high else np.append(edges, edges[-1] + width)


def _round_width(values: np.ndarray) -> float:
    """Return the width of Freedman and Diaconis (1981), rounded to 1, 2 or 5 × a power of ten."""
    span = float(np.ptp(values))
    if span == 0:
        return max(abs(float(values[0])) / 10, 1e-12)
    quartiles = np.subtract(*np.percentile(values, [75, 25]))
    wanted = 2 * quartiles / values.size ** (1 / 3) if quartiles > 0 else span / 10
    wanted = min(max(wanted, span / MOST_BINS), span / 3)
    power = 10.0 ** np.floor(np.log10(wanted))
    return float(_ROUND[np.searchsorted(_ROUND, wanted / power - 1e-9)] * power)


def _height_name(
    table: RegionTable, edges: np.ndarray, unit: str, by_size: bool, logarithmic: bool
) -> str:
    what = "objects"
    if by_size:
        what = numbers.header(columns.title(table, "area"), table.column("area").unit)
    if logarithmic:
        return f"{what} per bar"
    width = f"{numbers.plain(float(edges[1] - edges[0])).rstrip('0').rstrip('.')} {unit}".strip()
    return f"{what} per {width}"


def _unreliable(table: RegionTable, key: str) -> float | None:
    if key != columns.DIAMETER:
        return None
    return UNRELIABLE_PX * float(np.prod(table.calibration.steps)) ** (1 / table.calibration.ndim)
