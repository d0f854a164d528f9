"""Objects as runs and objects as an array are the same objects."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.components.label import label
from napari_defectseg.measurement.collect import cut_into_slabs
from napari_defectseg.measurement.masks import label_mask
from napari_defectseg.measurement.plane import ArrayPlane

SHAPES = {"yx": (9, 11), "zyx": (4, 6, 7), "tyx": (3, 6, 7), "tzyx": (2, 3, 5, 6)}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SHAPES)), st.integers(0, 2**32 - 1))
def test_slabs_of_a_mask_are_slabs_of_its_labels(axes, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(SHAPES[axes]) < rng.choice([0.1, 0.5, 0.9])
    plane = label_mask(mask, tuple(axes), None, None).plane
    array = ArrayPlane(plane.array)
    assert np.array_equal(plane.array > 0, mask)
    assert plane.shape == array.shape
    moving = axes[0] == "t"
    spatial = mask.shape[1:] if moving else mask.shape
    cut = int(rng.integers(spatial[0]))
    for frame in range(mask.shape[0]) if moving else (None,):
        for side in (slice(0, cut), slice(cut, spatial[0])):
            slab = (side, *(slice(0, n) for n in spatial[1:]))
            one, other = plane.runs(frame, slab), array.runs(frame, slab)
            assert one.shape == other.shape or side.start == side.stop
            for name in ("first", "start", "stop", "value"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_frames_share_no_numbers():
    mask = np.zeros((2, 4, 4), bool)
    mask[:, 1:3, 1:3] = True
    plane = label_mask(mask, ("t", "y", "x"), None, None).plane
    assert np.unique(plane.array).tolist() == [0, 1, 2]
    assert np.array_equal(plane.array[0], label(mask[0])[0])


def test_slabs_fill_a_frame_in_scan_order():
    box = (slice(2, 2000), slice(0, 3000))
    sides = [slab[0] for slab in cut_into_slabs(box)]
    assert sides[0].start == 2
    assert sides[-1].stop == 2000
    assert all(one.stop == other.start for one, other in pairwise(sides))
