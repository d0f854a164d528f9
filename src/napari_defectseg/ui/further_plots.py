"""From a table to a rose and to a matrix, in the words of the window."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from napari_defectseg.measurement.pairs import bin_pairs
from napari_defectseg.measurement.statistics.correlation import linked
from napari_defectseg.measurement.statistics.roses import rose
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import columns, numbers
from napari_defectseg.ui.plots.cloud import span_of
from napari_defectseg.ui.plots.matrix import CELL, Cell, Cells
from napari_defectseg.ui.plots.rose import Wedges

DIRECTIONS = ("orientation", "ellipse_orientation")
"""Columns that are directions in the plane, in radians from the y axis."""
COMPARED = (
    columns.DIAMETER, "aspect", "circularity", "sphericity", "intensity_mean", "mean_score",
    "neighbour_gap", "surface_gap", "elongation", "orientation",
)  # fmt: skip
"""Columns of the matrix: the first four that the table has, one of them for the size."""
MOST = 4


def directions(table: RegionTable) -> list[str]:
    """Return the columns that a rose can show."""
    return [key for key in DIRECTIONS if key in table]


def degrees_of(table: RegionTable, key: str) -> np.ndarray:
    """Return directions in degrees, 0 to 180, from the right anticlockwise on the screen.

    Columns count from the y axis, as scikit-image's ``orientation`` does.
    """
    return np.mod(90 + np.degrees(np.asarray(table[key], float)), 180.0)


def wedges_of(table: RegionTable, key: str, *, by_size: bool = False) -> Wedges:
    """Return the rose of a column of directions.

    Parameters
    ----------
    table : RegionTable
    key : str
        One of `directions`.
    by_size : bool
        Add up areas instead of counting objects.
    """
    angles = degrees_of(table, key)
    good = np.isfinite(angles)
    weights = np.asarray(table["area"], float)[good] if by_size else np.ones(int(good.sum()))
    found = rose(angles[good], weights)
    counted = numbers.header("area", table.column("area").unit) if by_size else "objects"
    return Wedges(
        found.edges,
        found.length,
        columns.title(table, key, long=True),
        counted,
        found.mean,
        found.strength,
        int(good.sum()),
    )


def cells_of(table: RegionTable) -> Cells:
    """Return several columns against one another, with Pearson's r of each pair."""
    keys = [key for key in COMPARED if key in table][:MOST]
    values = [np.asarray(table[key], float) for key in keys]
    pairs = {
        (row, column): _cell((keys[column], keys[row]), values[column], values[row])
        for column, row in combinations(range(len(keys)), 2)
    }
    titles = tuple(columns.title(table, key) for key in keys)
    return Cells(tuple(keys), titles, pairs, len(table))


def _cell(keys: tuple[str, str], x: np.ndarray, y: np.ndarray) -> Cell:
    good = np.isfinite(x) & np.isfinite(y)
    if np.count_nonzero(good) < 3:
        return Cell(*keys, np.zeros((CELL, CELL), np.int32), float("nan"), linked(*keys))
    kept = x[good], y[good]
    spans = span_of(kept[0]), span_of(kept[1])
    kinds = np.zeros(kept[0].size, np.int64)
    counts = bin_pairs(*kept, kinds, 1, spans, (CELL, CELL)).counts[0]
    a, b = (part - part.mean() for part in kept)
    power = float(np.sqrt(float(a @ a) * float(b @ b)))
    value = float(a @ b) / power if power > 0 else float("nan")
    return Cell(*keys, counts, value, linked(*keys))
