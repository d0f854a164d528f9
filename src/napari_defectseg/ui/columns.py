"""The measured columns as the table and the plot call them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from qtpy.QtGui import QIcon

    from napari_defectseg.core.classes import DefectClass
    from napari_defectseg.measurement.table import RegionTable
    from napari_defectseg.ui.widgets.region_model import TableColumn

DIAMETER = "equivalent_diameter_area"
FIRST = ("label", "class", DIAMETER)
"""Columns that are shown until a person chooses others."""
WIDE = ("label", "class", DIAMETER, "area", "centroid-1", "centroid-0", "mean_score")
HIDDEN = ("bbox", "num_pixels")
"""Left out of the list of columns to plot: positions in the array, not quantities."""

_TITLES = {
    "label": "no.",
    "class": "class",
    "frame": "frame",
    DIAMETER: "⌀",
    "axis_major_length": "length",
    "axis_minor_length": "width",
    "aspect": "length / width",
    "orientation": "direction",
    "intensity_mean": "mean grey",
    "intensity_std": "spread of grey",
    "intensity_min": "darkest",
    "intensity_max": "brightest",
    "mean_score": "mean p",
    "touches_border": "at border",
    "num_pixels": "pixels",
}
_PLOTTED = {DIAMETER: "equivalent diameter", "orientation": "direction (angle)"}
_WORDS = {
    "diameter": DIAMETER,
    "⌀": DIAMETER,
    "size": DIAMETER,
    "length": "axis_major_length",
    "width": "axis_minor_length",
    "grey": "intensity_mean",
    "p": "mean_score",
    "number": "label",
    "border": "touches_border",
}
"""What may be typed in a filter instead of a column's own name."""


def title(table: RegionTable, key: str, *, long: bool = False) -> str:
    """Return what a column is called in the window."""
    if key == "area":
        return "volume" if table.calibration.ndim == 3 else "area"
    if key.startswith("centroid-"):
        return _axis(table, int(key.rpartition("-")[2]))
    if key.startswith("bbox-"):
        return _box_side(table, int(key.rpartition("-")[2]))
    if long and key in _PLOTTED:
        return _PLOTTED[key]
    return _TITLES.get(key, key.replace("_", " "))


def plottable(table: RegionTable) -> list[str]:
    """Return the columns that a histogram makes sense of, the diameter first."""
    keys = [
        key
        for key, column in table.columns.items()
        if column.values.dtype.kind in "fiu" and not key.startswith(("label", *HIDDEN))
    ]
    return sorted(keys, key=lambda key: key != DIAMETER)


def table_columns(table: RegionTable, icon: Callable[[DefectClass], QIcon]) -> list[TableColumn]:
    """Return the columns as the table widget shows them.

    Parameters
    ----------
    table : RegionTable
    icon : callable
        Makes the swatch of a class.
    """
    from napari_defectseg.ui.widgets.region_model import TableColumn

    found = []
    for key, column in table.columns.items():
        values, icons = column.values, {}
        if values.dtype.kind == "b":
            values = np.where(values, "yes", "no")
        if key == "class" and table.classes is not None:
            icons = {item.name: icon(item) for item in table.classes}
        found.append(
            TableColumn(key, title(table, key), values, column.unit, column.definition, icons)
        )
    return found


def as_filter(text: str, table: RegionTable) -> str:
    """Return what was typed as an expression that the table understands.

    Short names stand for columns, ``=`` for ``==``, class names need no quotes, and a unit
    behind a number is left out where it is the table's own.

    Examples
    --------
    ``diameter > 5 nm and class = void`` becomes
    ``equivalent_diameter_area > 5 and class == 'void'``.
    """
    parts = re.split(r"""('[^']*'|"[^"]*")""", text)
    return "".join(part if i % 2 else _translated(part, table) for i, part in enumerate(parts))


def rows_of(text: str, table: RegionTable) -> np.ndarray:
    """Return which rows a filter keeps, shape (rows,) bool.

    Raises
    ------
    MeasurementError
        If it is not understood.
    """
    from napari_defectseg.measurement.filters import evaluate_filter

    return evaluate_filter(as_filter(text, table), table)


def filter_words(table: RegionTable) -> list[str]:
    """Return what a filter may name, for completion: short names first."""
    short = [word for word, key in _WORDS.items() if key in table and word.isalpha()]
    axes = {title(table, key): key for key in table.names if key.startswith("centroid-")}
    names = table.classes.names if table.classes is not None else ()
    return [*short, *axes, *names, *(key for key in table.names if key not in short)]


def _translated(part: str, table: RegionTable) -> str:
    part = re.sub(r"(?<![<>=!])=(?!=)", "==", part)
    units = {column.unit for column in table.columns.values() if column.unit}
    if units:
        listed = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
        part = re.sub(rf"(\d)\s*(?:{listed})(?!\w)", r"\1", part)
    words = {word: key for word, key in _WORDS.items() if key in table and word not in table}
    words |= {title(table, key): key for key in table.names if key.startswith("centroid-")}
    if title(table, "area") == "volume":
        words["volume"] = "area"
    names = table.classes.names if table.classes is not None else ()
    for name in sorted(names, key=len, reverse=True):
        part = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", repr(name), part)
    quoted = re.split(r"""('[^']*')""", part)
    pattern = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, words))})(?![\w-])")
    return "".join(
        piece if i % 2 else pattern.sub(lambda found: words[found[1]], piece)
        for i, piece in enumerate(quoted)
    )


def _axis(table: RegionTable, index: int) -> str:
    return ("z", "y", "x")[-table.calibration.ndim :][index]


def _box_side(table: RegionTable, index: int) -> str:
    ndim = table.calibration.ndim
    return f"{_axis(table, index % ndim)} {'from' if index < ndim else 'to'}"
