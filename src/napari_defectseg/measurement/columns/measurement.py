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

BASIC = "basic"
EVERYTHING = "all"
Kind = Literal["none", "pixel", "length", "square", "size", "angle", "degree", "grey", "score"]
"""``size`` is an area in a plane and a volume in space, ``square`` a length squared."""


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
        Inputs without which it is left out: ``"image"``, ``"scores"``, ``"time"``, ``"classes"``,
        ``"specimen"`` (a region of interest or exclusions), ``"axis"``, ``"blur"``.
    parts : callable or None
        ``parts(ndim) -> k``: the columns are ``name-0`` … ``name-(k-1)``. None: one column.
    local : bool
        Whether it depends on the object's own pixels alone. Others are computed anew after
        every edit.
    group : str
        Which group of columns it belongs to; ``"basic"``: always measured.
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
    group: str = BASIC

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
            "square": calibration.power_unit(2),
            "size": calibration.power_unit(calibration.ndim),
            "angle": "rad",
            "degree": "°",
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
_BUILTIN = {
    "label": "identity:LABEL",
    "class": "identity:CLASS",
    "frame": "identity:FRAME",
    "area": "size:AREA",
    "equivalent_diameter_area": "size:EQUIVALENT_DIAMETER",
    "num_pixels": "size:NUM_PIXELS",
    "centroid": "position:CENTROID",
    "axis_major_length": "axes:MAJOR",
    "axis_minor_length": "axes:MINOR",
    "aspect": "axes:ASPECT",
    "orientation": "axes:ORIENTATION",
    "intensity_mean": "intensity:MEAN",
    "intensity_std": "intensity:STD",
    "intensity_min": "intensity:MIN",
    "intensity_max": "intensity:MAX",
    "mean_score": "score:MEAN_SCORE",
    "touches_border": "position:TOUCHES_BORDER",
    "bbox": "position:BBOX",
    "axis_middle_length": "shape:MIDDLE",
    "elongation": "shape:ELONGATION",
    "flatness": "shape:FLATNESS",
    "eccentricity": "shape:ECCENTRICITY",
    "inertia_tensor_eigvals": "shape:INERTIA",
    "area_bbox": "shape:AREA_BBOX",
    "extent": "shape:EXTENT",
    "direction": "direction:DIRECTION",
    "angle_to_axis": "direction:ANGLE_TO_AXIS",
    "normal_to_axis": "direction:NORMAL_TO_AXIS",
    "shape_unreliable": "limits:SHAPE_UNRELIABLE",
    "below_resolution": "limits:BELOW_RESOLUTION",
    "diameter_deblurred": "limits:DEBLURRED",
    "perimeter_crofton": "surface:PERIMETER",
    "surface_area": "surface:SURFACE",
    "mean_width": "surface:MEAN_WIDTH",
    "mean_curvature": "surface:MEAN_CURVATURE",
    "euler_number": "surface:EULER",
    "euler_number_faces": "surface:EULER_FACES",
    "circularity": "surface:CIRCULARITY",
    "sphericity": "surface:SPHERICITY",
    "compactness": "surface:COMPACTNESS",
    "feret_max": "extent:FERET_MAX",
    "feret_min": "extent:FERET_MIN",
    "roundness": "extent:ROUNDNESS",
    "enclosing_diameter": "extent:ENCLOSING",
    "projected_area": "projection:PROJECTED_AREA",
    "root_area": "projection:ROOT_AREA",
    "projected_area_along": "projection:PROJECTED_ALONG",
    "root_area_along": "projection:ROOT_ALONG",
    "ellipse_major_length": "outline:MAJOR",
    "ellipse_minor_length": "outline:MINOR",
    "ellipse_orientation": "outline:ORIENTATION",
    "area_outline": "outline:AREA",
    "thickness_mean": "thickness:MEAN",
    "thickness_max": "thickness:MAX",
    "neighbour_gap": "neighbours:GAP",
    "neighbour_label": "neighbours:LABEL",
    "neighbour_censored": "neighbours:CENSORED",
    "surface_gap": "specimen:GAP",
    "opening": "specimen:OPENING",
    "surface_area_grey": "greysurface:SURFACE",
    "perimeter_grey": "greysurface:PERIMETER",
    "perimeter": "scikit:PERIMETER",
    "area_filled": "scikit:AREA_FILLED",
    "area_convex": "scikit:AREA_CONVEX",
    "solidity": "scikit:SOLIDITY",
    "feret_diameter_max": "scikit:FERET",
}

MEASUREMENTS: Registry[Measurement] = Registry(
    "measurement",
    {name: f"{_HERE}.{target}" for name, target in _BUILTIN.items()},
    group="napari_defectseg.measurements",
)
"""Every measurement, in the order of the table's columns."""
