"""How far it reaches: Feret diameters, the smallest ball around, roundness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement import extents
from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects
from napari_defectseg.measurement.widths import least_width

Real = NDArray[np.float64]
GROUP = "extent"


def feret_max(objects: Objects) -> Real:
    """Return the largest distance of two pixel centres."""
    bodies, scale = objects.bodies, float(objects.bodies.steps.max())
    out = np.zeros(len(objects))
    extents.longest(bodies.first, bodies.runs, bodies.steps / scale, out)
    return out * scale


def feret_min(objects: Objects) -> Real:
    """Return the least distance of two parallel lines or planes that hold all pixel centres."""
    bodies, scale = objects.bodies, float(objects.bodies.steps.max())
    out = np.zeros(len(objects))
    if bodies.flat:
        extents.narrowest(bodies.first, bodies.runs, bodies.steps / scale, out)
        return out * scale
    for index in range(len(objects)):
        out[index] = least_width(
            bodies.runs[bodies.first[index] : bodies.first[index + 1]], bodies.steps
        )
    return out


def enclosing(objects: Objects) -> Real:
    """Return the diameter of the smallest disc or ball around all pixel centres."""
    bodies, scale = objects.bodies, float(objects.bodies.steps.max())
    out = np.zeros(len(objects))
    extents.enclosing(bodies.first, bodies.runs, bodies.steps / scale, out)
    return out * scale


def roundness(objects: Objects) -> Real:
    """Return 4A/πF², nan of a single pixel."""
    feret = objects.columns["feret_max"]
    value = np.full(len(objects), np.nan)
    np.divide(4 * objects.columns["area"] / np.pi, feret**2, out=value, where=feret > 0)
    return value


FERET_MAX = Measurement(
    "feret_max",
    "length",
    "Largest distance of two of its pixel centres; 0 of a single pixel. A disc of a radius of 5 "
    "pixels comes out 0.3 pixels too short, a ball 0.1.",
    feret_max,
    group=GROUP,
)
FERET_MIN = Measurement(
    "feret_min",
    "length",
    "Least distance of two parallel lines (planes) that hold all its pixel centres; 0 of a line "
    "(a sheet) one pixel thick, and up to one pixel too short of any other.",
    feret_min,
    group=GROUP,
)
ROUNDNESS = Measurement(
    "roundness",
    "none",
    "4A/πF² with the largest Feret diameter F between pixel centres: 1 of a disc. Of few pixels "
    "it exceeds 1; undefined (nan) of one.",
    roundness,
    dims=(2,),
    needs=("area", "feret_max"),
    group=GROUP,
)
ENCLOSING = Measurement(
    "enclosing_diameter",
    "length",
    "Diameter of the smallest disc (ball) around all its pixel centres.",
    enclosing,
    group=GROUP,
)
