"""`Phantom`: a synthetic image and everything that is true about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ImageError
from napari_defectseg.images.image import CalibratedImage

Array = np.ndarray[Any, Any]
LENGTHS = frozenset(
    {
        "equivalent_diameter_area",
        "axis_major_length",
        "axis_minor_length",
        "length",
        "width",
        "depth",
        "width_at_surface",
        "width_at_half_depth",
        "size_along_beam",
    }
)
"""Columns of object lists that are lengths, beside the centroid."""
ANGLES = {"orientation": "rad", "front_wall_angle": "°"}
"""Columns that are angles, with their unit."""


@dataclass(frozen=True)
class Phantom:
    """A synthetic image with exact truth.

    Parameters
    ----------
    image : CalibratedImage
        What an instrument would have recorded.
    mask : ndarray of uint8
        Class values on the image's label axes; a pixel belongs to a shape if its centre lies
        inside the analytic outline. Multi-label: (classes, *spatial) of 0 and 1, planes in the
        order of `classes`.
    instances : ndarray of int32
        Object numbers in the same layout, 0 where there is none.
    objects : dict of str to ndarray
        One row an object (movies: an object and frame), columns under scikit-image's names,
        lengths in the image's unit. `area` (a volume in 3D), `equivalent_diameter_area`, axes
        and centroid are those of the analytic shape, also where the border cuts it or another
        object hides it; `pixels` is what is drawn in `instances`, `pixels_whole` what a boundless
        empty image would show.
    classes : ClassMap
        Meaning of the mask's values.
    kind : str
        ``"micrograph"``, ``"surface"``, ``"movie"`` or ``"tomogram"``.
    seed : int
        What it was drawn from.
    space : ndarray of bool or None
        Where there is specimen (tomograms), the denominator of fractions; None means everywhere.
    facts : dict
        Further truths by name: settings that were drawn, porosity, depth against time.
    """

    image: CalibratedImage
    mask: Array
    instances: Array
    objects: Mapping[str, Array]
    classes: ClassMap
    kind: str
    seed: int
    space: Array | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        planes = () if self.classes.exclusive else (len(self.classes),)
        expected = planes + self.image.label_shape
        for name, array in (("mask", self.mask), ("instances", self.instances)):
            if array.shape != expected:
                raise ImageError(f"The {name} has shape {array.shape}; {expected} was expected.")
        lengths = {len(column) for column in self.objects.values()}
        if len(lengths) > 1:
            raise ImageError("The columns of the object list differ in length.")

    @property
    def count(self) -> int:
        """Number of different objects."""
        return len(np.unique(self.objects["label"]))

    def unit_of(self, column: str) -> str:
        """Return the unit of a column of the object list; empty for counts and names.

        Examples
        --------
        ``"nm"`` for a micrograph's ``axis_major_length``, ``"µm³"`` for a tomogram's ``area``.
        """
        calibration = self.image.calibration
        if column in LENGTHS or column.startswith("centroid-"):
            return calibration.length_unit
        if column == "area":
            return calibration.power_unit(calibration.ndim)
        if column == "volume":
            return calibration.power_unit(3)
        if column == "time":
            return calibration.time_unit
        return ANGLES.get(column, "")

    def rows(self, name: str) -> dict[str, Array]:
        """Return the object list of one class, by its name.

        Raises
        ------
        ClassError
            If there is no such class.
        """
        self.classes.by_name(name)
        chosen = self.objects["class"] == name
        return {column: values[chosen] for column, values in self.objects.items()}
