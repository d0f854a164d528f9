"""Errors of a number: those of chance and those that all images share, in rows of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from napari_defectseg.core import numbers
from napari_defectseg.reports.reported import Reported
from napari_defectseg.reports.sheet import Sheet
from napari_defectseg.reports.together import Numbers, thickness_of
from napari_defectseg.results.recipe import ReportSettings

_POWER = re.compile(r"(?:[pnµm]?m)(?P<power>⁻?[¹²³]?)$")
_RAISED = str.maketrans("⁻¹²³", "-123")
FOIL = "number_density_foil"
LABELS = {
    "objects": "objects",
    "fraction": "fraction",
    "number_density": "number density",
    FOIL: "number density, N/(A t)",
    "number_density_foil_corrected": "number density in the foil, Σ 1/(A (t + d))",
    "volume_fraction_foil": "volume fraction in the foil",
    "swelling": "swelling",
    "sink_strength_voids": "sink strength",
    "mean_equivalent_diameter": "mean diameter",
    "median_equivalent_diameter": "median diameter",
    "std_equivalent_diameter": "spread of diameters",
}
"""What quantities are called in a report; others by their name."""


def label(quantity: str) -> str:
    """Return what a quantity of a summary is called in a report."""
    return LABELS.get(quantity, quantity.replace("_", " "))


def pixel_power(quantity: str, unit: str) -> int:
    """Return by which power of the pixel size a quantity changes.

    A number per foil volume has its thickness from elsewhere, so that two powers are left.

    Examples
    --------
    >>> pixel_power("mean_equivalent_diameter", "nm"), pixel_power("number_density", "µm⁻²")
    (1, -2)
    >>> pixel_power("number_density_foil", "m⁻³"), pixel_power("fraction", "")
    (-2, 0)
    """
    if quantity.startswith(FOIL):
        return -2
    found = _POWER.fullmatch(unit)
    if found is None:
        return 0
    return int(found["power"].translate(_RAISED) or 1)


def error_sheets(
    classes: Numbers, results: Sequence[Reported], settings: ReportSettings, of: str = ""
) -> tuple[Sheet, ...]:
    """Return one table a class: each number, and below it its random and systematic errors.

    Classes without objects have none. `of` ends the titles.
    """
    return tuple(
        _sheet(f"Errors: {name}{of}", quantities, results, settings)
        for name, quantities in classes.items()
        if quantities["objects"]["value"]
    )


def _sheet(
    title: str,
    quantities: Mapping[str, Mapping[str, Any]],
    results: Sequence[Reported],
    settings: ReportSettings,
) -> Sheet:
    rows: list[tuple[str, ...]] = []
    for quantity, estimate in quantities.items():
        value, unit = estimate["value"], estimate["unit"]
        if quantity == "pixels" or value is None:
            continue
        rows.append((label(quantity), _value(value, unit), "random", *_random(estimate)))
        power = pixel_power(quantity, unit)
        if power:
            rows.append(("", "", "pixel size", *_of_pixel_size(value, unit, power, settings)))
        if quantity.startswith(FOIL):
            rows.append(("", "", "thickness", *_of_thickness(value, unit, quantity, results)))
    note = (
        "Random errors become smaller with more fields; those of pixel size and thickness are "
        "the same for all of them and do not."
    )
    return Sheet(title, ("quantity", "value", "error", "amount", "basis"), tuple(rows), note)


def _random(estimate: Mapping[str, Any]) -> tuple[str, str]:
    low, high = estimate.get("low"), estimate.get("high")
    if low is None or high is None:
        return "not known", ""
    both = f"{numbers.plain(low)} – {numbers.plain(high)} {estimate['unit']}".rstrip()
    return both, str(estimate.get("basis") or "95 % interval")


def _of_pixel_size(
    value: float, unit: str, power: int, settings: ReportSettings
) -> tuple[str, str]:
    law = f"systematic; goes with a{_power(power)}, a the pixel size"
    if settings.pixel_size_error is None:
        return f"{abs(power)} % for each 1 %", f"{law}, its error not stated"
    share = abs(power) * settings.pixel_size_error
    amount = numbers.with_unit(abs(value) * share / 100, unit)
    basis = f"{law}, known to {settings.pixel_size_error:g} % (one σ)"
    return f"± {amount}", basis


def _of_thickness(
    value: float, unit: str, quantity: str, results: Sequence[Reported]
) -> tuple[str, str]:
    thickness = thickness_of(results)
    if thickness is None or not thickness.sigma:
        return "not known", "systematic; the error of the thickness is not stated"
    share = thickness.sigma / thickness.value
    law = "goes with 1/t" if quantity == FOIL else "at most; goes with 1/(t + d)"
    return (
        f"± {numbers.with_unit(abs(value) * share, unit)}",
        f"systematic; {law}, t = {thickness} (one σ)",
    )


def _power(power: int) -> str:
    return "" if power == 1 else numbers.superscript(power)


def _value(value: float, unit: str) -> str:
    whole = not unit and float(value).is_integer()
    return numbers.count(int(value)) if whole else numbers.with_unit(value, unit)
