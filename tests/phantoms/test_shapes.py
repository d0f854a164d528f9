from __future__ import annotations

import numpy as np
import pytest
from skimage.measure import regionprops

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.phantoms import draw
from napari_defectseg.phantoms.grid import Grid
from napari_defectseg.phantoms.keyhole import Keyhole
from napari_defectseg.phantoms.shapes import Ellipse, Shape
from napari_defectseg.phantoms.solids import Solid, random_rotation
from napari_defectseg.phantoms.strokes import Stroke
from napari_defectseg.phantoms.truth import Truth

ONE = ClassMap.of(["one"])


def drawn(shape: Shape, grid: Grid) -> np.ndarray:
    truth = Truth(grid, ONE, (1,))
    truth.add(shape, 1)
    return truth.exclusive()[0]


def disc(rng: np.random.Generator, r: float) -> Ellipse:
    y, x = rng.uniform(25, 35, 2)
    return Ellipse((y, x), r, r, rng.uniform(0, np.pi))


@pytest.mark.parametrize(("r", "scatter"), [(3, 0.044), (5, 0.017), (10, 0.0065)])
def test_drawn_area_of_discs_is_unbiased_with_the_known_scatter(r: float, scatter: float) -> None:
    rng = np.random.default_rng(0)
    grid = Grid((60, 60), (1.0, 1.0))
    shapes = [disc(rng, r) for _ in range(300)]
    ratio = np.array([drawn(s, grid).sum() / s.measure for s in shapes])
    assert abs(ratio.mean() - 1) < 4 * scatter / np.sqrt(300)
    assert ratio.std() < 1.3 * scatter


def test_drawn_volume_of_balls_is_unbiased_with_the_known_scatter() -> None:
    rng = np.random.default_rng(1)
    grid = Grid((24, 24, 24), (1.0, 1.0, 1.0))
    ratio = []
    for _ in range(200):
        ball = Solid(tuple(rng.uniform(10, 14, 3)), (5.0, 5.0, 5.0), random_rotation(rng))
        ratio.append(drawn(ball, grid).sum() / ball.measure)
    # Counting the cubic lattice in balls of radius 5 at 3000 random places gives 1.04 %.
    assert abs(np.mean(ratio) - 1) < 4 * 0.0104 / np.sqrt(200)
    assert np.std(ratio) < 1.2 * 0.0104


def flat_shape(kind: str, rng: np.random.Generator) -> Shape:
    at = tuple(map(float, rng.uniform(70, 80, 2)))
    if kind == "ellipse":
        return Ellipse(at, 40.0, 22.0, rng.uniform(0, np.pi))
    if kind == "blob":
        return draw.blob(at, 30.0, rng, roughness=0.5, stretch=1.6)
    if kind == "keyhole":
        return Keyhole((40.3, 80.0), 75.4, 13.0, int(rng.choice([-1, 1])), 0.3, 0.2)
    return Stroke(tuple(draw.curve(at, 0.4, 45, 5, 0.05, rng)), 11.0)


@pytest.mark.parametrize("kind", ["ellipse", "blob", "keyhole", "stroke"])
@pytest.mark.parametrize("spacing", [1.0, 0.37])
def test_areas_centroids_and_axes_are_those_of_the_drawn_shape(kind: str, spacing: float) -> None:
    grid = Grid(tuple(int(150 / spacing) for _ in range(2)), (spacing, spacing))
    for seed in range(5):
        shape = flat_shape(kind, np.random.default_rng(seed))
        mask = drawn(shape, grid)
        (props,) = regionprops(mask, spacing=(spacing, spacing))
        assert props.area == pytest.approx(shape.measure, rel=0.02)
        if kind == "stroke":
            continue
        assert props.centroid == pytest.approx(shape.centre, abs=0.25)
        assert props.axis_major_length == pytest.approx(shape.axes[0], rel=0.02)
        assert props.axis_minor_length == pytest.approx(shape.axes[1], rel=0.03)
        turn = (props.orientation - shape.orientation + np.pi / 2) % np.pi - np.pi / 2
        assert abs(turn) < 0.05


@pytest.mark.parametrize("rough", [False, True])
def test_rough_solids_have_the_volume_and_axes_of_their_drawing(rough: bool) -> None:
    rng = np.random.default_rng(4)
    grid = Grid((70, 100, 100), (1.5, 1.0, 1.0))
    waves = ((3.0, 1.0, -2.0, 0.1, 0.3), (-1.0, 4.0, 1.0, 0.07, 2.0)) if rough else ()
    solid = Solid((52.3, 49.6, 50.2), (30.0, 24.0, 17.0), random_rotation(rng), waves)
    mask = drawn(solid, grid)
    (props,) = regionprops(mask, spacing=grid.spacing)
    assert props.area == pytest.approx(solid.measure, rel=0.01)
    assert props.centroid == pytest.approx(solid.centre, abs=0.2)
    assert props.axis_major_length == pytest.approx(solid.axes[0], rel=0.02)


def test_level_is_a_distance_near_the_outline() -> None:
    y, x = np.mgrid[:120, :120].astype(float)
    shape = Ellipse((60.2, 59.7), 40, 25, 0.6)
    level = shape.level(y, x)
    from scipy.ndimage import distance_transform_edt

    inside = level <= 0
    distance = np.where(inside, -distance_transform_edt(inside), distance_transform_edt(~inside))
    near = abs(level) < 4
    assert abs(level - distance)[near].max() < 1.2


def test_overlap_goes_to_the_class_on_top_and_then_to_the_later_object() -> None:
    classes = ClassMap.of(["above", "below"])
    truth = Truth(Grid((40, 40), (1.0, 1.0)), classes, (1, 2))
    truth.add(Ellipse((20, 14), 8, 8), 1)
    truth.add(Ellipse((20, 20), 8, 8), 1)
    truth.add(Ellipse((20, 30), 8, 8), 2)
    mask, instances, table = truth.resolve()
    assert instances[20, 17] == 2
    assert instances[20, 25] == 2
    assert mask[20, 25] == 1
    assert table["hidden"].tolist() == [True, False, True]
    assert (table["pixels"] < table["pixels_whole"]).tolist() == [True, False, True]


def test_objects_cut_by_the_border_are_marked_and_keep_their_size() -> None:
    truth = Truth(Grid((40, 40), (2.0, 2.0)), ONE, (1,))
    truth.add(Ellipse((-1.0, 40.0), 8, 8), 1)
    truth.add(Ellipse((40.0, 40.0), 8, 8), 1)
    table = truth.resolve()[2]
    assert table["cut_by_border"].tolist() == [True, False]
    assert table["area"] == pytest.approx([np.pi * 64] * 2)
    assert not table["hidden"].any()
