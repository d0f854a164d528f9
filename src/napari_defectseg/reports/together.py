"""The numbers of all results of a report as one, where they can be counted as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_defectseg.core.errors import DefectSegError, MeasurementError
from napari_defectseg.core.units import Quantity
from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.reports.reported import Reported

Numbers = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Class, then quantity, then ``value``, ``unit``, ``low``, ``high``."""
DIFFERENT = (
    "The images have different pixel sizes or borders: their objects are shown together, their "
    "numbers one by one."
)


@dataclass(frozen=True)
class Together:
    """All results as one.

    Parameters
    ----------
    table : RegionTable or None
        All objects under one another; None: sizes in px and in a length, or planes and
        volumes, are no common table.
    numbers : mapping or None
        None: they cannot be counted as one.
    note : str
        Why, or what was done.
    warnings : tuple of str
    """

    table: RegionTable | None
    numbers: Numbers | None
    note: str = ""
    warnings: tuple[str, ...] = ()


def together(results: Sequence[Reported]) -> Together:
    """Count the objects of all results as one population."""
    if len(results) == 1:
        one = results[0]
        return Together(one.table, one.summary["classes"], "", tuple(one.summary["warnings"]))
    # Names of images stand in the table, so that every row says where its object lies.
    tables = [_named(one) for one in results]
    try:
        table = RegionTable.stack(tables)
    except MeasurementError as error:
        return Together(None, None, f"The results have no common numbers: {error.sentence}")
    plain_table = RegionTable.stack([one.table for one in results])
    if plain_table.region is None:
        return Together(table, None, DIFFERENT)
    try:
        found = summarise(plain_table, thickness=thickness_of(results))
    except DefectSegError as error:
        return Together(table, None, f"The results have no common numbers: {error.sentence}")
    plain = found.as_dict()
    return Together(table, plain["classes"], "", tuple(plain["warnings"]))


def thickness_of(results: Sequence[Reported]) -> Quantity | None:
    """Return the foil thickness if it is that of all results, and all counted with it."""
    known = [(one.summary.get("acquisition") or {}).get("thickness") for one in results]
    counted = all(
        any(name.startswith("number_density_foil") for name in numbers)
        for one in results
        for numbers in one.summary["classes"].values()
    )
    if not counted or not known or known[0] is None or any(one != known[0] for one in known):
        return None
    first = known[0]
    return Quantity(first["value"], first["unit"], first.get("sigma") or 0.0)


def _named(one: Reported) -> RegionTable:
    if "image" in one.table:
        return one.table
    return one.table.with_front(image=one.name, specimen=one.specimen)
