"""`ClassPicture`: the objects of one class as a picture, and the statistics that it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.core.progress import Steps
from napari_defectseg.core.units import LENGTHS
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.foil import Foil
from napari_defectseg.measurement.source import Source
from napari_defectseg.measurement.statistics.lines import grid_crossings, ham_density, measure_lines
from napari_defectseg.measurement.statistics.profiles import denuded_zone
from napari_defectseg.measurement.statistics.spatial import arrangement_steps
from napari_defectseg.measurement.statistics.structure import (
    boundary_density,
    chords,
    two_point,
)

LAGS = 64
PITCH = 32
"""Pixels between the test lines of Ham's method, at most an eighth of the picture."""


@dataclass(frozen=True)
class ClassPicture:
    """The objects of one class.

    Parameters
    ----------
    name : str
    labels : ndarray of int32, shape (y, x) or (z, y, x)
        Objects of this class, 0 elsewhere.
    calibration : Calibration
    roi : ndarray of bool or None
        What is counted.
    """

    name: str
    labels: NDArray[np.int32]
    calibration: Calibration
    roi: NDArray[np.bool_] | None = None

    @property
    def spacing(self) -> tuple[float, ...]:
        """Size of a pixel along each axis."""
        return self.calibration.steps

    @property
    def unit(self) -> str:
        """Unit of lengths."""
        return self.calibration.length_unit

    def lines(self, foil: Foil | None = None) -> dict[str, Any]:
        """Return lengths, densities, widths and directions of lines.

        Raises
        ------
        MeasurementError
            If a foil is given for data where it means nothing.
        """
        found = measure_lines(self.labels > 0, self.spacing, self.unit, roi=self.roi)
        plain = found.as_dict()
        if foil is not None:
            foil.check(self.calibration)
            thickness, metres = foil.thickness.to(self.unit).value, LENGTHS[self.unit]
            density = found.foil_density(thickness, foil.visible)
            pitch = max(1, min(PITCH, min(self.labels.shape) // 8))
            crossings = grid_crossings(self.labels > 0, pitch, self.spacing, roi=self.roi)
            by_crossings = ham_density(*crossings, thickness, foil.visible)
            plain["line_density"] = _per_square_metre(density, metres).as_dict()
            plain["line_density_by_crossings"] = _per_square_metre(by_crossings, metres).as_dict()
        return plain

    def space_steps(self, runs: int) -> Steps[dict[str, Any]]:
        """Compute neighbours and pairs against the objects reshuffled; a reason if none."""
        try:
            found = yield from arrangement_steps(
                self.labels, self.spacing, self.unit, roi=self.roi, runs=runs
            )
        except MeasurementError as error:
            return {"reason": str(error)}
        return found.as_dict()

    def structure(self) -> dict[str, Any]:
        """Return two-point correlation, boundary density and chords of the class.

        Raises
        ------
        MeasurementError
            If pixels are not of one size, or no chord begins inside.
        """
        steps = self.spacing
        if max(steps) > 1.01 * min(steps):
            raise MeasurementError("Correlations over all axes need pixels of one size.")
        mask = self.labels > 0
        s2 = two_point(mask, min(LAGS, min(mask.shape) // 2), roi=self.roi)
        ndim = mask.ndim
        power = "⁻¹"
        return {
            "lag": {"value": (np.arange(s2.size) * steps[0]).tolist(), "unit": self.unit},
            "two_point": [None if np.isnan(value) else float(value) for value in s2],
            "boundary_density": Estimate(
                boundary_density(s2, steps[0], ndim), f"{self.unit}{power}"
            ).as_dict(),
            "mean_chord": _mean_chord(mask, steps, self.unit, self.roi),
            "mean_chord_between": _mean_chord(~mask, steps, self.unit, self.roi),
        }

    def zone(self, bulk: float) -> Estimate:
        """Return the width of the denuded zone at the surface of what is counted.

        Raises
        ------
        MeasurementError
            If nothing says where the surface is, or there is no bulk.
        """
        from scipy import ndimage

        if self.roi is None:
            raise MeasurementError(
                "A denuded zone lies at a surface, and nothing says where it is.",
                hint="Give a mask of the specimen: the region that is counted.",
            )
        depth = ndimage.distance_transform_edt(self.roi, sampling=self.spacing)
        numbers = np.arange(1, int(self.labels.max(initial=0)) + 1)
        there = numbers[np.bincount(self.labels.ravel(), minlength=numbers.size + 1)[1:] > 0]
        middles = np.array(ndimage.center_of_mass(self.labels > 0, self.labels, there))
        at = np.rint(middles).astype(int).reshape(-1, self.labels.ndim)
        pixel = float(np.prod(self.spacing))
        return denuded_zone(depth[tuple(at.T)], depth[self.roi], pixel, bulk, self.unit)


def class_pictures(
    source: Source, space: ReferenceSpace | None, nameless: str
) -> list[ClassPicture]:
    """Return one picture a class.

    Parameters
    ----------
    source : Source
    space : ReferenceSpace or None
    nameless : str
        Name where there are no classes.

    Raises
    ------
    MeasurementError
        For movies: their frames are not of one picture.
    """
    if "t" in source.axes:
        raise MeasurementError(
            "Arrangement, lines and structure are those of one picture, not of a movie.",
            hint="Measure a frame at a time.",
        )
    roi = None
    if space is not None and not (space.roi is None and space.exclude is None):
        roi = space.mask()
    if source.unlabelled is not None:
        roi = ~source.unlabelled if roi is None else roi & ~source.unlabelled
    names: Mapping[str, int] = (
        {nameless: -1}
        if source.classes is None
        else {item.name: item.value for item in source.classes}
    )
    return [
        ClassPicture(name, class_objects(source, value), source.calibration, roi)
        for name, value in names.items()
    ]


def class_objects(source: Source, value: int) -> NDArray[np.int32]:
    """Return the objects of a class value as an array of numbers; a negative value: all."""
    found = np.zeros(source.shape, np.int32)
    for plane, class_of in zip(source.planes, source.class_of, strict=True):
        array = plane.array
        chosen = array > 0 if value < 0 else class_of[array] == value
        found[chosen] = array[chosen]
    return found


def _mean_chord(
    mask: NDArray[np.bool_], steps: tuple[float, ...], unit: str, roi: NDArray[np.bool_] | None
) -> dict[str, Any]:
    total, starts = 0.0, 0
    for axis in range(mask.ndim):
        try:
            found = chords(mask, axis, steps[axis], roi=roi)
        except MeasurementError:
            continue
        total, starts = total + found.mean * found.starts, starts + found.starts
    if not starts:
        return Estimate(None, unit, reason="no chord begins inside").as_dict()
    return Estimate(total / starts, unit).as_dict()


def _per_square_metre(density: Estimate, metres: float) -> Estimate:
    def scaled(value: float | None) -> float | None:
        return None if value is None else value / metres**2

    return Estimate(
        scaled(density.value),
        "m⁻²",
        scaled(density.low),
        scaled(density.high),
        density.reason,
        density.basis,
    )
