"""How much surface, seen in the grey values instead of in the pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement import moments
from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.greysurfaces import MARGIN, grey_surface
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
GROUP = "grey"


def surfaces(objects: Objects) -> Real:
    """Return each object's perimeter (2D) or surface area (3D) from grey values."""
    return np.array([_surface(objects, row) for row in range(len(objects))], np.float64)


def _surface(objects: Objects, row: int) -> float:
    pixels = objects.pixels
    assert pixels is not None
    mask = objects.bodies.mask(row, margin=MARGIN)
    low = objects.low[row] - MARGIN
    bounds = objects.pixel_shape
    begin = [max(0, int(a)) for a in low]
    end = [min(int(a) + n, size) for a, n, size in zip(low, mask.shape, bounds, strict=True)]
    box = tuple(slice(a, b) for a, b in zip(begin, end, strict=True))
    inner = tuple(
        slice(a - int(start), b - int(start)) for a, b, start in zip(begin, end, low, strict=True)
    )
    frame = pixels.frame_of(objects, row)
    labels = pixels.labels(int(objects.plane[row]), frame, box)
    free, grey = np.zeros(mask.shape, bool), np.zeros(mask.shape)
    free[inner] = (labels == 0) | (labels == objects.whole[row, moments.LABEL])
    grey[inner] = pixels.grey(frame, box)
    return grey_surface(mask, grey, free, objects.steps)


SURFACE = Measurement(
    "surface_area_grey",
    "square",
    "Surface area between voxels, by marching cubes of the grey values at the mean value of the "
    "object's edge. Undefined (nan) where the step at the edge is below two standard deviations "
    "of the grey values around it.",
    surfaces,
    dims=(3,),
    inputs=("image",),
    local=False,
    group=GROUP,
)
PERIMETER = Measurement(
    "perimeter_grey",
    "length",
    "Perimeter between pixels, by marching squares of the grey values at the mean value of the "
    "object's edge. Undefined (nan) where the step at the edge is below two standard deviations "
    "of the grey values around it.",
    surfaces,
    dims=(2,),
    inputs=("image",),
    local=False,
    group=GROUP,
)
