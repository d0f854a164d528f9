"""`Foil`: a known thickness, and the numbers per volume that it gives."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.units import LENGTHS, Quantity
from napari_defectseg.measurement.counting import Counting
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.statistics.foils import (
    depths,
    loop_sink,
    swelling,
    void_sink,
    volume_fraction,
    without_overlap,
)

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Foil:
    """Thickness of a foil, and what does not show in it.

    Parameters
    ----------
    thickness : Quantity
        With one standard deviation.
    cap : Quantity or None
        Height of the part of an object cut by a surface that does not show.
    zone : Quantity or None
        Width of the zone at each surface in which objects are lost.
    visible : float
        Visible share of the family by g·b; numbers per volume are divided by it.
    """

    thickness: Quantity
    cap: Quantity | None = None
    zone: Quantity | None = None
    visible: float = 1.0

    def check(self, calibration: Calibration) -> None:
        """Raise a MeasurementError where a thickness means nothing."""
        for item in (self.thickness, self.cap, self.zone):
            if item is not None and (item.unit not in LENGTHS or item.value < 0):
                raise MeasurementError(f"A length in a foil is positive, not {item}.")
        if not self.thickness.value > 0:
            raise MeasurementError(f"A foil thickness is a positive length, not {self.thickness}.")
        if not 0 < self.visible <= 1:
            raise MeasurementError(f"A visible share is above 0 and at most 1, not {self.visible}.")
        if calibration.ndim != 2:
            raise MeasurementError("A foil thickness means nothing for a volume.")
        if not calibration.calibrated:
            raise MeasurementError(
                "A number per foil volume needs the pixel size.", hint="Give the pixel size first."
            )

    def depths(self, diameters: Real, unit: str) -> Real:
        """Return the depth from which objects of each diameter are seen, in a unit of length."""
        return depths(
            diameters, self.thickness.to(unit).value, _in(self.cap, unit), _in(self.zone, unit)
        )

    def systematic(self) -> dict[str, dict[str, Any]]:
        """Return errors that more objects do not make smaller."""
        if not self.thickness.sigma:
            return {}
        share = self.thickness.sigma / self.thickness.value
        acts = ["number_density_foil", "number_density_foil_corrected", "swelling"]
        acts += ["sink_strength_voids", "sink_strength_loops"]
        return {"thickness": {"relative_sigma": share, "acts_on": acts}}


def foil_numbers(
    count: Counting, diameters: Real, fraction: Estimate, foil: Foil, calibration: Calibration
) -> dict[str, Estimate]:
    """Return what a foil of known thickness says of its volume.

    ``number_density_foil`` is N/(A t); the corrected one Σ 1/(A (t + d - 2h)) over the visible
    share, from which swelling and sinks follow. ``volume_fraction_foil`` is from the projected
    area of opaque objects, overlap corrected.
    """
    unit = calibration.length_unit
    metres = LENGTHS[unit]
    thick = foil.thickness.to(unit).value
    each = 1 / (foil.depths(diameters, unit) * foil.visible)
    empty_depth = 1 / (thick * foil.visible)
    corrected = count.total(each, "m⁻³", metres**-3)
    if not count.objects:
        corrected = count.total(1.0, "m⁻³", empty_depth * metres**-3)
    numbers = {
        "number_density_foil": count.total(1.0, "m⁻³", metres**-3 / thick),
        "number_density_foil_corrected": corrected,
        "volume_fraction_foil": _by_projection(fraction, diameters, each * count.density, thick),
    }
    return numbers | _of_volume(count, diameters, each, calibration)


def volume_numbers(
    count: Counting, diameters: Real, fraction: Estimate, calibration: Calibration
) -> dict[str, Estimate]:
    """Return swelling and sinks of a volume: from its fraction and its radii."""
    if not calibration.calibrated:
        return {"swelling": _swollen(fraction)}
    numbers = _of_volume(count, diameters, np.ones_like(diameters), calibration)
    return numbers | {"swelling": _swollen(fraction)}


def _of_volume(
    count: Counting, diameters: Real, each: Real, calibration: Calibration
) -> dict[str, Estimate]:
    metres = LENGTHS[calibration.length_unit]
    pixel = float(np.prod(calibration.steps)) ** (1 / calibration.ndim)
    balls = [count.total(each * _ball(np.maximum(diameters + d, 0))) for d in (0, -pixel, pixel)]
    edge = [_swollen(item).value for item in balls]
    range_ = Estimate(edge[0], "", edge[1], edge[2], basis="edge moved by half a pixel")
    # Both sinks are linear in the radius: Σ N r.
    radii = count.total(each * diameters / 2, "m⁻²", metres**-2)
    return {
        "swelling": _swollen(balls[0]),
        "swelling_edge_range": range_ if None not in edge else _swollen(balls[2]),
        "sink_strength_voids": _times(radii, void_sink(1.0, 1.0)),
        "sink_strength_loops": _times(radii, loop_sink(1.0, 1.0)),
    }


def _by_projection(
    fraction: Estimate, diameters: Real, weights: Real, thickness: float
) -> Estimate:
    """Return the volume fraction of opaque balls of several sizes, by their D[3,2]."""
    if fraction.value is None or not diameters.size:
        return fraction
    if fraction.value >= 1:
        return Estimate(None, reason="projections cover all of the picture")
    size = float((weights @ diameters**3) / (weights @ diameters**2))

    def solid(share: float | None) -> float | None:
        if share is None:
            return None
        return volume_fraction(without_overlap(min(share, 1 - 1e-12)), size, thickness)

    value, low, high = (solid(share) for share in (fraction.value, fraction.low, fraction.high))
    return Estimate(value, "", low, high, basis=fraction.basis)


def _swollen(fraction: Estimate) -> Estimate:
    if fraction.value is None:
        return fraction
    if fraction.value >= 1:
        return Estimate(None, reason="voids fill more than there is")
    low = None if fraction.low is None else swelling(max(fraction.low, 0.0))
    high = None if fraction.high is None else swelling(min(fraction.high, 1 - 1e-12))
    return Estimate(swelling(fraction.value), "", low, high, basis=fraction.basis)


def _ball(diameters: Real) -> Real:
    volume: Real = math.pi / 6 * diameters * diameters * diameters
    return volume


def _times(estimate: Estimate, factor: float) -> Estimate:
    if estimate.value is None:
        return estimate
    low = None if estimate.low is None else estimate.low * factor
    high = None if estimate.high is None else estimate.high * factor
    return replace(estimate, value=estimate.value * factor, low=low, high=high)


def _in(quantity: Quantity | None, unit: str) -> float:
    return 0.0 if quantity is None else quantity.to(unit).value
