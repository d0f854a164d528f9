"""Tables of objects as CSV, Parquet and XLSX; units and definitions go with them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.errors import NotSaved
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.reports.needed import needed

EXCEL_ROWS = 1_048_575
"""Objects that a sheet of Excel has room for, below its headings."""


def write_table(table: RegionTable, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a table in the form that its suffix says: ``.csv``, ``.parquet`` or ``.xlsx``.

    Raises
    ------
    NotSaved
        If the form is not known, its package is not installed, or it cannot be written.
    AlreadyExists
        If the file exists and `overwrite` is false.
    """
    path = Path(path)
    if path.suffix.lower() == ".csv":
        return table.write_csv(path, overwrite=overwrite)
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise NotSaved(
            f"{path} names no form of a table that is known.",
            hint=f"End it in .csv, {', '.join(WRITERS)}.",
        )
    with atomic_path(path, overwrite=overwrite) as part:
        write(table, part)
    return path


def _parquet(table: RegionTable, path: Path) -> None:
    arrow = needed("pyarrow", "A Parquet file")
    parquet = needed("pyarrow.parquet", "A Parquet file")
    fields, arrays = [], []
    for name, column in table.columns.items():
        array = arrow.array(
            column.values.tolist() if column.values.dtype.kind in "UO" else column.values
        )
        about = {"unit": column.unit, "definition": column.definition}
        fields.append(arrow.field(table.heading(name), array.type, metadata=about))
        arrays.append(array)
    parquet.write_table(arrow.Table.from_arrays(arrays, schema=arrow.schema(fields)), path)


def _xlsx(table: RegionTable, path: Path) -> None:
    excel = needed("openpyxl", "An Excel file")
    if len(table) > EXCEL_ROWS:
        raise NotSaved(
            f"Excel has room for {EXCEL_ROWS} objects; the table has {len(table)}.",
            hint="Write it as CSV or Parquet.",
        )
    book = excel.Workbook(write_only=True)
    objects = book.create_sheet("objects")
    objects.freeze_panes = "A2"
    objects.append([table.heading(name) for name in table.names])
    columns = [[_cell(value) for value in table[name].tolist()] for name in table.names]
    for row in zip(*columns, strict=True):
        objects.append(row)
    about = book.create_sheet("columns")
    about.append(["column", "unit", "definition"])
    for name, column in table.columns.items():
        about.append([_cell(name), _cell(column.unit), _cell(column.definition)])
    with path.open("wb") as file:
        book.save(file)


def _cell(value: Any) -> Any:
    """Return what a cell holds; texts are never formulas, undefined numbers are empty."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return f"'{value}"
    return value


WRITERS: dict[str, Callable[[RegionTable, Path], None]] = {".parquet": _parquet, ".xlsx": _xlsx}
"""Forms beside CSV, by suffix."""
