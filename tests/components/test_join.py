"""Labelled block by block and joined is labelled at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defectseg.components.join import label_blocks, label_blocks_steps
from napari_defectseg.components.label import label
from napari_defectseg.core.boxes import cut
from napari_defectseg.core.errors import LabelError


@st.composite
def cases(draw):
    ndim = draw(st.sampled_from([2, 3]))
    shape = draw(hnp.array_shapes(min_dims=ndim, max_dims=ndim, min_side=1, max_side=10))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = draw(st.sampled_from([1, 3]))
    mask = rng.integers(1, values + 1, shape) * (rng.random(shape) < draw(st.floats(0.1, 0.9)))
    block = tuple(draw(st.integers(1, 6)) for _ in shape)
    return mask.astype(np.uint8), block, draw(st.integers(1, ndim))


@settings(max_examples=300, deadline=None)
@given(cases())
def test_blocks_joined_are_the_whole_number_by_number(case):
    mask, block, connectivity = case
    whole, count = label(mask, connectivity=connectivity)
    out = np.full(mask.shape, -7, np.int32)
    assert label_blocks(mask, out, block, connectivity=connectivity) == count
    np.testing.assert_array_equal(out, whole)


def test_a_spiral_through_every_block_is_one_object():
    mask = np.zeros((32, 32), bool)
    mask[1::4, :] = True
    mask[:, 0] = mask[:, 31] = True
    mask[3::8, 1:31] = False
    out = np.zeros(mask.shape, np.int32)
    assert label_blocks(mask, out, (5, 7)) == label(mask)[1] == 1


def test_a_store_on_disk_is_labelled_chunk_by_chunk(tmp_path):
    zarr = pytest.importorskip("zarr")
    mask = np.random.default_rng(0).random((20, 30, 40)) < 0.3
    options = {"shape": mask.shape, "chunks": (8, 8, 8)}
    stored = zarr.create_array(tmp_path / "mask.zarr", dtype="bool", **options)
    stored[...] = mask
    out = zarr.create_array(tmp_path / "labels.zarr", dtype="int32", **options)
    assert label_blocks(stored, out, (8, 16, 16)) == label(mask)[1]
    np.testing.assert_array_equal(out[...], label(mask)[0])


def test_steps_count_up_to_the_end():
    mask = np.ones((6, 6), bool)
    steps = list(label_blocks_steps(mask, np.zeros((6, 6), np.int32), (3, 4)))
    assert [step.done for step in steps] == list(range(steps[0].total))


def test_blocks_fill_the_array_once():
    seen = np.zeros((7, 9), int)
    for box in cut(seen.shape, (3, 4)):
        seen[box] += 1
    assert np.all(seen == 1)


def test_what_does_not_fit_is_said():
    mask = np.zeros((4, 4), bool)
    with pytest.raises(LabelError, match="int32 array of shape"):
        label_blocks(mask, np.zeros((4, 4), np.int64), (2, 2))
    with pytest.raises(LabelError, match="do not fit a mask"):
        label_blocks(mask, np.zeros((4, 4), np.int32), (2, 0))
    with pytest.raises(LabelError, match="connectivity of 3"):
        label_blocks(mask, np.zeros((4, 4), np.int32), (2, 2), connectivity=3)
