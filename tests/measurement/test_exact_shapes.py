"""Shapes whose size is known: without bias over random placements, with the scatter expected.

At least 200 placements with centres between pixels and random directions: a shape on the grid
with a whole radius is off by several per cent. A pixel belongs to a shape if its centre does.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from napari_defectseg.measurement.populations import summarise
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings

PLACEMENTS = 240
STEPS = {2: (0.7, 0.7), 3: (0.7, 0.7, 0.7)}


def placed(axes: tuple[float, ...], seed: int = 0, *, turned: bool = True):
    """Return the table of ellipsoids with these semi-axes (px), each somewhere, one a frame."""
    rng = np.random.default_rng(seed)
    ndim = len(axes)
    side = 2 * int(np.ceil(max(axes))) + 4
    grid = np.stack(np.meshgrid(*[np.arange(side)] * ndim, indexing="ij"), axis=-1)
    labels = np.zeros((PLACEMENTS, *[side] * ndim), np.int32)
    for number, frame in enumerate(labels, start=1):
        from_centre = grid - (side / 2 + rng.uniform(-0.5, 0.5, ndim))
        if turned:
            from_centre = from_centre @ rotation(ndim, rng)
        frame[((from_centre / np.array(axes)) ** 2).sum(axis=-1) <= 1] = number
    return measure_regions(labels, spacing=STEPS[ndim], unit="nm")


def rotation(ndim: int, rng: np.random.Generator) -> np.ndarray:
    if ndim == 3:
        return Rotation.random(random_state=rng).as_matrix()
    angle = rng.uniform(0, np.pi)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def size_of(axes: tuple[float, ...]) -> float:
    """Area πab, volume 4πabc/3, in nm² or nm³."""
    unit = {2: np.pi, 3: 4 / 3 * np.pi}[len(axes)]
    return float(unit * np.prod(axes) * np.prod(STEPS[len(axes)]))


def assert_unbiased(values: np.ndarray, truth: float, scatter: float | None = None) -> None:
    """Fail if the mean is off by more than four standard errors, or the scatter by a quarter."""
    ratio = values / truth
    assert abs(ratio.mean() - 1) < 4 * ratio.std(ddof=1) / np.sqrt(ratio.size)
    if scatter is not None:
        assert ratio.std(ddof=1) == pytest.approx(scatter, rel=0.25)


@pytest.mark.parametrize(("radius", "scatter"), [(2, 0.067), (3, 0.027), (5, 0.0083), (10, 0.003)])
def test_volume_of_a_ball(radius, scatter):
    axes = (radius,) * 3
    table = placed(axes, turned=False)
    assert_unbiased(table["area"], size_of(axes), scatter)
    diameters = table["equivalent_diameter_area"]
    assert diameters.mean() == pytest.approx(2 * radius * 0.7, rel=0.005)


@pytest.mark.parametrize(("radius", "scatter"), [(2, 0.076), (3, 0.044), (5, 0.017), (10, 0.0065)])
def test_area_of_a_disc(radius, scatter):
    axes = (radius,) * 2
    assert_unbiased(placed(axes, turned=False)["area"], size_of(axes), scatter)


@pytest.mark.parametrize("axes", [(4, 4, 8), (8, 8, 4), (9, 6, 3), (6, 3), (12, 8)])
def test_size_of_turned_ellipses_and_ellipsoids(axes):
    assert_unbiased(placed(axes, seed=1)["area"], size_of(axes))


@pytest.mark.parametrize("axes", [(8, 8, 4), (12, 8, 5), (10, 5), (12, 8), (9, 3)])
def test_axes_are_those_of_the_ellipsoid_within_half_a_per_cent(axes):
    table = placed(axes, seed=2)
    length = 2 * 0.7
    assert table["axis_major_length"].mean() == pytest.approx(length * max(axes), rel=0.005)
    assert table["axis_minor_length"].mean() == pytest.approx(length * min(axes), rel=0.005)


def test_noise_makes_a_disc_look_elongated():
    """A disc of radius 5 has a major axis of 1.013 and a minor one of 0.985 of its diameter."""
    table = placed((5, 5), turned=False)
    assert table["axis_major_length"].mean() == pytest.approx(7 * 1.013, rel=0.003)
    assert table["axis_minor_length"].mean() == pytest.approx(7 * 0.985, rel=0.003)


@pytest.mark.parametrize(("aspect", "error"), [(1.2, 3.6), (1.5, 1.5), (2, 0.66), (3, 0.29)])
def test_direction_of_an_ellipse(aspect, error):
    """Its rms error in degrees falls with the aspect; with b = 5 px as given here."""
    rng = np.random.default_rng(4)
    labels = np.zeros((PLACEMENTS, 40, 40), np.int32)
    rows, columns = np.mgrid[:40, :40]
    angles = rng.uniform(-np.pi / 2, np.pi / 2, PLACEMENTS)
    for number, (frame, angle) in enumerate(zip(labels, angles, strict=True), start=1):
        y, x = rows - 20 - rng.uniform(), columns - 20 - rng.uniform()
        along = y * np.cos(angle) + x * np.sin(angle)
        across = x * np.cos(angle) - y * np.sin(angle)
        frame[(along / (5 * aspect)) ** 2 + (across / 5) ** 2 <= 1] = number
    found = measure_regions(labels, spacing=(0.7, 0.7), unit="nm")["orientation"]
    wrong = np.rad2deg((found - angles + np.pi / 2) % np.pi - np.pi / 2)
    assert np.sqrt((wrong**2).mean()) == pytest.approx(error, rel=0.25)
    assert abs(wrong.mean()) < 4 * wrong.std() / np.sqrt(PLACEMENTS)


def test_centroid_is_the_centre():
    rng = np.random.default_rng(5)
    centres = rng.uniform(9, 11, (PLACEMENTS, 2))
    rows, columns = np.mgrid[:20, :20]
    labels = np.zeros((PLACEMENTS, 20, 20), np.int32)
    for number, (frame, (y, x)) in enumerate(zip(labels, centres, strict=True), start=1):
        frame[(rows - y) ** 2 + (columns - x) ** 2 <= 25] = number
    table = measure_regions(labels, spacing=(2.0, 0.5), unit="nm")
    off = np.stack([table["centroid-0"] / 2, table["centroid-1"] / 0.5], axis=1) - centres
    assert np.abs(off.mean(axis=0)).max() < 4 * off.std() / np.sqrt(PLACEMENTS)
    assert off.std() < 0.1


def test_a_lattice_of_spheres():
    """r 5 on a cubic lattice of 20 (nm = px): V_V 0.0654498, N_V 1.25e-4."""
    rng = np.random.default_rng(6)
    cell = np.stack(np.meshgrid(*[np.arange(20)] * 3, indexing="ij"), axis=-1)
    fractions = []
    for _ in range(200):
        centre = rng.uniform(9, 10, 3)
        ball = ((cell - centre) ** 2).sum(axis=-1) <= 25
        mask = np.tile(ball, (2, 2, 2))
        numbers = summarise(measure_regions(mask, spacing=(1, 1, 1), unit="nm"))["object"]
        assert numbers["objects"].value == 8
        assert numbers["number_density"].value == pytest.approx(1.25e-4 * 1e9)
        assert numbers["number_density"].unit == "µm⁻³"
        fractions.append(numbers["fraction"].value)
    assert_unbiased(np.array(fractions), 0.0654498)


@pytest.mark.parametrize(("connectivity", "count"), [(1, 2), (3, 1), (None, 1)])
def test_two_voxels_corner_to_corner(connectivity, count):
    mask = np.zeros((4, 4, 4), bool)
    mask[1, 1, 1] = mask[2, 2, 2] = True
    settings = MeasureSettings(connectivity=connectivity)
    assert len(measure_regions(mask, settings=settings)) == count
