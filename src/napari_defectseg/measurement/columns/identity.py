"""Which object: number, class, frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects


def class_names(objects: Objects) -> NDArray[Any]:
    """Return the class name of each object; empty where it has none."""
    names = [""] * 256
    for item in objects.classes or ():
        names[item.value] = item.name
    return np.array(names)[objects.class_value]


LABEL = Measurement(
    "label", "none", "The object's number in the labels.", lambda objects: objects.label
)
CLASS = Measurement("class", "none", "Name of its class.", class_names, inputs=("classes",))
FRAME = Measurement(
    "frame",
    "none",
    "Time frame, counted from 0.",
    lambda objects: objects.frame,
    inputs=("time",),
)
