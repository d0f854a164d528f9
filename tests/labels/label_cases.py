"""Small label maps for the tests of this room."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.labels.construct import from_mask
from napari_defectseg.labels.labelmap import LabelMap

AXES = {"yx": (11, 13), "zyx": (5, 7, 8), "tyx": (3, 8, 9), "tzyx": (2, 3, 6, 5)}


def calibration_of(axes: str) -> Calibration:
    return Calibration.of((2.0, 1.0, 1.0)[-sum(name in "zyx" for name in axes) :], "nm")


def map_of(mask, axes="yx", *, exclusive=True, names=("void", "precipitate", "loop")) -> LabelMap:
    classes = ClassMap.of(names, exclusive=exclusive)
    return from_mask(np.asarray(mask, np.uint8), classes, tuple(axes), calibration_of(axes))


def disc(shape, centre, radius) -> np.ndarray:
    grids = np.ogrid[tuple(slice(0, n) for n in shape)]
    return sum((grid - c) ** 2 for grid, c in zip(grids, centre, strict=True)) <= radius**2


def state(labelmap: LabelMap):
    return (
        [plane.tobytes() for plane in labelmap.planes],
        dict(labelmap.object_classes),
        set(labelmap.checked),
    )


def check_whole(labelmap: LabelMap) -> None:
    """Table, planes and index say the same."""
    drawn = set()
    for place, plane in enumerate(labelmap.planes):
        numbers, counts = np.unique(plane, return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            if number:
                assert labelmap.plane_of(labelmap.object_classes[number]) == place
                assert labelmap.index.size(number) == count
                box = labelmap.index.box(number)
                assert np.count_nonzero(plane[box] == number) == count
                drawn.add(number)
    assert drawn == set(labelmap.object_classes)
    assert labelmap.checked <= drawn
    if "t" in labelmap.axes:
        for plane in labelmap.planes:
            frames = [set(np.unique(frame).tolist()) - {0} for frame in plane]
            assert sum(map(len, frames)) == len(set().union(*frames))


@st.composite
def label_maps(draw) -> LabelMap:
    axes = draw(st.sampled_from(sorted(AXES)))
    exclusive = draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = AXES[axes]
    filled = draw(st.sampled_from((0.15, 0.4, 0.7)))
    if exclusive:
        mask = rng.integers(1, 3, shape) * (rng.random(shape) < filled)
    else:
        mask = rng.random((3, *shape)) < filled
    found = map_of(mask, axes, exclusive=exclusive)
    found.checked = {n for n in found.object_classes if rng.random() < 0.3}
    return found
