"""From a table to the bars of the histogram, in the words of the window."""

from __future__ import annotations

from napari_defectseg.measurement.binning import RELIABLE_PX, Histogram, histogram
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.ui import columns, numbers
from napari_defectseg.ui.plots.histogram import Bars


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
        Bins that grow by a factor.
    """
    found = histogram(
        table,
        key,
        scale="log" if logarithmic else "linear",
        weight="size" if by_size else "number",
    )
    if found is None:
        return None
    return Bars(
        found.edges,
        found.heights,
        found.classes,
        columns.title(table, key, long=True),
        found.unit,
        _height_name(table, found),
        logarithmic,
        found.unreliable_below,
        f"below {RELIABLE_PX} px",
        found.median,
        found.objects,
    )


def _height_name(table: RegionTable, found: Histogram) -> str:
    what = "n"
    if found.weight == "size":
        what = numbers.header(columns.title(table, "area"), found.weight_unit)
    if found.scale == "log":
        return f"{what} per bar"
    return f"{what} per {found.width:.4g} {found.unit}".strip()
