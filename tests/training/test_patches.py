from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defectseg.core.classes import UNLABELLED
from napari_defectseg.core.errors import TrainingError
from napari_defectseg.training.augment import change_intensity, mirror_and_turn
from napari_defectseg.training.example import Example
from napari_defectseg.training.patches import PatchSampler
from napari_defectseg.training.plan import TrainingPlan, plan_of

SMALL = TrainingPlan(widths=(4, 8), patch=(16, 16), batch=2)


def example(shape: tuple[int, ...], *, square: bool = True) -> Example:
    rng = np.random.default_rng(1)
    target = (rng.random(shape) > 0.9).astype(np.uint8)
    # The picture shows its truth, so a test can see whether both were changed alike.
    return Example(target[np.newaxis].astype(np.float32), target, square)


@given(st.tuples(st.integers(5, 40), st.integers(5, 40)), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_patches_have_the_plan_s_size_whatever_the_image_s(
    shape: tuple[int, int], number: int
) -> None:
    image, target = PatchSampler([example(shape)], SMALL).patch(number)
    assert image.shape == (1, 16, 16)
    assert image.dtype == np.float32
    assert np.isfinite(image).all()
    assert target.shape == (16, 16)
    assert set(np.unique(target)) <= {0, 1, UNLABELLED}


def test_the_same_seed_gives_the_same_patches() -> None:
    one = PatchSampler([example((40, 40))], SMALL).batch(5)
    again = PatchSampler([example((40, 40))], SMALL).batch(5)
    other = PatchSampler([example((40, 40))], SMALL.with_changes(seed=1)).batch(5)
    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert not (one[0] == other[0]).all()


@pytest.mark.parametrize("dims", [2, 3])
def test_picture_and_truth_are_turned_alike(dims: int) -> None:
    plan = plan_of("unet" if dims == 2 else "unet3d")
    start = example((12,) * dims)
    rng = np.random.default_rng(0)
    for _ in range(20):
        image, target = mirror_and_turn(start.image, start.target, plan, rng, square=True)
        assert (image[0] == target).all()


def test_a_movie_is_mirrored_but_never_turned_over_nor_on_its_side() -> None:
    plan = plan_of("movie")
    target = np.zeros((8, 8), np.uint8)
    target[0] = 1
    rng = np.random.default_rng(0)
    for _ in range(20):
        _, turned = mirror_and_turn(target[np.newaxis], target, plan, rng, square=True)
        assert (turned[0] == 1).all()


def test_quarter_turns_are_left_out_where_pixels_are_not_square() -> None:
    target = np.zeros((8, 8), np.uint8)
    target[0] = 1
    rng = np.random.default_rng(0)
    for _ in range(20):
        _, turned = mirror_and_turn(target[np.newaxis], target, plan_of("unet"), rng, square=False)
        assert (turned.sum(axis=1) > 0).sum() == 1


def test_intensity_changes_keep_the_shape_and_flat_pictures() -> None:
    rng = np.random.default_rng(0)
    flat = np.zeros((1, 8, 8), np.float32)
    changed = change_intensity(flat, SMALL, rng)
    assert changed.shape == flat.shape
    assert np.isfinite(changed).all()


def test_objects_are_drawn_more_often_than_their_area() -> None:
    shape = (200, 200)
    target = np.zeros(shape, np.uint8)
    target[100:104, 100:104] = 1
    lonely = Example(target[np.newaxis].astype(np.float32), target)
    sampler = PatchSampler([lonely], SMALL)
    hits = sum((sampler.patch(n)[1] == 1).any() for n in range(60))
    assert hits > 25


def test_a_rare_class_is_met_as_often_as_a_common_one() -> None:
    target = np.zeros((200, 200), np.uint8)
    target[:, :100] = 1
    target[150:153, 190:193] = 2
    both = Example(target[np.newaxis].astype(np.float32), target)
    sampler = PatchSampler([both], SMALL.with_changes(foreground_share=1.0))
    hits = sum((sampler.patch(n)[1] == 2).any() for n in range(60))
    assert hits > 15


def test_nothing_to_train_on_gets_a_sentence() -> None:
    with pytest.raises(TrainingError, match="no images"):
        PatchSampler([], SMALL)
