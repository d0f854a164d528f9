"""Tables and plots of a comparison of groups."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_defectseg.core import numbers
from napari_defectseg.measurement.statistics.nested import Difference
from napari_defectseg.reports.figures import INK, LINES, MARKERS, SIZE
from napari_defectseg.reports.groups import Group
from napari_defectseg.reports.plot import Plot
from napari_defectseg.reports.sheet import Sheet
from napari_defectseg.reports.uncertainty import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHADES = ("0.1", "0.45", "0.65", "0.3", "0.55", "0.75")
"""Greys: groups differ by line and mark as well, for print without colours."""


def specimens_sheet(
    groups: Sequence[Group], names: Sequence[str], quantities: Sequence[str]
) -> Sheet:
    """Return one row a specimen and class: fields, objects and the numbers compared."""
    shown = [q for q in quantities if any(g.values(n, q) for g in groups for n in names)]
    rows = []
    for group in groups:
        for specimen, summary in group.specimens.items():
            for name in names:
                found = summary.classes.get(name)
                if found is None:
                    continue
                objects = int(found["objects"].value or 0)
                cells = [_cell(found[q].value if q in found else None) for q in shown]
                fields = numbers.count(group.fields[specimen])
                rows.append((group.name, specimen, name, fields, numbers.count(objects), *cells))
    headings = [_heading(groups, names, quantity) for quantity in shown]
    return Sheet(
        "Specimens",
        ("group", "specimen", "class", "images", "objects", *headings),
        tuple(rows),
        "All images of a specimen together.",
        frozenset(range(3, 5 + len(shown))),
    )


def differences_sheet(
    groups: Sequence[Group], differences: Mapping[tuple[str, str], Sequence[Difference]]
) -> Sheet:
    """Return one row a class, quantity and pair of groups."""
    rows = []
    for (name, quantity), found in differences.items():
        unit = next((u for u in (group.unit(name, quantity) for group in groups) if u), "")
        heading = f"{label(quantity)} [{unit}]" if unit else label(quantity)
        rows += [
            (
                name,
                heading,
                f"{one.first} → {one.second}",
                f"{one.counts[0]}, {one.counts[1]}",
                f"{numbers.plain(one.means[0])}, {numbers.plain(one.means[1])}",
                _between(one.value, one.low, one.high),
                _between(one.effect, one.effect_low, one.effect_high),
                _chance(one.p),
                _chance(one.adjusted),
            )
            for one in found
        ]
    headings = (
        "class", "quantity", "groups", "specimens", "means", "difference (95 %)",
        "effect g (95 %)", "p", "p adjusted",
    )  # fmt: skip
    note = (
        "Second group less the first. g: the difference over the standard deviation between "
        "specimens; — : fewer than two specimens, or no scatter."
    )
    return Sheet("Differences", headings, tuple(rows), note, frozenset({5, 6, 7, 8}))


def curves(groups: Sequence[Group], name: str, column: str = SIZE) -> Plot | None:
    """Return the cumulative curves of a class, one a group; None where it has no objects."""
    shown = [(g, _sizes(g, name, column)) for g in groups if column in g.table]
    shown = [(group, sizes) for group, sizes in shown if sizes.size]
    if not shown:
        return None
    unit = shown[0][0].table.column(column).unit

    def draw(axes: tuple[Axes, ...]) -> None:
        for place, (group, sizes) in enumerate(shown):
            axes[0].step(
                sizes,
                np.arange(1, sizes.size + 1) / sizes.size,
                where="post",
                color=SHADES[place % len(SHADES)],
                linestyle=LINES[place % len(LINES)],
                lw=1.6,
                label=f"{group.name}, n = {sizes.size} in {len(group.specimens)} specimens",
            )
        axes[0].set_xlabel(f"equivalent diameter ({unit})")
        axes[0].set_ylabel("share of objects")
        axes[0].set_ylim(0, 1.02)
        axes[0].legend(frameon=False, loc="best")
        axes[0].spines[["top", "right"]].set_visible(False)

    told = (
        f"Share of {name} objects up to a size. All objects of a group in one curve; specimens "
        "with many objects weigh more, so the tests take specimens instead."
    )
    return Plot(f"Sizes of {name}", told, draw, 1, 3.0)


def dots(groups: Sequence[Group], name: str, quantities: Sequence[str]) -> Plot | None:
    """Return the specimens of each group as points, one panel a quantity; None without values."""
    shown = [q for q in quantities if any(group.values(name, q) for group in groups)][:3]
    if not shown:
        return None

    def draw(axes: tuple[Axes, ...]) -> None:
        for axis, quantity in zip(axes, shown, strict=True):
            _dots(axis, groups, name, quantity)

    told = f"Specimens of class {name}: one mark each, the line is the mean of the group."
    return Plot(f"Specimens: {name}", told, draw, len(shown), 2.8)


def _dots(axis: Axes, groups: Sequence[Group], name: str, quantity: str) -> None:
    for place, group in enumerate(groups):
        values = np.array(group.values(name, quantity))
        if not values.size:
            continue
        # Beside one another, so that equal values are both seen.
        aside = np.linspace(-0.15, 0.15, values.size) if values.size > 1 else np.zeros(1)
        axis.scatter(
            place + aside,
            values,
            s=22,
            marker=MARKERS[place % len(MARKERS)],
            c=SHADES[place % len(SHADES)],
            edgecolors=INK,
            linewidths=0.4,
        )
        axis.hlines(values.mean(), place - 0.25, place + 0.25, color=INK, lw=1.2)
    axis.set_xticks(range(len(groups)), [group.name for group in groups])
    axis.set_xlim(-0.6, len(groups) - 0.4)
    axis.set_ylabel(_heading(groups, [name], quantity))
    axis.spines[["top", "right"]].set_visible(False)


def _sizes(group: Group, name: str, column: str) -> np.ndarray[Any, Any]:
    values = np.asarray(group.table[column][group.table.rows_of(name)], float)
    return np.sort(values[np.isfinite(values)])


def _heading(groups: Sequence[Group], names: Sequence[str], quantity: str) -> str:
    units = (group.unit(name, quantity) for group in groups for name in names)
    unit = next((unit for unit in units if unit), "")
    return f"{label(quantity)} [{unit}]" if unit else label(quantity)


def _cell(value: float | None) -> str:
    return numbers.NOT_DEFINED if value is None else numbers.plain(value)


def _between(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return numbers.NOT_DEFINED
    if not math.isfinite(low):
        return numbers.plain(value)
    return f"{numbers.plain(value)} ({numbers.plain(low)} … {numbers.plain(high)})"


def _chance(p: float) -> str:
    if not math.isfinite(p):
        return numbers.NOT_DEFINED
    return f"{p:.2g}" if p >= 0.001 else "< 0.001"
