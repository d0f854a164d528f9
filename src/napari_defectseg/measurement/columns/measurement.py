"""`Measurement`: one quantity of an object, with its name, unit, needs and definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.registry import Registry
from napari_defectseg.measurement.objects import Objects

Kind = Literal["none", "pixel", "length", "size", "angle", "grey", "score"]
"""``size`` is an area in a plane and a volume in space."""


@dataclass(frozen=True)
class Measurement:
    """One quantity of an object.

    Parameters
    ----------
    name : str
        Name of the column, scikit-image's where it has one.
    kind : str
        What unit it has; one of `Kind`.
    definition : str
        A sentence for tables and reports, with the formula.
    compute : callable
        ``compute(objects) -> ndarray`` of shape (n,), or (n, k) where `parts` says so.
    dims : tuple of int
        Numbers of spatial axes it is defined for.
    needs : tuple of str
        Columns that must be computed before; they are then in ``objects.columns``.
    inputs : tuple of str
        Inputs without which it is left out: ``"image"``, ``"scores"``, ``"time"``, ``"classes"``.
    parts : callable or None
        ``parts(ndim) -> k``: the columns are ``name-0`` … ``name-(k-1)``. None: one column.
    local : bool
        Whether it depends on the object's own pixels alone. Others are computed anew after
        every edit.
    """

    name: str
    kind: Kind
    definition: str
    compute: Callable[[Objects], NDArray[Any]]
    dims: tuple[int, ...] = (2, 3)
    needs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    parts: Callable[[int], int] | None = None
    local: bool = True

    def names(self, ndim: int) -> tuple[str, ...]:
        """Return the names of its columns for `ndim` spatial axes."""
        if self.parts is None:
            return (self.name,)
        return tuple(f"{self.name}-{index}" for index in range(self.parts(ndim)))

    def unit(self, calibration: Calibration) -> str:
        """Return its unit; empty where the quantity has none."""
        units = {
            "pixel": "px",
            "length": calibration.length_unit,
            "size": calibration.power_unit(calibration.ndim),
            "angle": "rad",
        }
        return units.get(self.kind, "")

    def fits(self, ndim: int, inputs: frozenset[str]) -> bool:
        """Return whether it can be measured on such data."""
        return ndim in self.dims and set(self.inputs) <= inputs

    def values(self, objects: Objects) -> dict[str, NDArray[Any]]:
        """Return its columns by name."""
        found = np.asarray(self.compute(objects))
        if self.parts is None:
            return {self.name: found}
        names = self.names(objects.ndim)
        return {name: found[:, index] for index, name in enumerate(names)}


_HERE = "napari_defectseg.measurement.columns"

MEASUREMENTS: Registry[Measurement] = Registry(
    "measurement",
    {
        "label": f"{_HERE}.identity:LABEL",
        "class": f"{_HERE}.identity:CLASS",
        "frame": f"{_HERE}.identity:FRAME",
        "area": f"{_HERE}.size:AREA",
        "equivalent_diameter_area": f"{_HERE}.size:EQUIVALENT_DIAMETER",
        "num_pixels": f"{_HERE}.size:NUM_PIXELS",
        "centroid": f"{_HERE}.position:CENTROID",
        "axis_major_length": f"{_HERE}.axes:MAJOR",
        "axis_minor_length": f"{_HERE}.axes:MINOR",
        "aspect": f"{_HERE}.axes:ASPECT",
        "orientation": f"{_HERE}.axes:ORIENTATION",
        "intensity_mean": f"{_HERE}.intensity:MEAN",
        "intensity_std": f"{_HERE}.intensity:STD",
        "intensity_min": f"{_HERE}.intensity:MIN",
        "intensity_max": f"{_HERE}.intensity:MAX",
        "mean_score": f"{_HERE}.score:MEAN_SCORE",
        "touches_border": f"{_HERE}.position:TOUCHES_BORDER",
        "bbox": f"{_HERE}.position:BBOX",
    },
    group="napari_defectseg.measurements",
)
"""Every measurement, in the order of the table's columns."""
