from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.make import phantom
from napari_defectseg.phantoms.marks import DISTRACTOR, Mark, composed
from napari_defectseg.phantoms.optics import Camera
from napari_defectseg.phantoms.shapes import Ellipse
from napari_defectseg.phantoms.visibility import HINT, visible

GRID = Grid((80, 80), (1.0, 1.0))
CAMERA = Camera(blur=0.0, dose=100.0, spread=0.7)
FLOOR = 2.0


def spot(depth: float, value: int) -> Mark:
    shape = Ellipse((40.0, 40.0), 8.0, 8.0)
    window = (slice(0, 80), slice(0, 80))
    inside = shape.level(*GRID.points(window)) <= 0
    return Mark(shape, value, window, np.where(inside, 1 - depth, 1.0))


def clean(marks: object) -> np.ndarray:
    return composed(GRID, marks)[0]  # type: ignore[arg-type]


def kept(*marks: Mark, floor: float = FLOOR) -> list[Mark]:
    return visible(marks, GRID, clean, CAMERA, floor)


def test_noise_after_a_blur_is_that_of_poisson_counts() -> None:
    from scipy.ndimage import gaussian_filter

    counted = CAMERA.record(np.ones((400, 400)), np.random.default_rng(0))
    assert gaussian_filter(counted, 2.0).std() == pytest.approx(
        float(CAMERA.noise(np.ones(1), 2.0)[0]), rel=0.1
    )


def test_faint_defects_are_left_out_and_clear_ones_are_drawn() -> None:
    assert kept(spot(0.004, 3)) == []
    assert len(kept(spot(0.3, 3))) == 1
    assert len(kept(spot(0.004, 3), floor=0)) == 1


def test_distractors_stay_fainter_than_any_defect() -> None:
    (dimmed,) = kept(spot(0.3, DISTRACTOR))
    assert dimmed.factor.min() > 0.8
    assert kept(Mark(dimmed.shape, 3, dimmed.window, dimmed.factor)) == []
    assert 0 < HINT < 1


def test_a_defect_outside_of_the_picture_is_not_in_the_truth() -> None:
    assert kept(Mark(Ellipse((-90.0, 0.0), 3.0, 3.0), 3, None, np.ones((0, 0)))) == []


@pytest.mark.parametrize("scene", ["loops", "decorated", "damage", "voids", "mixed"])
def test_what_was_left_out_is_counted(scene: str) -> None:
    made = phantom("micrograph", seed=3, shape=(160, 160), scene=scene)
    assert sum(made.facts["drawn"].values()) == made.count
    assert (made.objects["pixels_whole"] > 0).all()
    everything = phantom("micrograph", seed=3, shape=(160, 160), scene=scene, visibility=0.0)
    assert not any(everything.facts["too_faint"].values())
    assert everything.count == made.count + sum(made.facts["too_faint"].values())


def test_an_empty_scene_has_a_busy_background_and_no_truth() -> None:
    made = phantom("micrograph", seed=5, shape=(128, 128), scene="empty")
    assert made.count == 0
    assert not made.mask.any()
    assert made.image.read().std() > 5
