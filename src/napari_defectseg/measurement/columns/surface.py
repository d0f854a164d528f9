"""How much surface: Crofton's estimate, mean width, Euler number, and forms that follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
GROUP = "surface"


def outer(objects: Objects) -> Real:
    """Return Crofton's perimeter (2D) or surface area (3D)."""
    value: Real = objects.neighbourhoods.sums[:, 0]
    return value


def mean_width(objects: Objects) -> Real:
    """Return the mean distance of parallel tangent planes, over all directions."""
    value: Real = objects.neighbourhoods.sums[:, 1]
    return value


def euler(objects: Objects) -> NDArray[np.int64]:
    """Return objects minus tunnels plus cavities, of full neighbours (8, 26)."""
    return np.rint(objects.neighbourhoods.sums[:, 2]).astype(np.int64)


def euler_faces(objects: Objects) -> NDArray[np.int64]:
    """Return objects minus tunnels plus cavities, of face neighbours (4, 6)."""
    return np.rint(objects.neighbourhoods.sums[:, 3]).astype(np.int64)


def circularity(objects: Objects) -> Real:
    """Return 4πA/P²."""
    area, perimeter = objects.columns["area"], objects.columns["perimeter_crofton"]
    value: Real = 4 * np.pi * area / perimeter**2
    return value


def sphericity(objects: Objects) -> Real:
    """Return the surface of the ball of the same volume, over the surface."""
    volume, surface = objects.columns["area"], objects.columns["surface_area"]
    value: Real = np.pi ** (1 / 3) * (6 * volume) ** (2 / 3) / surface
    return value


PERIMETER = Measurement(
    "perimeter_crofton",
    "length",
    "Perimeter by Crofton's formula over four directions, weighted for the form of the pixel: "
    "π/2 times crossings per length of test lines. Equal to scikit-image's on square pixels.",
    outer,
    dims=(2,),
    group=GROUP,
)
SURFACE = Measurement(
    "surface_area",
    "square",
    "Surface area by Crofton's formula over 13 directions: 2 Σ w n v/|d|, n crossings along d, "
    "w its share of all directions (Ohser & Mücklich 2000). Balls within 1 % from a radius of "
    "5 voxels; planes of the lattice up to 7.4 % too small.",
    outer,
    dims=(3,),
    group=GROUP,
)
MEAN_WIDTH = Measurement(
    "mean_width",
    "length",
    "Mean distance of parallel tangent planes over all directions, from the Euler numbers of "
    "sections in 13 directions; the diameter of a ball.",
    mean_width,
    dims=(3,),
    group=GROUP,
)
MEAN_CURVATURE = Measurement(
    "mean_curvature",
    "length",
    "Integral of the mean curvature over the surface, 2π times the mean width; 4πr of a ball.",
    lambda objects: 2 * np.pi * objects.columns["mean_width"],
    dims=(3,),
    needs=("mean_width",),
    group=GROUP,
)
EULER = Measurement(
    "euler_number",
    "none",
    "Objects minus tunnels (holes) plus cavities; pixels that share a corner are joined.",
    euler,
    group=GROUP,
)
EULER_FACES = Measurement(
    "euler_number_faces",
    "none",
    "Objects minus tunnels (holes) plus cavities; only pixels that share a face are joined.",
    euler_faces,
    group=GROUP,
)
CIRCULARITY = Measurement(
    "circularity",
    "none",
    "4πA/P² with Crofton's perimeter P: 1 of a disc. Of few pixels it may exceed 1.",
    circularity,
    dims=(2,),
    needs=("area", "perimeter_crofton"),
    group=GROUP,
)
SPHERICITY = Measurement(
    "sphericity",
    "none",
    "π^⅓ (6V)^⅔/S with Crofton's surface area S (Wadell 1935): 1 of a ball. Of few voxels it "
    "may exceed 1.",
    sphericity,
    dims=(3,),
    needs=("area", "surface_area"),
    group=GROUP,
)
COMPACTNESS = Measurement(
    "compactness",
    "none",
    "36πV²/S³ with Crofton's surface area S: 1 of a ball; the cube of the sphericity.",
    lambda objects: objects.columns["sphericity"] ** 3,
    dims=(3,),
    needs=("sphericity",),
    group=GROUP,
)
