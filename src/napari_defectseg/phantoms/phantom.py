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
