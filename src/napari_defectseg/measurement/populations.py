"""`summarise`: fractions, densities and mean sizes of the objects of each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.units import Quantity, ratio
from napari_defectseg.measurement.counting import EMPTY, Counting, counting_of
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.foil import Foil, foil_numbers, volume_numbers
from napari_defectseg.measurement.intervals import garwood
from napari_defectseg.measurement.notes import foil_notes, notes_of
from napari_defectseg.measurement.region import Region
from napari_defectseg.measurement.statistics.sizes import (
    describe_sizes,
    mean_of,
    median_of,
    std_of,
)
from napari_defectseg.measurement.table import RegionTable

NO_CLASSES = "object"
"""Name under which objects without classes are summarised."""

PER = {"pm": "nm", "nm": "µm", "µm": "mm", "mm": "mm", "m": "m", "px": "px"}
"""Unit of length in a density, by the unit of the pixel size."""
SIZES = ("mean_equivalent_diameter", "median_equivalent_diameter", "std_equivalent_diameter")
_EXPONENT = {1: "⁻¹", 2: "⁻²", 3: "⁻³"}


@dataclass(frozen=True)
class Summary:
    """Numbers of each class, what was counted, and what a person should know.

    Parameters
    ----------
    classes : mapping of str to mapping of str to Estimate
        Class name, then quantity.
    region : mapping
        What was counted, as plain JSON values.
    warnings : tuple of str
    systematic : mapping of str to mapping
        Errors that no number of objects or fields makes smaller, and that no interval holds:
        by cause its relative standard deviation and what it acts on.
    """

    classes: Mapping[str, Mapping[str, Estimate]]
    region: Mapping[str, Any]
    warnings: tuple[str, ...] = field(default=())
    systematic: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __getitem__(self, class_name: str) -> Mapping[str, Estimate]:
        """Return the numbers of a class."""
        return self.classes[class_name]

    def as_dict(self) -> dict[str, Any]:
        """Return the blocks ``classes``, ``region``, … of ``summary.json``."""
        plain: dict[str, Any] = {
            "region": dict(self.region),
            "classes": {
                name: {key: value.as_dict() for key, value in numbers.items()}
                for name, numbers in self.classes.items()
            },
            "warnings": list(self.warnings),
        }
        if self.systematic:
            plain["systematic"] = {cause: dict(values) for cause, values in self.systematic.items()}
        return plain


def summarise(
    table: RegionTable,
    *,
    thickness: Quantity | None = None,
    foil: Foil | None = None,
    details: bool = True,
) -> Summary:
    """Return fractions, densities and sizes of each class with 95 % intervals.

    Of one image the intervals take objects as units (Garwood; Fay & Feuer for sums of sizes;
    Student for means), of a stacked table also its images as fields, and never the narrower of
    the two. Errors that more objects do not make smaller stand in `Summary.systematic`.
    Undefined numbers are None with a reason.

    Parameters
    ----------
    table : RegionTable
        Of `measure_regions`, a choice of its rows, or several stacked.
    thickness : Quantity or None
        Thickness of the foil that a micrograph looks through; short for `foil`.
    foil : Foil or None
        Thickness and what is lost in it; adds numbers per volume of the foil.
    details : bool
        Whether to add percentiles and weighted means of the sizes, which takes a sorting.

    Raises
    ------
    MeasurementError
        If the table does not say what was counted, the thickness is not a positive length, or
        it is given for data where it means nothing.
    """
    region = table.region
    if region is None:
        raise MeasurementError(
            "This table does not say what was counted, so it has no fractions or densities.",
            hint="Summarise the table of measure_regions, not one read from a file or stacked "
            "from images with different pixel sizes.",
        )
    if foil is None and thickness is not None:
        foil = Foil(thickness)
    if foil is not None:
        foil.check(table.calibration)
    names = table.classes.names if table.classes is not None else (NO_CLASSES,)
    classes = {name: _numbers(table, region, name, foil, details) for name in names}
    notes = notes_of(table, region)
    if foil is not None:
        notes += foil_notes(foil)
    systematic = {} if foil is None else foil.systematic()
    return Summary(classes, region.as_dict(table.calibration), tuple(notes), systematic)


def _numbers(
    table: RegionTable, region: Region, name: str, foil: Foil | None, details: bool
) -> dict[str, Estimate]:
    rows = table.rows_of(name)
    left = name if table.classes is not None else ""
    count = counting_of(table, region, rows, left)
    fraction = _fraction(table, region, rows, left, count)
    numbers = {
        "objects": _objects(count),
        "pixels": Estimate(_pixels(table, region, rows, left), "px"),
        "fraction": fraction,
        "number_density": _density(count, table, region),
        **_dispersion(count),
    }
    diameters = table["equivalent_diameter_area"][rows]
    if foil is not None:
        numbers |= foil_numbers(count, diameters, fraction, foil, table.calibration)
    elif region.ndim == 3:
        numbers |= volume_numbers(count, diameters, fraction, table.calibration)
    return numbers | _sizes(diameters, count, table, details)


def _pixels(table: RegionTable, region: Region, rows: NDArray[np.bool_], left: str) -> int:
    return int(table["num_pixels"][rows].sum()) + region.border_pixels.get(left, 0)


def _objects(count: Counting) -> Estimate:
    """Return the number seen, its interval that of the density times the region."""
    number = count.objects
    low, high = garwood(number)
    if count.fields is not None and number:
        seen = Counting(np.ones(number), count.sizes, count.fields, count.areas, 1.0).total()
        low, high = seen.low or 0.0, seen.high or high
    return Estimate(number, "", low, high, basis=count.basis)


def _dispersion(count: Counting) -> dict[str, Estimate]:
    found = count.dispersion()
    if found is None or not np.isfinite(found.index):
        return {}
    return {
        "dispersion_index": Estimate(found.index),
        "dispersion_p": Estimate(found.p),
    }


def _fraction(
    table: RegionTable, region: Region, rows: NDArray[np.bool_], left: str, count: Counting
) -> Estimate:
    if region.pixels == 0:
        return Estimate(None, reason=EMPTY)
    value = _pixels(table, region, rows, left) / region.pixels
    own = table["num_pixels"][rows]
    if not own.size:
        return Estimate(value)
    share = own / region.pixels
    plain = Counting(share, share, count.fields, count.areas, 1.0).total()
    # Objects left out at the border belong to the fraction: the interval grows with them.
    more = value / float(share.sum())
    low, high = (plain.low or 0.0) * more, min((plain.high or 0.0) * more, 1.0)
    return Estimate(value, "", low, high, basis=count.basis)


def _density(count: Counting, table: RegionTable, region: Region) -> Estimate:
    per = PER[table.calibration.length_unit]
    unit = per + _EXPONENT[region.ndim]
    return count.total(1.0, unit, ratio(per, table.calibration.length_unit) ** region.ndim)


def _sizes(
    diameters: NDArray[np.float64], count: Counting, table: RegionTable, details: bool
) -> dict[str, Estimate]:
    unit = table.column("equivalent_diameter_area").unit
    used = count.sizes > 0
    values, weights = diameters[used], count.sizes[used]
    fields = None if count.fields is None else count.fields[used]
    if count.refused:
        none = Estimate(None, unit, reason=count.refused)
        found = dict.fromkeys(SIZES, none)
        return found | (dict.fromkeys(describe_sizes(values), none) if details else {})
    found = _means(values, weights, fields, unit)
    if np.any(weights != 1) and values.size:
        found["median_equivalent_diameter"] = describe_sizes(values, weights, unit)["d50_by_number"]
    return found | (describe_sizes(values, weights, unit) if details else {})


def _means(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    fields: NDArray[np.int64] | None,
    unit: str,
) -> dict[str, Estimate]:
    if values.size == 0:
        return dict.fromkeys(SIZES, Estimate(None, unit, reason="there are no objects"))
    if values.size == 1:
        one = Estimate(float(values[0]), unit)
        none = Estimate(None, unit, reason="one object has no spread")
        return dict(zip(SIZES, (one, one, none), strict=True))
    mean, span = mean_of(values, weights, fields)
    median, middle = median_of(values)
    low, high = middle if middle is not None else (None, None)
    spread, about = std_of(values, weights, median)
    units = "objects" if fields is None else "objects and fields"
    return {
        SIZES[0]: Estimate(mean, unit, span[0], span[1], basis=f"95 %, Student, {units} as units"),
        SIZES[1]: Estimate(median, unit, low, high, basis="95 %, ranks, objects as units"),
        SIZES[2]: Estimate(
            spread, unit, about[0], about[1], basis="95 %, Bonett, objects as units"
        ),
    }
