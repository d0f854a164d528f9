"""From a table to the points of a plot, in the words of the window."""

from __future__ import annotations

import numpy as np

from napari_defectseg.measurement.binning import ONE_CLASS
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import columns, numbers
from napari_defectseg.ui.plots.points import Cloud


def cumulative(table: RegionTable, key: str, *, logarithmic: bool = False) -> Cloud:
    """Return which share of the objects of a class has at most a value, for each object."""
    values = np.asarray(table[key], float)
    kinds, classes = _kinds(table)
    share = np.full(values.shape, np.nan)
    for kind in range(len(classes)):
        own = np.flatnonzero((kinds == kind) & np.isfinite(values))
        if own.size:
            ordered = np.sort(values[own])
            share[own] = np.searchsorted(ordered, values[own], side="right") / own.size
    return Cloud(
        values,
        share,
        kinds,
        classes,
        _title(table, key),
        "share of objects",
        logarithmic,
        stepped=True,
    )


def against(table: RegionTable, key: str, other: str, *, logarithmic: bool = False) -> Cloud:
    """Return one column against another."""
    kinds, classes = _kinds(table)
    return Cloud(
        np.asarray(table[key], float),
        np.asarray(table[other], float),
        kinds,
        classes,
        _title(table, key),
        _title(table, other),
        logarithmic,
    )


def _kinds(table: RegionTable) -> tuple[np.ndarray, tuple]:
    if table.classes is None or "class" not in table:
        return np.zeros(len(table), np.int64), (ONE_CLASS,)
    classes = tuple(table.classes)
    found = np.full(len(table), -1, np.int64)
    for kind, item in enumerate(classes):
        found[table.rows_of(item.name)] = kind
    return found, classes


def _title(table: RegionTable, key: str) -> str:
    return numbers.header(columns.title(table, key, long=True), table.column(key).unit)
