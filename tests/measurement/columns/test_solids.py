"""Solids with exact measures: on the mean over random places and turns, within what is stated."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.measurement.solids import cube, cylinder, ellipsoid, torus

from napari_defectseg.measurement.configurations import flat_tables, tables_of
from napari_defectseg.measurement.directions import shares_of_sphere
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings

SETTINGS = MeasureSettings(columns=("shape", "surface", "extent"))
STEP = 0.7


def measured(make: Callable[[np.random.Generator], np.ndarray], count: int, seed: int = 0):
    """Return the table of solids, each in a frame of its own; every column over its unit."""
    rng = np.random.default_rng(seed)
    masks = [make(rng) for _ in range(count)]
    labels = np.zeros((count, *masks[0].shape), np.int32)
    for number, (frame, mask) in enumerate(zip(labels, masks, strict=True), start=1):
        frame[mask] = number
    ndim = masks[0].ndim
    return measure_regions(labels, spacing=(STEP,) * ndim, unit="nm", settings=SETTINGS)


@pytest.mark.parametrize(("radius", "bias"), [(2, -4.9), (3, -1.6), (5, -0.7), (10, -0.15)])
def test_surface_of_a_ball(radius, bias):
    """Crofton's bias over placements in per cent, as stated; mean width and Euler number."""
    table = measured(lambda rng: ellipsoid((radius,) * 3, rng), 60)
    found = 100 * (table["surface_area"].mean() / (4 * np.pi * (radius * STEP) ** 2) - 1)
    assert found == pytest.approx(bias, abs=0.5 if radius < 4 else 0.3)
    width = table["mean_width"].mean() / (2 * radius * STEP)
    assert width == pytest.approx(1, abs=0.05 if radius < 4 else 0.01)
    assert set(table["euler_number"]) == {1}
    assert table["sphericity"].mean() == pytest.approx(1, abs=0.06 if radius < 4 else 0.01)
    np.testing.assert_allclose(table["compactness"], table["sphericity"] ** 3)
    np.testing.assert_allclose(table["mean_curvature"], 2 * np.pi * table["mean_width"])


@pytest.mark.parametrize(
    ("axes", "surface", "sphericity"),
    [
        ((1, 1, 2), 21.478435, 0.928739),
        ((2, 2, 1), 34.687531, 0.912872),
        ((3, 2, 1), 48.882146, 0.848842),
    ],
)
def test_surface_of_turned_ellipsoids(axes, surface, sphericity):
    times = 6 if max(axes) < 3 else 5
    table = measured(lambda rng: ellipsoid(tuple(times * a for a in axes), rng), 40)
    assert table["surface_area"].mean() == pytest.approx(surface * (times * STEP) ** 2, rel=0.015)
    assert table["sphericity"].mean() == pytest.approx(sphericity, rel=0.015)
    longest, middle, shortest = sorted(axes, reverse=True)
    assert table["flatness"].mean() == pytest.approx(middle / shortest, rel=0.02)
    assert table["elongation"].mean() == pytest.approx(longest / middle, rel=0.02)


def test_sphericity_of_cylinder_and_cube():
    """Sharp edges lose some surface on the grid: 3 to 4 % at this size."""
    rod = measured(lambda rng: cylinder(9, 18, rng), 25)["sphericity"].mean()
    assert rod == pytest.approx(0.873580, rel=0.03)
    block = measured(lambda rng: cube(16, rng), 25)["sphericity"].mean()
    assert block == pytest.approx(0.805996, rel=0.045)


def test_planes_of_the_lattice_are_known_to_come_out_too_small():
    """An aligned cube of edge 20 has 10 % less surface: no local estimate is right for all."""
    table = measured(lambda rng: cube(20, rng, np.eye(3)), 3)
    assert table["surface_area"][0] / (6 * (20 * STEP) ** 2) == pytest.approx(0.90, abs=0.01)


def test_torus():
    """R 14, r 5: V 6908.7231, S 2763.4892, χ 0, integral of mean curvature 276.3489."""
    table = measured(lambda rng: torus(14, 5, rng), 30)
    assert table["area"].mean() == pytest.approx(6908.7231 * STEP**3, rel=0.003)
    assert table["surface_area"].mean() == pytest.approx(2763.4892 * STEP**2, rel=0.015)
    assert table["mean_curvature"].mean() == pytest.approx(276.3489 * STEP, rel=0.015)
    assert set(table["euler_number"]) == {0}
    assert set(table["euler_number_faces"]) == {0}


def one(mask: np.ndarray) -> tuple[int, int]:
    table = measure_regions(mask.astype(np.int32), settings=SETTINGS)
    return int(table["euler_number"][0]), int(table["euler_number_faces"][0])


def test_euler_number_of_cavities_and_tunnels():
    """A cavity 2, one tunnel 0, two crossing tunnels -2."""
    ball = ellipsoid((9, 9, 9), np.random.default_rng(0))
    hollow = ball.copy()
    hollow[10:14, 10:14, 10:14] = False
    assert one(hollow) == (2, 2)
    block = np.ones((9, 9, 9), bool)
    block[4, 4, :] = False
    assert one(block) == (0, 0)
    block[4, :, 4] = False
    assert one(block) == (-2, -2)


def test_euler_number_of_two_that_share_a_corner():
    corner = np.zeros((4, 4, 4), bool)
    corner[1, 1, 1] = corner[2, 2, 2] = True
    assert one(corner) == (1, 2)
    assert one(np.eye(2, dtype=bool)) == (1, 2)


def test_the_smallest_objects():
    """Values of other programs for single pixels and small squares, where they are right."""
    voxel = measure_regions(np.ones((1, 1, 1), np.int32), settings=SETTINGS)
    assert voxel["surface_area"][0] == pytest.approx(3.00408, rel=1e-5)
    cubelet = measure_regions(np.ones((3, 3, 3), np.int32), settings=SETTINGS)
    assert cubelet["surface_area"][0] == pytest.approx(41.0702, rel=1e-5)
    assert cubelet["feret_max"][0] == pytest.approx(3.46410, rel=1e-5)
    pixel = measure_regions(np.ones((1, 1), np.int32), settings=SETTINGS)
    assert pixel["perimeter_crofton"][0] == pytest.approx(2.68152, rel=1e-5)
    assert pixel["feret_max"][0] == pixel["feret_min"][0] == pixel["enclosing_diameter"][0] == 0
    assert np.isnan(pixel["roundness"][0])
    square = measure_regions(np.ones((3, 3), np.int32), settings=SETTINGS)
    assert square["perimeter_crofton"][0] == pytest.approx(10.26599, rel=1e-5)
    assert square["feret_max"][0] == pytest.approx(2.82843, rel=1e-5)
    assert square["feret_min"][0] == 2
    pair = measure_regions(np.ones((1, 2), np.int32), settings=SETTINGS)
    assert (pair["feret_max"][0], pair["feret_min"][0]) == (1, 0)


def test_shares_of_directions_are_those_published():
    """Face 0.0915558, edge 0.0739613, corner 0.0703913 each; their sum is 1."""
    vectors = np.array([(1, 0, 0), (1, 1, 0), (1, 1, 1)])
    half = [v for v in np.ndindex(3, 3, 3) if tuple(np.subtract(v, 1)) > (0, 0, 0)]
    lines = np.subtract(half, 1)
    shares = shares_of_sphere(lines.astype(float))
    assert shares.sum() == pytest.approx(1)
    for vector, share in zip(vectors, (0.0915558, 0.0739613, 0.0703913), strict=True):
        same = np.abs(lines).sum(axis=1) == vector.sum()
        np.testing.assert_allclose(shares[same], share, rtol=1e-5)


@pytest.mark.parametrize("steps", [(1, 1, 1), (2.5, 1, 1), (1, 0.5, 2)])
def test_a_full_neighbourhood_adds_nothing(steps):
    """Inside there is no surface, no width and no topology; the same holds outside."""
    for tables in (tables_of(np.array(steps)), flat_tables(np.array(steps))):
        assert not tables[0].any()
    assert tables_of(np.array(steps))[255] == pytest.approx(0, abs=1e-12)
    assert flat_tables(np.array(steps))[0b00110011] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("steps", [(2, 1, 1), (1, 0.6, 0.8)])
def test_surface_and_width_on_oblong_voxels(steps):
    """A ball of radius 9, its voxels twice as deep as wide: the weights follow the voxel."""
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.arange(36)] * 3, indexing="ij"), axis=-1)
    labels = np.zeros((20, 36, 36, 36), np.int32)
    for frame in labels:
        at = (grid - (18 + rng.uniform(-0.5, 0.5, 3))) * steps
        frame[(at**2).sum(axis=-1) <= 81] = 1
    table = measure_regions(labels, spacing=steps, unit="nm", settings=SETTINGS)
    assert table["surface_area"].mean() == pytest.approx(4 * np.pi * 81, rel=0.015)
    assert table["mean_width"].mean() == pytest.approx(18, rel=0.015)
    assert table["enclosing_diameter"].mean() == pytest.approx(18, rel=0.02)


def test_perimeter_on_oblong_pixels():
    rng = np.random.default_rng(4)
    rows, columns = np.mgrid[:30, :60]
    labels = np.zeros((60, 30, 60), np.int32)
    for frame in labels:
        y, x = (rows - 15 - rng.uniform()) * 1.0, (columns - 30 - rng.uniform()) * 0.5
        frame[y**2 + x**2 <= 100] = 1
    table = measure_regions(labels, spacing=(1.0, 0.5), unit="nm", settings=SETTINGS)
    assert table["perimeter_crofton"].mean() == pytest.approx(2 * np.pi * 10, rel=0.01)
    assert table["circularity"].mean() == pytest.approx(1, abs=0.02)
