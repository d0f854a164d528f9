"""Groups of columns, and those whose meaning lies in where an object is and what it is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from tests.measurement.solids import ellipsoid, places, rotation

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.measurement.columns.measurement import MEASUREMENTS
from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import GROUPS, MeasureSettings


def settings(*columns: str, **others) -> MeasureSettings:
    return MeasureSettings(columns=columns, **others)


def test_every_group_is_described_and_has_members():
    groups = {item.group for _, item in MEASUREMENTS.items()}
    assert groups == {"basic", *(name for name, _ in GROUPS)}


def test_the_basic_columns_are_always_there_and_others_by_choice():
    labels = np.ones((4, 4), np.int32)
    basic = measure_regions(labels).names
    chosen = measure_regions(labels, settings=settings("circularity")).names
    assert set(chosen) - set(basic) == {"circularity", "perimeter_crofton"}
    assert "perimeter_crofton" not in basic
    assert set(measure_regions(labels, settings=settings("all")).names) > set(chosen)


def test_a_group_that_is_not_there_is_said_at_once():
    with pytest.raises(MeasurementError, match="'surfaces'") as failed:
        measure_regions(np.ones((4, 4), np.int32), settings=settings("surfaces"))
    assert "surface" in failed.value.hint


@pytest.mark.parametrize("axis", [(0.0, 0.0), (1.0,), (1.0, float("nan"), 0.0)])
def test_an_axis_without_direction_is_refused(axis):
    with pytest.raises(MeasurementError, match="no direction"):
        MeasureSettings(axis=axis)


@pytest.mark.parametrize("ndim", [2, 3])
def test_angle_to_an_axis_of_needles(ndim):
    """A needle turned by a known angle; a plate by its normal."""
    rng = np.random.default_rng(0)
    for _ in range(6):
        turn = rotation(ndim, rng)
        needle = ellipsoid((14, 4, 4)[:ndim], rng, turn)
        axis = rng.normal(size=ndim)
        table = measure_regions(
            needle.astype(np.int32), settings=settings("shape", axis=tuple(axis))
        )
        true = np.rad2deg(np.arccos(abs(turn[:, 0] @ axis) / np.linalg.norm(axis)))
        assert table["angle_to_axis"][0] == pytest.approx(true, abs=1.5)
        assert table.heading("angle_to_axis") == "angle_to_axis [°]"
        if ndim == 3:
            plate = ellipsoid((3, 9, 9), rng, turn)
            found = measure_regions(
                plate.astype(np.int32), settings=settings("shape", axis=tuple(axis))
            )
            assert found["normal_to_axis"][0] == pytest.approx(true, abs=3)
            direction = np.array([table[f"direction-{k}"][0] for k in range(3)])
            assert abs(direction @ turn[:, 0]) == pytest.approx(1, abs=0.002)


def test_round_objects_have_no_direction():
    ball = ellipsoid((8, 8, 8), np.random.default_rng(1)).astype(np.int32)
    table = measure_regions(ball, settings=settings("shape", axis=(1, 0, 0)))
    assert np.isnan(table["angle_to_axis"][0])
    assert np.isnan(table["direction-0"][0])


def test_an_axis_of_the_wrong_length_is_said():
    with pytest.raises(MeasurementError, match="2 spatial axes"):
        measure_regions(np.ones((4, 4), np.int32), settings=settings("shape", axis=(1, 0, 0)))


def test_projection_of_an_ellipsoid():
    """πab along each axis, exactly counted; within 3 % along any other."""
    rng = np.random.default_rng(2)
    solids = np.array([ellipsoid((6, 8, 11), rng, np.eye(3)) for _ in range(30)])
    axis = np.array([1.0, 2.0, -1.0])
    table = measure_regions(
        solids.astype(np.int32), spacing=(1, 1, 1), unit="nm",
        settings=settings("projection", axis=tuple(axis)),
    )  # fmt: skip
    for k, (a, b) in enumerate(((8, 11), (6, 11), (6, 8))):
        assert table[f"projected_area-{k}"].mean() == pytest.approx(np.pi * a * b, rel=0.01)
        assert table[f"root_area-{k}"].mean() == pytest.approx(np.sqrt(np.pi * a * b), rel=0.01)
    unit = axis / np.linalg.norm(axis)
    half = np.array([6, 8, 11])
    true = np.pi * half.prod() * np.linalg.norm(unit / half)
    assert table["projected_area_along"].mean() == pytest.approx(true, rel=0.03)
    assert table["root_area_along"].mean() == pytest.approx(np.sqrt(true), rel=0.02)
    assert table.heading("projected_area-0") == "projected_area-0 [nm²]"


def test_root_area_bridges_a_notch():
    """The smooth outline of a C is that of the filled body, as large as without the notch."""
    mask = np.zeros((3, 12, 12), np.int32)
    mask[1, 1:11, 1:11] = 1
    mask[1, 4:7, 4:] = 0
    table = measure_regions(mask, settings=settings("projection"))
    assert table["projected_area-0"][0] == 100 - 3 * 7
    assert table["root_area-0"][0] == pytest.approx(10)


@pytest.mark.parametrize("tilt", [0, 40, 60])
def test_size_of_a_tilted_loop_is_its_major_axis(tilt):
    """The equivalent diameter of a ring, tilted or not, is no size of it."""
    rng, size = np.random.default_rng(3), 15.0
    at = places(41, 2, rng, np.eye(2)) / (1, np.cos(np.deg2rad(tilt)))
    radius = np.linalg.norm(at, axis=-1)
    ring = (radius <= size) & (radius > size - 3)
    table = measure_regions(ring.astype(np.int32), settings=settings("outline"))
    assert table["ellipse_major_length"][0] == pytest.approx(2 * size, rel=0.02)
    assert table["ellipse_minor_length"][0] == pytest.approx(
        2 * size * np.cos(np.deg2rad(tilt)), rel=0.03
    )
    assert table["equivalent_diameter_area"][0] < 1.3 * size
    if tilt:
        # Tilted about the rows' axis: longest along it.
        assert abs(np.sin(table["ellipse_orientation"][0])) < 0.05


def test_a_line_closed_by_corners_holds_its_inside():
    ring = np.zeros((7, 7), np.int32)
    for k in range(3):
        ring[3 - k, k] = ring[3 - k, 6 - k] = ring[3 + k, k] = ring[3 + k, 6 - k] = 1
    ring[0, 3] = ring[6, 3] = 1
    table = measure_regions(ring, settings=settings("outline", "scikit"))
    assert table["area_outline"][0] == 25
    assert table["area_filled"][0] == table["area"][0]


def test_thickness_of_a_sheet_and_of_a_ball():
    rng = np.random.default_rng(4)
    at = places(45, 3, rng)
    sheet = (np.abs(at[..., 0]) <= 4) & (np.linalg.norm(at[..., 1:], axis=-1) <= 18)
    found = measure_regions(sheet.astype(np.int32), settings=settings("thickness"))
    assert found["thickness_mean"][0] == pytest.approx(8, rel=0.04)
    ball = ellipsoid((10, 10, 10), rng)
    found = measure_regions(ball.astype(np.int32), settings=settings("thickness"))
    assert found["thickness_max"][0] == pytest.approx(20, rel=0.05)
    assert found["thickness_mean"][0] <= found["thickness_max"][0]


def test_gap_to_the_free_surface_and_open_pores():
    """Pores in a specimen that fills the image but for ten columns of air."""
    labels = np.zeros((3, 30, 40), np.int32)
    labels[:, 5:8, 20:24], labels[:, 15:18, 10:12] = 1, 2
    labels[:, 27:, 30:33] = 3
    air = np.zeros(labels.shape, bool)
    air[..., :10] = True
    space = ReferenceSpace(labels.shape, exclude=air)
    table = measure_regions(
        labels, spacing=(1, 1, 0.5), unit="nm", space=space, settings=settings("specimen")
    )
    assert table["surface_gap"].tolist() == [5.0, 0.0, 10.0]
    assert table["opening"].tolist() == ["cut", "open", "cut"]
    inner = measure_regions(
        np.pad(labels, ((2, 2), (2, 2), (2, 2))), settings=settings("specimen"),
        space=ReferenceSpace((7, 34, 44), exclude=np.pad(air, 2)),
    )  # fmt: skip
    assert inner["opening"].tolist() == ["closed", "open", "closed"]
    assert "surface_gap" not in measure_regions(labels, settings=settings("specimen"))


def test_what_nobody_has_looked_at_is_no_surface():
    mask = np.zeros((12, 12), np.uint8)
    mask[5:7, 5:7] = 1
    mask[:, 9:] = 255
    roi = np.ones((12, 12), bool)
    roi[:2] = False
    table = measure_regions(
        mask, space=ReferenceSpace((12, 12), roi=roi), settings=settings("specimen")
    )
    assert table["surface_gap"].tolist() == [3.0]


def blurred(radius: float, sigma: float, rng: np.random.Generator):
    """Return the mask and the grey values of an antialiased, blurred ball."""
    at = np.linalg.norm(places(2 * int(radius) + 15, 3, rng), axis=-1)
    grey = gaussian_filter(np.clip(radius - at + 0.5, 0, 1), sigma)
    return grey >= 0.5, 200 * grey + 20


def test_grey_surface_is_better_than_that_of_the_mask():
    """Of the antialiased ball -1.6 % at r 5; marching cubes of its mask +7.5 %."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(10):
        mask, grey = blurred(5, 0.0, rng)
        table = measure_regions(mask.astype(np.int32), image=grey, settings=settings("grey"))
        found.append(table["surface_area_grey"][0] / (4 * np.pi * 25))
    assert np.mean(found) == pytest.approx(0.99, abs=0.015)
    assert np.std(found) < 0.01


def test_no_grey_surface_where_there_is_no_edge():
    mask = ellipsoid((6, 6), np.random.default_rng(6)).astype(np.int32)
    noise = np.random.default_rng(7).normal(size=mask.shape)
    table = measure_regions(mask, image=noise, settings=settings("grey"))
    assert np.isnan(table["perimeter_grey"][0])


@pytest.mark.parametrize(("radius", "apparent"), [(6, 2.637), (8, 3.739), (10, 4.794)])
def test_blur_moves_the_edge_and_the_diameter_is_brought_back(radius, apparent):
    """Sphere r/σ = 3, 4, 5: apparent 2.637, 3.739, 4.794 σ; brought back within 1 %."""
    sigma = 2.0
    mask, _ = blurred(radius, sigma, np.random.default_rng(8))
    table = measure_regions(mask.astype(np.int32), settings=settings("shape", blur=sigma))
    found = table["equivalent_diameter_area"][0] / 2
    assert found == pytest.approx(apparent * sigma, rel=0.01)
    assert table["diameter_deblurred"][0] / 2 == pytest.approx(radius, rel=0.02)
    assert bool(table["below_resolution"][0]) == (radius < 3 * sigma + 0.01 and found < 5.34)


def test_small_objects_are_flagged():
    labels = np.zeros((40, 40), np.int32)
    labels[2, 2], labels[10:30, 10:30] = 1, 2
    table = measure_regions(labels, settings=settings("shape"))
    assert table["below_resolution"].tolist() == [True, False]
    assert table["shape_unreliable"].tolist() == [True, False]
