"""Neighbouring slices as channels: which, in which order, and what stands at the ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, kernel_model, make

from napari_defectseg.core.errors import ImageError, ModelError
from napari_defectseg.inference.channels import ChannelPlan
from napari_defectseg.inference.layout import Layout
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.settings import spoken, with_settings

SETTINGS = PredictSettings(device="cpu", threads=1)


@given(
    axes=st.permutations("tczyx").map("".join),
    slices=st.sampled_from([1, 3, 5, 7]),
    depth=st.integers(1, 5),
    z=st.integers(0, 4),
)
@settings(max_examples=30, deadline=None)
def test_channels_are_the_slices_around_and_the_ends_are_repeated(
    axes: str, slices: int, depth: int, z: int
) -> None:
    lengths = {"t": 2, "c": 2, "z": depth, "y": 4, "x": 5}
    image = image_of(tuple(lengths[name] for name in axes), axes)
    layout = Layout.of(image, 2, ChannelPlan("same", 2), slices)
    z = min(z, depth - 1)
    index = tuple({"t": 1, "z": z}[name] for name in layout.through)
    found = layout.read(index, (slice(1, 3), slice(0, 5)))
    assert found.shape == (2 * slices, 2, 5)
    order = ["czyx".index(name) for name in axes if name != "t"]
    volume = np.moveaxis(image.read(t=1), range(4), order)
    for place in range(slices):
        near = min(max(z + place - slices // 2, 0), depth - 1)
        np.testing.assert_array_equal(found[2 * place : 2 * place + 2], volume[:, near, 1:3])


def test_a_network_of_three_slices_sees_what_lies_above_and_below() -> None:
    """The score of a pixel is that of the slice below minus the slice above."""
    kernel = np.zeros((3, 3, 3))
    kernel[0, 1, 1], kernel[2, 1, 1] = -1, 1
    model = kernel_model(kernel, slices=3)
    image = image_of((6, 12, 10), "zyx")
    data = image.read().astype(np.float64) / 255
    padded = np.concatenate([data[:1], data, data[-1:]])
    wanted = 1 / (1 + np.exp(-4 * (padded[2:] - padded[:-2])))
    found = predict(model, image, SETTINGS)
    np.testing.assert_allclose(found.scores[0], wanted, atol=2e-6)
    assert found.plan["slices"] == 3
    assert found.warnings == ()


def test_tiles_of_a_slice_and_its_neighbours_leave_no_seam() -> None:
    model = make(2, in_channels=5, slices=5)
    image = image_of((4, 90, 70), "zyx")
    whole = predict(model, image, SETTINGS).scores
    tiled = predict(model, image, PredictSettings(device="cpu", threads=1, tile=64)).scores
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_a_plane_alone_stands_in_for_its_neighbours_and_that_is_said() -> None:
    kernel = np.zeros((3, 3, 3))
    kernel[:, 1, 1] = 1 / 3
    model = kernel_model(kernel, slices=3)
    image = image_of((9, 9), "yx")
    found = predict(model, image, SETTINGS)
    wanted = 1 / (1 + np.exp(-4 * image.read().astype(np.float64) / 255))
    np.testing.assert_allclose(found.scores[0], wanted, atol=2e-6)
    assert "each plane stands in for its neighbours" in " ".join(found.warnings)


def test_colours_of_a_stack_become_grey_slice_by_slice() -> None:
    model = make(2, (4,), in_channels=3, slices=3)
    found = predict(model, image_of((4, 12, 12, 3), "zyxc"), SETTINGS)
    assert found.scores.shape[1:] == (4, 12, 12)
    assert "turned into grey" in " ".join(found.warnings)
    with pytest.raises(ImageError, match="2 channels; this model needs 1"):
        predict(model, image_of((4, 2, 12, 12), "zcyx"), SETTINGS)


def test_neighbours_lie_along_the_axis_that_is_gone_through() -> None:
    """Across three axes the neighbours are those across that axis."""
    kernel = np.zeros((3, 3, 3))
    kernel[2, 1, 1] = 1
    model = kernel_model(kernel, slices=3)
    data = image_of((7, 8, 9), "zyx")
    found = predict(model, data, PredictSettings(volume="three-axes")).scores[0]
    grey = data.read().astype(np.float64) / 255
    each = []
    for axis in range(3):
        last = np.take(grey, [-1], axis)
        after = np.concatenate([np.take(grey, range(1, grey.shape[axis]), axis), last], axis)
        each.append(1 / (1 + np.exp(-4 * after)))
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=2e-6)


def test_the_card_refuses_slices_that_make_no_sense_and_a_person_can_state_them() -> None:
    with pytest.raises(ModelError, match="with the slice in the middle it is odd"):
        make(2, (2,), in_channels=4, slices=2)
    with pytest.raises(ModelError, match="4 channels are not those of 3 slices"):
        make(2, (2,), in_channels=4, slices=3)
    with pytest.raises(ModelError, match="this one sees volumes"):
        make(3, (2,), in_channels=3, slices=3)
    card = make(2, (2,), in_channels=3).card
    stated = with_settings(card, {"slices": "3", "symmetries": "flip_y, flip_x"})
    assert (stated.slices, stated.symmetries) == (3, ("flip_y", "flip_x"))
    assert with_settings(card, spoken(stated)).slices == 3
    assert with_settings(stated, {"symmetries": "none"}).symmetries == ()
    with pytest.raises(ModelError, match=r"slices='three' cannot be read.*like 3"):
        with_settings(card, {"slices": "three"})
