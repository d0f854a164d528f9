"""`RegionTable`: one row an object (and frame); every column with unit and definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.region import Region

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Column:
    """One quantity of all objects.

    Parameters
    ----------
    values : ndarray, shape (n,)
    unit : str
        Empty where the quantity has none.
    definition : str
        A sentence with the formula.
    """

    values: NDArray[Any]
    unit: str = ""
    definition: str = ""


@dataclass(frozen=True)
class RegionTable:
    """One row an object (and frame).

    Parameters
    ----------
    columns : mapping of str to Column
        In the order of the table; all of one length.
    calibration : Calibration
    classes : ClassMap or None
        None: the objects have no classes.
    region : Region or None
        What was counted; None for tables read from a file, which do not say.
    warnings : tuple of str
        What a person should know before using the numbers.
    fields : ndarray of int64 or None, shape (n,)
        For each row of a stacked table the place of its image in ``region.fields``.

    Raises
    ------
    MeasurementError
        If the columns differ in length.
    """

    columns: Mapping[str, Column]
    calibration: Calibration
    classes: ClassMap | None = None
    region: Region | None = None
    warnings: tuple[str, ...] = field(default=())
    fields: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(column.values) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise MeasurementError(f"The columns of a table differ in length: {lengths}.")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).values) if self.columns else 0

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return the values of a column."""
        return self.column(name).values

    def column(self, name: str) -> Column:
        """Return a column with its unit and definition.

        Raises
        ------
        MeasurementError
            If there is none of that name.
        """
        if name not in self.columns:
            raise MeasurementError(
                f"The table has no column {name!r}.", hint=f"It has {', '.join(self.columns)}."
            )
        return self.columns[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(self.columns)

    @property
    def label_axes(self) -> tuple[str, ...]:
        """Axes of the labels that were measured; empty where a file does not say."""
        return self.region.axes if self.region else ()

    def heading(self, name: str) -> str:
        """Return ``"name [unit]"``, or the bare name where the quantity has no unit."""
        unit = self.column(name).unit
        return f"{name} [{unit}]" if unit else name

    def rows_of(self, class_name: str) -> NDArray[np.bool_]:
        """Return which rows are of a class; all rows where the table has no classes."""
        if "class" not in self.columns:
            return np.ones(len(self), bool)
        mask: NDArray[np.bool_] = self["class"] == class_name
        return mask

    @cached_property
    def class_places(self) -> NDArray[np.int64]:
        """Place of each object's class in the class map, -1 where it has none; made once."""
        if self.classes is None or "class" not in self.columns:
            return np.zeros(len(self), np.int64)
        import pandas

        # Each distinct name is looked up once: comparing words takes longer than all plots.
        codes, found = pandas.factorize(self["class"].astype(object), use_na_sentinel=False)
        place = {item.name: index for index, item in enumerate(self.classes)}
        places = np.array([place.get(name, -1) for name in found], np.int64)
        return places[codes] if len(found) else np.zeros(0, np.int64)

    def where(self, keep: NDArray[Any] | str) -> RegionTable:
        """Return the rows that a mask, indices or an expression choose.

        Objects left out at the border are not of the choice and no longer count in fractions.

        Parameters
        ----------
        keep : ndarray of bool or int, or str
            An expression compares columns, for example
            ``"area > 20 and class == 'void' and centroid-0 < 500"``; see `filters`.

        Raises
        ------
        MeasurementError
            If the expression is not one, or names a column that is not there.
        """
        if isinstance(keep, str):
            from napari_defectseg.measurement.filters import evaluate_filter

            keep = evaluate_filter(keep, self)
        region = self.region
        if region is not None:
            region = region.without_border()
        return replace(self._take(np.asarray(keep)), region=region)

    def sorted_by(self, name: str, *, descending: bool = False) -> RegionTable:
        """Return the rows sorted by a column; equal ones keep their order, nan comes last."""
        values = self[name]
        order = np.argsort(values, kind="stable")
        if descending:
            order = np.argsort(values[::-1], kind="stable")[::-1]
            order = len(values) - 1 - order
        if values.dtype.kind == "f":
            unknown = np.isnan(values[order])
            order = np.concatenate([order[~unknown], order[unknown]])
        return self._take(order)

    def with_front(self, **texts: str) -> RegionTable:
        """Return the table with columns of one text each in front, for example ``image=``."""
        front = {name: Column(np.full(len(self), text)) for name, text in texts.items()}
        return replace(self, columns={**front, **self.columns})

    def with_column(self, name: str, column: Column) -> RegionTable:
        """Return the table with a column added or replaced."""
        return replace(self, columns={**self.columns, name: column})

    def write_csv(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write a CSV file, whole or not at all; see `tablefile.write_csv`."""
        from napari_defectseg.measurement.tablefile import write_csv

        return write_csv(self, path, overwrite=overwrite)

    @classmethod
    def read_csv(cls, path: str | Path) -> RegionTable:
        """Return the table written by `write_csv`; see `tablefile.read_csv`."""
        from napari_defectseg.measurement.tablefile import read_csv

        return read_csv(path)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a pandas data frame; headings carry the units."""
        import pandas

        return pandas.DataFrame({self.heading(name): self[name] for name in self.names})

    @classmethod
    def stack(cls, tables: Sequence[RegionTable]) -> RegionTable:
        """Return several tables under one another; see `stacking.stack`."""
        from napari_defectseg.measurement.stacking import stack

        return stack(tables)

    def _take(self, keep: NDArray[Any]) -> RegionTable:
        columns = {
            name: replace(column, values=column.values[keep])
            for name, column in self.columns.items()
        }
        fields = None if self.fields is None else self.fields[keep]
        return replace(self, columns=columns, fields=fields)
