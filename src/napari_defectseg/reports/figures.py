"""The plots of a report, in print quality: distributions, sizes against form, pictures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core import numbers
from napari_defectseg.core.classes import DefectClass
from napari_defectseg.measurement.binning import ONE_CLASS, histogram
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.reports.plot import Plot
from napari_defectseg.reports.reported import Reported

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HATCHES = {
    "plain": "",
    "hatch //": "//",
    "hatch \\\\": "\\\\",
    "dots": "..",
    "horizontal lines": "--",
    "vertical lines": "||",
    "grid": "++",
    "crosses": "xx",
    "checks": "**",
    "rings": "oo",
}
LINES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)))
MARKERS = "osD^vP*Xph"
INK, GREY = "0.15", "0.75"
NAMES = {
    "equivalent_diameter_area": "equivalent diameter",
    "axis_major_length": "major axis",
    "eccentricity": "eccentricity",
    "solidity": "solidity",
    "circularity": "circularity",
    "sphericity": "sphericity",
    "intensity_mean": "mean grey value",
    "elongation": "elongation",
}
FORMS = ("circularity", "sphericity", "solidity", "eccentricity", "elongation", "axis_major_length")
"""What is shown against the size: the first that the table has."""
BAR_STEPS = (1, 2, 5, 10)
SIZE = "equivalent_diameter_area"


def distribution(table: RegionTable, column: str = SIZE) -> Plot | None:
    """Return the histogram of a column and, beside it, what share of objects is smaller."""
    if column not in table:
        return None
    found = histogram(table, column)
    if found is None:
        return None

    def draw(axes: tuple[Axes, ...]) -> None:
        _bars(axes[0], found)
        _shares(axes[1], table, column)
        for one in axes:
            _plain_axes(one)

    count = numbers.count(found.objects)
    caption = (
        f"{_name(column).capitalize()} of {count} objects: number in bins (left) and share of "
        f"objects up to a size (right). Median {numbers.with_unit(found.median, found.unit)}."
    )
    if found.unreliable_below is not None and found.unreliable:
        caption += (
            f" Grey: below {numbers.with_unit(found.unreliable_below, found.unit)} sizes are not "
            f"to be trusted ({numbers.count(found.unreliable)} objects)."
        )
    return Plot(f"Distribution of the {_name(column)}", caption, draw, 2, 2.8)


def against_size(table: RegionTable) -> Plot | None:
    """Return a column of form against the size; None where the table has none."""
    column = next((name for name in FORMS if name in table), None)
    if column is None or SIZE not in table or not len(table):
        return None

    def draw(axes: tuple[Axes, ...]) -> None:
        for number, item in enumerate(_classes(table)):
            rows = _rows(table, item)
            axes[0].scatter(
                table[SIZE][rows],
                table[column][rows],
                s=14,
                marker=MARKERS[number % len(MARKERS)],
                c=item.colour or INK,
                edgecolors=INK,
                linewidths=0.4,
                alpha=0.8,
                label=item.name,
                rasterized=len(table) > 2000,
            )
        axes[0].set_xlabel(_labelled(table, SIZE))
        axes[0].set_ylabel(_labelled(table, column))
        axes[0].legend(frameon=False)
        _plain_axes(axes[0])

    title = f"{_name(column).capitalize()} against size"
    return Plot(title, f"{title}; one mark an object.", draw, 1, 3.2)


def pictures(one: Reported) -> Plot | None:
    """Return an image beside its overlay, with a scale bar."""
    shown = [picture for picture in (one.plain, one.drawn) if picture is not None]
    if not shown:
        return None
    height, width = shown[0].shape[:2]
    unit = _unit(one)

    def draw(axes: tuple[Axes, ...]) -> None:
        for axis, picture in zip(axes, shown, strict=True):
            axis.imshow(picture, interpolation="antialiased")
            axis.set_axis_off()
        if one.pixel is not None:
            _scale_bar(axes[0], one.pixel, unit, (width, height))
        if one.drawn is not None:
            _key(axes[-1], one.table)

    what = "Image and objects found" if len(shown) == 2 else "Objects found"
    notes = "".join(f" {note}" for note in one.notes)
    inches = min(6.3 / len(shown) * height / width, 8.0)
    return Plot(one.name, f"{one.name}. {what}.{notes}", draw, len(shown), inches + 0.1)


def _bars(axis: Axes, found: Any) -> None:
    below = np.zeros(len(found.edges) - 1)
    for item, heights in zip(found.classes, found.heights, strict=True):
        axis.bar(
            found.edges[:-1],
            heights,
            width=np.diff(found.edges),
            bottom=below,
            align="edge",
            color=item.colour or GREY,
            edgecolor=INK,
            linewidth=0.5,
            hatch=HATCHES.get(item.pattern, ""),
            label=item.name,
        )
        below += heights
    if found.unreliable_below is not None and found.unreliable:
        axis.axvspan(found.edges[0], found.unreliable_below, color=GREY, alpha=0.4, lw=0)
    heading = f"{_name(found.column)} ({found.unit})" if found.unit else _name(found.column)
    axis.set_xlabel(heading)
    axis.set_ylabel(f"objects per {found.width:.4g} {found.unit}".rstrip())
    axis.legend(frameon=False)


def _shares(axis: Axes, table: RegionTable, column: str) -> None:
    from matplotlib.patheffects import withStroke

    for number, item in enumerate(_classes(table)):
        values = np.asarray(table[column][_rows(table, item)], float)
        values = np.sort(values[np.isfinite(values)])
        if not values.size:
            continue
        share = np.arange(1, values.size + 1) / values.size
        style = LINES[number % len(LINES)]
        edge = [withStroke(linewidth=2.6, foreground=INK)]
        axis.step(
            values,
            share,
            where="post",
            color=item.colour or GREY,
            lw=1.6,
            linestyle=style,
            path_effects=edge,
            label=item.name,
        )
    axis.legend(frameon=False, loc="lower right")
    axis.set_xlabel(_labelled(table, column))
    axis.set_ylabel("share of objects")
    axis.set_ylim(0, 1.02)


def _scale_bar(axis: Axes, pixel: float, unit: str, size: tuple[int, int]) -> None:
    from matplotlib.patches import Rectangle

    width, height = size
    length = round_length(width * pixel / 4)
    pixels = length / pixel
    thick = max(height * 0.012, 2)
    left, top = width * 0.04, height * 0.94
    axis.add_patch(
        Rectangle((left, top), pixels, thick, facecolor="white", edgecolor="black", lw=0.5)
    )
    axis.text(
        left + pixels / 2, top - thick, f"{length:g} {unit}", color="white", ha="center",
        va="bottom", fontsize=8, bbox={"facecolor": "black", "alpha": 0.6, "pad": 1.5, "lw": 0},
    )  # fmt: skip


def _key(axis: Axes, table: RegionTable) -> None:
    from matplotlib.patches import Patch

    handles = [
        Patch(
            facecolor=item.colour,
            edgecolor=INK,
            hatch=HATCHES.get(item.pattern, ""),
            lw=0.5,
            label=item.name,
        )
        for item in _classes(table)
        if item.colour
    ]
    if handles:
        axis.legend(handles=handles, loc="lower right", fontsize=7, framealpha=0.85)


def round_length(longest: float) -> float:
    """Return the longest of 1, 2, 5 times a power of ten that is not above `longest`.

    Examples
    --------
    >>> round_length(37.0), round_length(0.6)
    (20.0, 0.5)
    """
    power = 10.0 ** math.floor(math.log10(longest))
    return float(max(step * power for step in BAR_STEPS if step * power <= longest * (1 + 1e-9)))


def _plain_axes(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)


def _classes(table: RegionTable) -> tuple[DefectClass, ...]:
    if table.classes is None:
        return (ONE_CLASS,)
    return tuple(item for item in table.classes if np.any(table.rows_of(item.name)))


def _rows(table: RegionTable, item: DefectClass) -> Any:
    return slice(None) if item is ONE_CLASS else table.rows_of(item.name)


def _name(column: str) -> str:
    return NAMES.get(column, column.replace("_", " "))


def _labelled(table: RegionTable, column: str) -> str:
    unit = table.column(column).unit
    return f"{_name(column)} ({unit})" if unit else _name(column)


def _unit(one: Reported) -> str:
    return str((one.summary.get("image") or {}).get("unit") or one.table.calibration.unit)
