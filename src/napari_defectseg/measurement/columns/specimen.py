"""Where in the specimen: how far from its free surface, open to it or closed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
GROUP = "specimen"
OPEN, CLOSED, CUT = "open", "closed", "cut"


def gaps(objects: Objects) -> Real:
    """Return the least distance from surface to surface; nan where there is no outside."""
    out = np.full(len(objects), np.nan)
    for rows, outside in _frames(objects):
        if outside.any():
            out[rows] = _gaps_in(objects, rows, outside)
    return out


def _frames(objects: Objects) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Yield rows and what is outside the specimen, frame by frame; nobody's pixels are inside."""
    pixels = objects.pixels
    assert pixels is not None
    codes, unlabelled = pixels.inputs.codes, pixels.source.unlabelled
    assert codes is not None
    for frame in np.unique(objects.frame):
        rows = np.flatnonzero(objects.frame == frame)
        at = pixels.frame_of(objects, int(rows[0]))
        outside = (codes if at is None else codes[at]) == 0
        if unlabelled is not None:
            outside &= ~(unlabelled if at is None else unlabelled[at])
        yield rows, outside


def _gaps_in(objects: Objects, rows: NDArray[np.int64], outside: NDArray[np.bool_]) -> Real:
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(
        ~outside, sampling=objects.steps, return_distances=False, return_indices=True
    )
    bodies, low = objects.bodies, objects.low
    found = np.zeros(rows.size)
    for k, row in enumerate(rows):
        places = np.nonzero(bodies.mask(int(row)))
        here = np.stack(places, axis=1) + low[row]
        there = nearest[(slice(None), *here.T)].T
        away = (here - there) * objects.steps
        distance, spans = np.linalg.norm(away, axis=1), np.linalg.norm(here - there, axis=1)
        found[k] = (distance * (1 - 1 / spans)).min()
    return found


def opening(objects: Objects) -> NDArray[np.str_]:
    """Return "open", "closed" or, where the image ends and nobody knows, "cut"."""
    out = np.full(len(objects), CLOSED, "<U6")
    if not len(objects):
        return out
    shape = np.array(objects.pixel_shape)
    at_edge = ((objects.low == 0) | (objects.high == shape - 1)).any(axis=1)
    out[at_edge] = CUT
    for rows, outside in _frames(objects):
        for row in rows:
            if _touches(objects, int(row), outside):
                out[row] = OPEN
    return out


def _touches(objects: Objects, row: int, outside: NDArray[np.bool_]) -> bool:
    """Return whether a pixel of the object shares a face with what is outside."""
    from scipy.ndimage import binary_dilation

    mask = objects.bodies.mask(row, margin=1)
    start = objects.low[row] - 1
    stop = objects.high[row] + 2
    inner = [
        slice(max(0, -int(a)), n - max(0, int(b) - size))
        for a, b, n, size in zip(start, stop, mask.shape, outside.shape, strict=True)
    ]
    box = tuple(
        slice(max(0, int(a)), min(int(b), size))
        for a, b, size in zip(start, stop, outside.shape, strict=True)
    )
    around = binary_dilation(mask)[tuple(inner)]
    return bool((around & outside[box]).any())


GAP = Measurement(
    "surface_gap",
    "length",
    "Least distance from its surface to the free surface of the specimen, which is where the "
    "region of interest ends or an exclusion begins: between pixel centres, less half a pixel of "
    "each. The edge of the image is no surface.",
    gaps,
    inputs=("specimen",),
    group=GROUP,
)
OPENING = Measurement(
    "opening",
    "none",
    "Whether it is open to the outside of the specimen (shares a face with what is outside the "
    "region of interest or excluded), closed, or cut by the edge of the image.",
    opening,
    inputs=("specimen",),
    group=GROUP,
)
