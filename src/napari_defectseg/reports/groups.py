"""`Group`: the results of one condition, specimen by specimen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.populations import Summary, summarise
from napari_defectseg.measurement.stacking import split
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.reports.reported import Reported
from napari_defectseg.reports.together import thickness_of


@dataclass(frozen=True)
class Group:
    """The results of one condition.

    Parameters
    ----------
    name : str
    results : tuple of Reported
    table : RegionTable
        All its objects.
    specimens : mapping of str to Summary
        The numbers of each specimen, of all its fields together.
    fields : mapping of str to int
        Images of each specimen.
    named : bool
        Whether anybody said which image is of which specimen; else each image counts as one.
    """

    name: str
    results: tuple[Reported, ...]
    table: RegionTable
    specimens: Mapping[str, Summary]
    fields: Mapping[str, int]
    named: bool

    def values(self, class_name: str, quantity: str) -> list[float]:
        """Return a number of every specimen in which it is defined."""
        found = [
            one.classes[class_name][quantity].value
            for one in self.specimens.values()
            if class_name in one.classes and quantity in one.classes[class_name]
        ]
        return [value for value in found if value is not None]

    def unit(self, class_name: str, quantity: str) -> str:
        """Return the unit of a number; empty where it has none."""
        for one in self.specimens.values():
            estimate = one.classes.get(class_name, {}).get(quantity)
            if estimate is not None and estimate.unit:
                return estimate.unit
        return ""


def group_of(name: str, results: Sequence[Reported]) -> Group:
    """Return the group of some results, its fields sorted into specimens.

    Raises
    ------
    MeasurementError
        If a table does not say what was counted, or the images of a specimen cannot be counted
        together.
    """
    parts = [part for one in results for part in _parts(one)]
    named = all(specimen for specimen, _, _ in parts)
    members: dict[str, list[RegionTable]] = {}
    for specimen, image, table in parts:
        members.setdefault(specimen if named else image, []).append(table)
    thickness = thickness_of(results)
    summaries = {}
    for key, tables in members.items():
        stacked = RegionTable.stack(tables)
        if stacked.region is None:
            raise MeasurementError(
                f"The images of {key} have different pixel sizes, so they have no common numbers.",
                hint="Compare images of one pixel size.",
            )
        summaries[key] = summarise(stacked, thickness=thickness, details=False)
    whole = RegionTable.stack([table for tables in members.values() for table in tables])
    fields = {key: len(tables) for key, tables in members.items()}
    return Group(name, tuple(results), whole, summaries, fields, named)


def _parts(one: Reported) -> list[tuple[str, str, RegionTable]]:
    """Return specimen, image and table of every image of a result."""
    if one.table.region is None:
        raise MeasurementError(
            f"{one.name} does not say what was counted in one unit, so it cannot be compared.",
            hint="Measure images of one pixel size together, or one by one.",
        )
    tables = split(one.table)
    if "image" not in one.table:
        return [(one.specimen, one.name, table) for table in tables]
    names = list(one.summary.get("by_image") or ())
    texts = _specimens(one.summary)
    return [
        (specimen, f"{one.name} {name}", _bare(table))
        for specimen, name, table in zip(texts, names, tables, strict=True)
    ]


def _specimens(summary: Mapping[str, Any]) -> list[str]:
    """Return the specimen of each mask that was measured, also of those without objects."""
    known = (summary.get("settings") or {}).get("specimens") or {}
    return [str(known.get(block["path"], "")) for block in summary.get("images") or ()]


def _bare(table: RegionTable) -> RegionTable:
    front = ("image", "specimen")
    columns = {name: column for name, column in table.columns.items() if name not in front}
    return replace(table, columns=columns)
