"""`summarise`: fractions, densities and mean sizes of the objects of each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.units import LENGTHS, Quantity, ratio
from napari_defectseg.measurement.intervals import garwood
from napari_defectseg.measurement.region import Region
from napari_defectseg.measurement.table import RegionTable

NO_CLASSES = "object"
"""Name under which objects without classes are summarised."""

PER = {"pm": "nm", "nm": "µm", "µm": "mm", "mm": "mm", "m": "m", "px": "px"}
"""Unit of length in a density, by the unit of the pixel size."""
_EXPONENT = {1: "⁻¹", 2: "⁻²", 3: "⁻³"}


@dataclass(frozen=True)
class Estimate:
    """A number with its unit and 95 % interval.

    Parameters
    ----------
    value : float or None
        None where it is undefined.
    unit : str
        Empty where it has none.
    low, high : float or None
        Ends of the interval; None where none is known.
    reason : str
        Why it is undefined.
    """

    value: float | None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `reason` only where the number is undefined."""
        plain: dict[str, Any] = {
            "value": self.value,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
        }
        if self.value is None:
            plain["reason"] = self.reason
        return plain

    def __str__(self) -> str:
        if self.value is None:
            return f"undefined ({self.reason})"
        span = "" if self.low is None else f" ({self.low:.4g} to {self.high:.4g})"
        return f"{self.value:.4g} {self.unit}".rstrip() + span


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
    """

    classes: Mapping[str, Mapping[str, Estimate]]
    region: Mapping[str, Any]
    warnings: tuple[str, ...] = field(default=())

    def __getitem__(self, class_name: str) -> Mapping[str, Estimate]:
        """Return the numbers of a class."""
        return self.classes[class_name]

    def as_dict(self) -> dict[str, Any]:
        """Return the blocks ``classes``, ``region`` and ``warnings`` of ``summary.json``."""
        return {
            "region": dict(self.region),
            "classes": {
                name: {key: value.as_dict() for key, value in numbers.items()}
                for name, numbers in self.classes.items()
            },
            "warnings": list(self.warnings),
        }


def summarise(table: RegionTable, *, thickness: Quantity | None = None) -> Summary:
    """Return fractions, number densities and mean sizes of each class.

    Intervals are Garwood's (95 %, counting alone) for counts and number densities; the other
    numbers have none, and a warning says so. Undefined numbers are None with a reason.

    Parameters
    ----------
    table : RegionTable
        Of `measure_regions`, or a choice of its rows.
    thickness : Quantity or None
        Thickness of the foil that a micrograph looks through; adds `number_density_foil`.

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
    if thickness is not None:
        _check_thickness(thickness, table)
    names = table.classes.names if table.classes is not None else (NO_CLASSES,)
    classes = {name: _numbers(table, region, name, thickness) for name in names}
    return Summary(classes, region.as_dict(table.calibration), _warnings(table, region, thickness))


def _numbers(
    table: RegionTable, region: Region, name: str, thickness: Quantity | None
) -> dict[str, Estimate]:
    rows = table.rows_of(name)
    left = name if table.classes is not None else ""
    count = int(np.count_nonzero(rows))
    pixels = int(table["num_pixels"][rows].sum()) + region.border_pixels.get(left, 0)
    low, high = garwood(count)
    numbers = {
        "objects": Estimate(count, "", low, high),
        "pixels": Estimate(pixels, "px"),
        "fraction": _fraction(pixels, region),
        "number_density": _density(count, table, region),
    }
    if thickness is not None:
        numbers["number_density_foil"] = _foil_density(count, table, region, thickness)
    return numbers | _sizes(table["equivalent_diameter_area"][rows], table)


def _fraction(pixels: int, region: Region) -> Estimate:
    if region.pixels == 0:
        return Estimate(None, reason="nothing was counted: the region is empty")
    return Estimate(pixels / region.pixels)


def _density(count: int, table: RegionTable, region: Region) -> Estimate:
    per = PER[table.calibration.length_unit]
    unit = per + _EXPONENT[region.ndim]
    size = region.size(table.calibration) * ratio(table.calibration.length_unit, per) ** region.ndim
    return _per(count, size, unit)


def _foil_density(count: int, table: RegionTable, region: Region, thickness: Quantity) -> Estimate:
    area = region.size(table.calibration) * LENGTHS[table.calibration.length_unit] ** 2
    return _per(count, area * thickness.to("m").value, "m⁻³")


def _per(count: int, size: float, unit: str) -> Estimate:
    if size == 0:
        return Estimate(None, unit, reason="nothing was counted: the region is empty")
    low, high = garwood(count)
    return Estimate(count / size, unit, low / size, high / size)


def _sizes(diameters: NDArray[np.float64], table: RegionTable) -> dict[str, Estimate]:
    unit = table.column("equivalent_diameter_area").unit
    none = Estimate(None, unit, reason="there are no objects")
    one = Estimate(None, unit, reason="one object has no spread")
    count = diameters.size
    return {
        "mean_equivalent_diameter": Estimate(float(diameters.mean()), unit) if count else none,
        "median_equivalent_diameter": (
            Estimate(float(np.median(diameters)), unit) if count else none
        ),
        "std_equivalent_diameter": (
            Estimate(float(diameters.std(ddof=1)), unit) if count > 1 else one if count else none
        ),
    }


def _check_thickness(thickness: Quantity, table: RegionTable) -> None:
    if thickness.unit not in LENGTHS or not thickness.value > 0:
        raise MeasurementError(f"A foil thickness is a positive length, not {thickness}.")
    if table.calibration.ndim != 2:
        raise MeasurementError("A foil thickness means nothing for a volume.")
    if not table.calibration.calibrated:
        raise MeasurementError(
            "A number per foil volume needs the pixel size.", hint="Give the pixel size first."
        )


def _warnings(table: RegionTable, region: Region, thickness: Quantity | None) -> tuple[str, ...]:
    notes = [*table.warnings]
    notes.append(
        "Intervals are 95 %, for the counting of objects alone (Garwood), and hold if objects "
        "lie at random; fractions and sizes have no interval yet."
    )
    cut = sum(region.border_objects.values())
    if region.border == "exclude" and cut:
        notes.append(
            f"{cut} objects at the border are left out: number densities are too low, and large "
            "objects are missing more often than small ones."
        )
    elif "touches_border" in table and np.any(table["touches_border"]):
        touching = int(np.count_nonzero(table["touches_border"]))
        notes.append(
            f"{touching} of {len(table)} objects touch the border and are counted: number "
            "densities are too high by about half of them, and their sizes are too small."
        )
    if region.frames > 1:
        notes.append(
            "Objects are counted in every frame; frames of one movie are not independent, so "
            "intervals are too narrow."
        )
    if region.images > 1:
        notes.append(
            "Several images are counted as one: intervals leave out the scatter between them."
        )
    if thickness is not None:
        notes.extend(_foil_warnings(thickness))
    return tuple(notes)


def _foil_warnings(thickness: Quantity) -> list[str]:
    bias = (
        f"number_density_foil is N/(A t) with t = {thickness}: objects cut by the foil's "
        "surfaces are counted whole, so it is too high by about the factor 1 + d/t."
    )
    notes = [bias]
    if thickness.sigma:
        share = 100 * thickness.sigma / thickness.value
        notes.append(f"The thickness adds {share:.2g} % to its error, which the interval lacks.")
    return notes
