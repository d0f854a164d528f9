"""Predictions of images of every kind, and tiles that leave no seam."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, make

from napari_defectseg.core.errors import Cancelled, ImageError
from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.inference.predict import predict, predict_steps
from napari_defectseg.inference.settings import PredictSettings

MODELS = {2: make(2), 3: make(3, (3, 4, 5))}


@given(
    shape=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    tile=st.integers(56, 120),
    seed=st.integers(0, 9),
)
@settings(max_examples=15, deadline=None)
def test_tiles_of_a_plane_give_what_the_whole_plane_gives(shape, tile, seed) -> None:
    image = image_of(shape, "yx", seed)
    whole = predict(MODELS[2], image)
    tiled = predict(MODELS[2], image, PredictSettings(tile=tile))
    assert whole.plan["tiles"] == 1
    np.testing.assert_allclose(tiled.scores, whole.scores, atol=1e-5)


@given(shape=st.tuples(*[st.integers(1, 66)] * 3), tile=st.integers(60, 64))
@settings(max_examples=5, deadline=None)
def test_tiles_of_a_volume_give_what_the_whole_volume_gives(shape, tile) -> None:
    image = image_of(shape, "zyx")
    whole = predict(MODELS[3], image)
    tiled = predict(MODELS[3], image, PredictSettings(tile=tile))
    np.testing.assert_allclose(tiled.scores, whole.scores, atol=1e-5)


@pytest.mark.parametrize(
    ("dims", "shape", "axes", "expected"),
    [
        (2, (20, 31), "yx", (3, 20, 31)),
        (2, (4, 20, 31), "zyx", (3, 4, 20, 31)),
        (2, (3, 2, 20, 31), "tzyx", (3, 3, 2, 20, 31)),
        (2, (20, 31, 3), "yxc", (3, 20, 31)),
        (2, (3, 20, 31), "cyx", (3, 20, 31)),
        (2, (20, 31), "xy", (3, 20, 31)),
        (3, (9, 20, 31), "zyx", (3, 9, 20, 31)),
        (3, (2, 9, 20, 31), "tzyx", (3, 2, 9, 20, 31)),
    ],
)
def test_scores_have_the_label_axes_of_the_image(dims, shape, axes, expected) -> None:
    found = predict(MODELS[dims], image_of(shape, axes))
    assert found.scores.shape == expected
    assert found.scores.dtype == np.float32
    assert found.axes == tuple(a for a in axes if a != "c")
    np.testing.assert_allclose(found.scores.sum(axis=0), 1, atol=1e-5)


def test_each_frame_and_slice_is_the_plane_by_itself() -> None:
    model = make(2, preprocessing=({"kind": "normalise", "scope": "slice"},))
    movie = image_of((2, 3, 17, 23), "tzyx")
    found = predict(model, movie)
    plane = CalibratedImage.from_array(movie.read(t=1, z=2))
    np.testing.assert_array_equal(found.scores[:, 1, 2], predict(model, plane).scores)


def test_swapped_axes_give_the_transposed_scores() -> None:
    image = image_of((20, 31), "yx")
    turned = CalibratedImage.from_array(image.read().T, axes="xy")
    found = predict(MODELS[2], turned).scores
    np.testing.assert_array_equal(found, predict(MODELS[2], image).scores.transpose(0, 2, 1))


def test_the_same_plan_gives_the_same_bits() -> None:
    image = image_of((90, 70), "yx")
    wanted = PredictSettings(tile=60, threads=1)
    first, second = (predict(MODELS[2], image, wanted) for _ in range(2))
    assert first.plan == second.plan
    np.testing.assert_array_equal(first.scores, second.scores)


def test_a_volume_model_refuses_a_plane_with_a_sentence() -> None:
    with pytest.raises(ImageError, match="needs a volume"):
        predict(MODELS[3], image_of((20, 31), "yx"))


def test_pixels_that_are_not_numbers_are_refused_with_their_place() -> None:
    data = np.random.default_rng(0).random((30, 40)).astype(np.float32)
    data[7, 9] = np.nan
    image = CalibratedImage.from_array(data, name="dark")
    with pytest.raises(ImageError, match=r"dark has 1 pixel without a finite value .*y 7, x 9"):
        predict(MODELS[2], image)
    found = predict(MODELS[2], image, PredictSettings(nan="mean"))
    assert np.isfinite(found.scores).all()
    assert "1 pixel without a finite value" in found.warnings[0]


def test_stopping_between_tiles() -> None:
    seen = []
    with pytest.raises(Cancelled, match="Stopped at 1 of"):
        predict(
            MODELS[2],
            image_of((120, 120), "yx"),
            PredictSettings(tile=60),
            on_step=seen.append,
            cancelled=lambda: seen[-1].done == 1,
        )


def test_parts_make_up_the_scores() -> None:
    steps = predict_steps(MODELS[2], image_of((90, 70), "yx"), PredictSettings(tile=60))
    gathered = np.full((3, 90, 70), np.nan, np.float32)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            found = end.value
            break
        if step.partial is not None:
            gathered[step.partial.where] = step.partial.scores
    np.testing.assert_array_equal(gathered, found.scores)
