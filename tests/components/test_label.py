"""Labels by runs are the same objects as scikit-image finds."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.measure
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defectseg.components.label import classes_of, label
from napari_defectseg.core.errors import LabelError


def same_partition(one: np.ndarray, other: np.ndarray) -> bool:
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return len(np.unique(pairs[0])) == pairs.shape[1] == len(np.unique(pairs[1]))


@st.composite
def masks(draw):
    ndim = draw(st.sampled_from([2, 3]))
    shape = draw(hnp.array_shapes(min_dims=ndim, max_dims=ndim, min_side=1, max_side=9))
    values = draw(st.sampled_from([1, 3]))
    return draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, values))), draw(
        st.integers(1, ndim)
    )


@settings(max_examples=150, deadline=None)
@given(masks())
def test_same_objects_and_numbers_as_scikit_image(case):
    mask, connectivity = case
    labels, count = label(mask, connectivity=connectivity)
    truth = skimage.measure.label(mask, connectivity=connectivity, background=0)
    assert labels.dtype == np.int32
    assert count == truth.max()
    assert same_partition(labels, truth)
    first = np.unique(labels, return_index=True)
    order = first[1][first[0] > 0]
    assert np.all(np.diff(order) > 0), "numbers follow the first pixels"


@settings(max_examples=50, deadline=None)
@given(masks())
def test_class_of_every_object_is_the_mask_under_it(case):
    mask, connectivity = case
    labels, count = label(mask, connectivity=connectivity)
    assert np.array_equal(classes_of(labels, mask, count)[labels], mask)


def test_neighbouring_classes_stay_apart():
    labels, count = label(np.array([[1, 1, 2], [2, 2, 1]], np.uint8))
    assert count == 2
    assert labels.tolist() == [[1, 1, 2], [2, 2, 1]]


def test_all_neighbours_are_the_default():
    assert label(np.eye(4, dtype=bool))[1] == 1
    assert label(np.eye(4, dtype=bool), connectivity=1)[1] == 4


def test_written_into_the_array_given():
    out = np.full((3, 4), 9, np.int32)
    labels, count = label(np.zeros((3, 4), bool), out=out)
    assert labels is out
    assert count == 0
    assert not out.any()


def test_more_runs_than_there_was_room_for_at_first():
    mask = np.zeros((200, 200), bool)
    mask[::2, ::2] = True
    assert label(mask)[1] == 10_000


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (2, 0, 3), (1, 1, 0)])
def test_nothing_at_all_has_no_objects(shape):
    labels, count = label(np.zeros(shape, bool))
    assert count == 0
    assert labels.shape == shape


def test_masks_that_are_not_contiguous():
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4, 3:7] = 1
    labels, count = label(mask.T[::-1])
    assert count == 1
    assert np.array_equal(labels > 0, mask.T[::-1] > 0)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (np.zeros((2, 2, 2, 2), bool), "two or three axes"),
        (np.full((2, 2), 0.5), "class values from 0 to 255"),
        (np.full((2, 2), 300), "class values from 0 to 255"),
    ],
)
def test_what_is_no_mask_is_said(mask, words):
    with pytest.raises(LabelError, match=words):
        label(mask)


def test_connectivity_and_out_are_checked():
    mask = np.zeros((3, 3), bool)
    with pytest.raises(LabelError, match="connectivity of 3"):
        label(mask, connectivity=3)
    with pytest.raises(LabelError, match="contiguous int32"):
        label(mask, out=np.zeros((3, 3), np.int64))  # type: ignore[arg-type]
