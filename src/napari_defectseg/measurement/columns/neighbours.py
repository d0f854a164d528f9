"""How far to the next object, surface to surface."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.measurement.columns.measurement import Measurement
from napari_defectseg.measurement.gaps import nearest
from napari_defectseg.measurement.objects import Objects

Real = NDArray[np.float64]
GROUP = "neighbours"


def pairs(objects: Objects) -> tuple[Real, NDArray[np.int64]]:
    """Return gap and row of the nearest object in the same frame and plane; nan and -1: none."""
    gap, row = np.full(len(objects), np.nan), np.full(len(objects), -1, np.int64)
    groups = objects.frame * 256 + objects.plane
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        # By label, so that of two at the same distance the lower number is the one.
        rows = rows[np.argsort(objects.label[rows], kind="stable")]
        found, which = nearest(objects.bodies.select(rows))
        some = which >= 0
        gap[rows[some]], row[rows[some]] = found[some], rows[which[some]]
    return gap, row


def label(objects: Objects) -> NDArray[np.int64]:
    """Return the number of the nearest object, 0 where there is none."""
    row = objects.neighbours[1]
    return np.where(row >= 0, objects.label[row], 0) if len(objects) else row


def censored(objects: Objects) -> NDArray[np.bool_]:
    """Return which objects are nearer to the edge of the image than to a neighbour."""
    shape = np.array(objects.pixel_shape)
    edge = np.minimum(objects.low, shape - 1 - objects.high) * objects.steps
    gap = objects.columns["neighbour_gap"]
    nearer: NDArray[np.bool_] = ~(gap <= edge.min(axis=1)) if len(objects) else np.zeros(0, bool)
    return nearer


GAP = Measurement(
    "neighbour_gap",
    "length",
    "Least distance from its surface to that of another object of the same frame (of the same "
    "class where classes overlap): between pixel centres, less half a pixel of each. Undefined "
    "(nan) where there is no other.",
    lambda objects: objects.neighbours[0],
    local=False,
    group=GROUP,
)
LABEL = Measurement(
    "neighbour_label",
    "none",
    "Number of the object that is nearest, surface to surface; 0 where there is no other.",
    label,
    local=False,
    group=GROUP,
)
CENSORED = Measurement(
    "neighbour_censored",
    "none",
    "Whether the edge of the image is nearer than the nearest object: a nearer one may lie "
    "outside, and the gap is an upper limit.",
    censored,
    needs=("neighbour_gap",),
    local=False,
    group=GROUP,
)
