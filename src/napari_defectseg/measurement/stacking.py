"""Tables of several images under one another, in one unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import CalibrationError, MeasurementError
from napari_defectseg.core.units import ratio
from napari_defectseg.measurement.region import Region
from napari_defectseg.measurement.table import Column, RegionTable

_POWERS = {"": 1, "²": 2, "³": 3}


def stack(tables: Sequence[RegionTable]) -> RegionTable:
    """Return several tables under one another, in the unit of the first.

    Columns that only some tables have are filled with nan (texts with nothing).

    Raises
    ------
    MeasurementError
        If there is none, or planes and volumes, or sizes in px and in a length, would be mixed.
    """
    if not tables:
        raise MeasurementError("There are no tables to put under one another.")
    first = tables[0]
    same = [in_unit(table, first.calibration.length_unit) for table in tables]
    if len({table.calibration.ndim for table in same}) > 1:
        raise MeasurementError(
            "Tables of planes and of volumes cannot be put under one another.",
            hint="Measure them apart.",
        )
    region = _region(same)
    names = list(dict.fromkeys(name for table in same for name in table.names))
    return RegionTable(
        {name: _joined(name, same) for name in names},
        first.calibration,
        _classes(same),
        region,
        tuple(dict.fromkeys(note for table in same for note in table.warnings)),
        None if region is None else _fields(same),
    )


def split(table: RegionTable) -> list[RegionTable]:
    """Return the tables of the fields that were stacked; the table itself where there is one.

    Raises
    ------
    MeasurementError
        If the table does not say what was counted, or which row is of which field.
    """
    region = table.region
    if region is None:
        raise MeasurementError("This table does not say what was counted in each image.")
    if not region.fields:
        return [table]
    if table.fields is None:
        raise MeasurementError("This table does not say which object is of which image.")
    found = []
    for place, own in enumerate(region.fields):
        rows = table.fields == place
        columns = {
            name: replace(column, values=column.values[rows])
            for name, column in table.columns.items()
        }
        found.append(replace(table, columns=columns, region=own, fields=None))
    return found


def in_unit(table: RegionTable, unit: str) -> RegionTable:
    """Return the table with its lengths, areas and volumes in another unit.

    Raises
    ------
    MeasurementError
        If its sizes are in px and the unit is a length, or the other way round.
    """
    own = table.calibration.length_unit
    if own == unit:
        return table
    try:
        factor = ratio(own, unit)
    except CalibrationError as error:
        raise MeasurementError(
            f"Sizes in {own} and in {unit} cannot stand in one table.",
            hint="Give the images without pixel size one, or measure them apart.",
        ) from error
    columns = {}
    for name, column in table.columns.items():
        power = _POWERS.get(column.unit.removeprefix(own)) if column.unit.startswith(own) else None
        if power is not None:
            symbol = column.unit.removeprefix(own)
            column = replace(column, values=column.values * factor**power, unit=unit + symbol)
        columns[name] = column
    return replace(table, columns=columns, calibration=table.calibration.to(unit))


def _joined(name: str, tables: Sequence[RegionTable]) -> Column:
    model = next(table.column(name) for table in tables if name in table)
    parts = []
    for table in tables:
        if name in table:
            parts.append(table[name])
        elif model.values.dtype.kind == "U":
            parts.append(np.full(len(table), ""))
        else:
            parts.append(np.full(len(table), np.nan))
    return replace(model, values=np.concatenate(parts))


def _fields(tables: Sequence[RegionTable]) -> NDArray[np.int64]:
    """Return for each row the place of its image among all fields."""
    found, first = [], 0
    for table in tables:
        own = np.zeros(len(table), np.int64) if table.fields is None else table.fields
        found.append(own + first)
        first += len(table.region.each) if table.region is not None else 1
    return np.concatenate(found)


def _classes(tables: Sequence[RegionTable]) -> ClassMap | None:
    found = [table.classes for table in tables if table.classes is not None]
    if not found:
        return None
    known: dict[str, Any] = {}
    for classes in found:
        for item in classes:
            known.setdefault(item.name, item)
    values = [item.value for item in known.values()]
    if len(set(values)) < len(values):
        return ClassMap.of(list(known), exclusive=found[0].exclusive)
    return ClassMap(tuple(known.values()), found[0].exclusive)


def _region(tables: Sequence[RegionTable]) -> Region | None:
    regions = [table.region for table in tables]
    known = [region for region in regions if region is not None]
    sizes = {_voxel(table.calibration) for table in tables}
    # Pixels of different size do not add up to one number of pixels.
    if len(known) < len(regions) or len(sizes) > 1:
        return None
    first = known[0]
    return replace(
        first,
        shape=first.shape if len(known) == 1 else (),
        pixels=sum(region.pixels for region in known),
        total=sum(region.total for region in known),
        frames=sum(region.frames for region in known),
        images=sum(region.images for region in known),
        border_objects=_summed([region.border_objects for region in known]),
        border_pixels=_summed([region.border_pixels for region in known]),
        too_small=sum(region.too_small for region in known),
        window=(),
        spanning_pixels=_summed([region.spanning_pixels for region in known]),
        fields=tuple(part for region in known for part in region.each) if len(known) > 1 else (),
    )


def _voxel(calibration: Calibration) -> tuple[float, ...]:
    return tuple(float(f"{step:.9g}") for step in calibration.steps)


def _summed(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0) + value
    return total
