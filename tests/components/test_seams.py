"""Blocks that come one after the other: sizes, classes, edges, and small objects left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.components.label import label
from napari_defectseg.components.seams import BlockLabels
from napari_defectseg.core.errors import LabelError


def drawn(mask, block, connectivity=None, min_size=0):
    """Return numbers as blocks give them, and what is known of the objects."""
    labels = BlockLabels(mask.shape, block, connectivity=connectivity)
    for box in labels.boxes:
        labels.add(mask[box])
    found = labels.numbering(min_size=min_size)
    out = np.zeros(mask.shape, np.int32)
    for index, box in enumerate(labels.boxes):
        out[box] = labels.draw(index, mask[box], found.number)
    return out, found


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.data())
def test_sizes_classes_and_edges_are_those_of_the_whole(seed, ndim, data):
    """Whatever the blocks, each object is known as if the array had been labelled at once."""
    rng = np.random.default_rng(seed)
    shape = tuple(data.draw(st.integers(1, 9)) for _ in range(ndim))
    block = tuple(data.draw(st.integers(1, 5)) for _ in range(ndim))
    near = data.draw(st.integers(1, ndim))
    mask = (rng.integers(1, 3, shape) * (rng.random(shape) < 0.5)).astype(np.uint8)
    least = data.draw(st.integers(0, 4))
    out, found = drawn(mask, block, near, least)
    whole, count = label(mask, connectivity=near)
    sizes = np.bincount(whole.ravel(), minlength=count + 1)
    large = np.flatnonzero(sizes >= max(least, 1))[(0 if sizes[0] < max(least, 1) else 1) :]
    assert found.left_out == count - large.size
    assert found.sizes[1:].tolist() == sizes[large].tolist()
    for number, name in enumerate(large, start=1):
        where = whole == name
        np.testing.assert_array_equal(out == number, where)
        assert (mask[where] == found.values[number]).all()
        places = np.argwhere(where)
        ends = [(at == 0) | (at == n - 1) for at, n in zip(places.T, shape, strict=True) if n > 1]
        alone = shape[-2:].count(1) > 0
        assert found.cut[number] == (alone or bool(np.any(ends)))
    assert out.max(initial=0) == len(found)


def test_room_grows_with_the_objects():
    mask = np.zeros((128, 128), np.uint8)
    mask[::2, ::2] = 1
    out, found = drawn(mask, (32, 32))
    assert len(found) == 64 * 64
    np.testing.assert_array_equal(out, label(mask)[0])


def test_a_block_of_another_shape_is_refused():
    labels = BlockLabels((4, 4), (2, 2))
    with pytest.raises(LabelError, match=r"shape \(2, 2\) was expected"):
        labels.add(np.zeros((2, 3), np.uint8))
