"""Objects on the disk, found block by block, are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.core.calibration import Calibration
from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.progress import drive
from napari_defectseg.labels.decode import DecodeSettings, decode
from napari_defectseg.labels.stored import Places, StoredLabels, find_stored_steps


def scores_of(task, axes, seed, density):
    rng = np.random.default_rng(seed)
    shape = {"t": 3, "z": 5, "y": 9, "x": 11}
    sides = tuple(shape[name] for name in axes)
    channels = {"exclusive": 3, "binary": 1, "multilabel": 2}[task]
    return (rng.random((channels, *sides)) ** (1 / (2 * density))).astype(np.float32)


def stored(scores, task, classes, axes, decoding, memory) -> StoredLabels:
    """Find the objects of the class values that `decode` starts from."""
    plain = DecodeSettings(thresholds=decoding.thresholds)
    from napari_defectseg.labels.decode import class_values

    values = class_values(scores, classes, task, plain)
    front = ("c", *axes) if task == "multilabel" else axes
    order = tuple(name for name in ("t", "c", "z", "y", "x") if name in front)
    shape = tuple(values.shape[front.index(name)] for name in order)
    places = Places(values, np.full(shape, -1, np.int32), np.full(shape, 9, np.uint8), order)
    return drive(
        find_stored_steps(
            places,
            classes,
            axes,
            Calibration.uncalibrated(len(axes) - ("t" in axes)),
            decoding,
            memory=memory,
        )
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    task=st.sampled_from(["exclusive", "binary", "multilabel"]),
    axes=st.sampled_from([("y", "x"), ("z", "y", "x"), ("t", "y", "x"), ("t", "z", "y", "x")]),
    least=st.sampled_from([0, 3]),
    holes=st.booleans(),
    near=st.sampled_from([None, 1, 2]),
    memory=st.sampled_from([16, 16 * 40, 1 << 20]),
)
def test_objects_and_mask_are_those_of_the_whole(seed, task, axes, least, holes, near, memory):
    """Number by number, whatever the task, the axes, the blocks and the settings."""
    names = ["void"] if task == "binary" else ["void", "loop"]
    classes = ClassMap.of(names, exclusive=task != "multilabel")
    scores = scores_of(task, axes, seed, 0.5)
    decoding = DecodeSettings({}, least, holes, near)
    calibration = Calibration.uncalibrated(len(axes) - ("t" in axes))
    whole = decode(scores, classes, axes, calibration, task=task, settings=decoding)
    found = stored(scores, task, classes, axes, decoding, memory)
    for plane, wanted in zip(found.planes, whole.planes, strict=True):
        np.testing.assert_array_equal(plane[...], wanted)
    np.testing.assert_array_equal(found.class_mask()[...], whole.class_mask())
    table = dict(enumerate(found.class_of.tolist()))
    del table[0]
    assert table == whole.object_classes
    assert found.left_out == whole.left_out
    assert found.counts() == whole.counts()
    filled = np.stack([plane > 0 for plane in whole.planes]).any(axis=0).sum(axis=(-2, -1))
    if filled.ndim and filled.any():
        assert found.fullest == np.unravel_index(int(filled.argmax()), filled.shape)


def test_a_ring_through_four_blocks_is_filled():
    classes = ClassMap.of(["void"])
    scores = np.zeros((1, 8, 8), np.float32)
    scores[0, 1:7, 1:7] = 1
    scores[0, 3:5, 3:5] = 0
    decoding = DecodeSettings(fill_holes=True)
    found = stored(scores, "binary", classes, ("y", "x"), decoding, 16 * 16)
    assert np.count_nonzero(found.planes[0][...]) == 36
    assert len(found) == 1


@pytest.mark.parametrize("axes", [("y", "x"), ("z", "y", "x")])
def test_nothing_is_found_where_nothing_is(axes):
    scores = np.zeros((1, *(4 for _ in axes)), np.float32)
    found = stored(scores, "binary", ClassMap.of(["void"]), axes, DecodeSettings(), 64)
    assert len(found) == 0
    assert not np.any(found.class_mask()[...])
    assert len(found.fullest) == len(axes) - 2
