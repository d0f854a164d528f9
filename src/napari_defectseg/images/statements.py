"""What the headers of a file state about its pixel size, and whether they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from napari_defectseg.core import axes as axis_names
from napari_defectseg.core.axes import Axes
from napari_defectseg.core.calibration import NEARLY_SQUARE, Calibration
from napari_defectseg.core.units import normalise_length, normalise_time

PRINT_DPI = 1270
"""Up to here (20 µm a pixel) a resolution is what cameras and programs write for printers."""
MOST_DPI = (1440, 2400, 4800)
"""Larger ones of the same kind."""
WELL_READ = (0.05, 1000.0)
"""Pixel sizes in this range keep the unit in which the file states them."""


@dataclass(frozen=True)
class Statement:
    """What one header says.

    Parameters
    ----------
    source : str
        Which tag of which header, in words.
    sizes : mapping of str to tuple of float and str
        Axis letter to value and unit, as the file writes them.
    doubt : str
        Why a person should look, empty if there is no reason.
    """

    source: str
    sizes: Mapping[str, tuple[float | None, str | None]] = field(default_factory=dict)
    doubt: str = ""

    def calibration(self, axes: Axes) -> Calibration:
        """Return what it says about the spatial axes of `axes`, as far as it can be believed."""
        names = axis_names.spatial(axes)
        pairs = [self.sizes.get(name, (None, None)) for name in names]
        values, units = [_number(pair[0]) for pair in pairs], [pair[1] for pair in pairs]
        believed = _in_unit_of_file(Calibration.believed(values, units, self.source), units)
        if believed.question or not self.doubt or not known(believed):
            return believed
        return replace(believed, question=self.doubt)


def combine(statements: Sequence[Statement], axes: Axes) -> Calibration:
    """Return the calibration of the first statement that says something in the plane.

    Axes it leaves open are taken from later ones. Two that differ in y or x by more than one
    percent give a `question` that names both values.

    Parameters
    ----------
    statements : sequence of Statement
        The most trusted first.
    axes : tuple of str
        Axes of the image.
    """
    spatial = axis_names.spatial(axes)
    read = [(one, one.calibration(axes)) for one in statements]
    said = [(one, calibration) for one, calibration in read if known(calibration)]
    if not said:
        sources = [one.source for one in statements if one.source]
        return Calibration.uncalibrated(len(spatial), "; ".join(sources))
    first = _filled(said[0][1], [calibration for _, calibration in said[1:]])
    others = [
        calibration
        for one, calibration in said[1:]
        if not one.doubt and _differ(first, calibration)
    ]
    if others and not first.question:
        values = " but ".join(
            f"{calibration.source} says {calibration.in_plane.describe()}"
            for calibration in (first, others[0])
        )
        asked = f"{values}. Which is right?"
        first = replace(first, question=asked, rivals=(_filled(others[0], [first]),))
    return first


def with_frames(calibration: Calibration, time: float | None, unit: str | None) -> Calibration:
    """Return it with a frame time if that is a positive number with a unit of time."""
    value = _number(time)
    if value is None or normalise_time(unit) is None or not 0 < value < float("inf"):
        return calibration
    return calibration.with_frame_time(value, str(unit))


def resolution(x: float, y: float, per_inch: float, source: str) -> Statement:
    """Return what pixels per unit state; what is meant for printers states nothing.

    Parameters
    ----------
    x, y : float
        Pixels a unit.
    per_inch : float
        How many of those units an inch is: 1 for inch, 2.54 for cm, 0.0254 for m.
    source : str
        Which tag.
    """
    if not (0 < x < float("inf") and 0 < y < float("inf")):
        return Statement("")
    dpi = x * per_inch
    if dpi <= PRINT_DPI or any(abs(dpi - usual) < 0.006 * usual for usual in MOST_DPI):
        return Statement(f"{source}: {dpi:.4g} dpi is for printing, not a measured pixel size")
    return Statement(source, {"y": (1 / (y * per_inch), "inch"), "x": (1 / (x * per_inch), "inch")})


def known(calibration: Calibration) -> bool:
    """Whether it says anything about y and x."""
    return all(value is not None for value in calibration.spacing[-2:])


def _in_unit_of_file(believed: Calibration, units: Sequence[str | None]) -> Calibration:
    """Return it in the one unit that the file uses, if its numbers read well in that."""
    stated = {known_unit[1] for unit in units if (known_unit := normalise_length(unit))}
    sizes = [value for value in believed.spacing if value is not None]
    if len(stated) != 1 or not sizes or stated == {believed.unit}:
        return believed
    (unit,) = stated
    moved = believed.to(unit)
    if not all(value is None or WELL_READ[0] <= value < WELL_READ[1] for value in moved.spacing):
        return believed
    spacing = tuple(None if v is None else float(f"{v:.12g}") for v in moved.spacing)
    return replace(moved, spacing=spacing)


def _filled(first: Calibration, rest: Sequence[Calibration]) -> Calibration:
    spacing = list(first.spacing)
    for other in rest:
        for index, value in enumerate(other.to(first.unit).spacing):
            if spacing[index] is None:
                spacing[index] = value
    return replace(first, spacing=tuple(spacing))


def _differ(one: Calibration, other: Calibration) -> bool:
    values = zip(one.spacing[-2:], other.to(one.unit).spacing[-2:], strict=True)
    return any(
        a is not None and b is not None and abs(a - b) > NEARLY_SQUARE * max(a, b)
        for a, b in values
    )


def _number(value: object) -> float | None:
    try:
        return None if value is None else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
