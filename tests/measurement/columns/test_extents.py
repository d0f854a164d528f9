"""Feret diameters, enclosing balls and gaps are those that a search over everything finds."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import cdist, pdist
from tests.measurement.solids import ellipsoid

from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings

EXTENT = MeasureSettings(columns=("extent",))
GAPS = MeasureSettings(columns=("neighbours",))


@st.composite
def bodies(draw):
    ndim = draw(st.sampled_from([2, 3]))
    shape = draw(hnp.array_shapes(min_dims=ndim, max_dims=ndim, min_side=1, max_side=7))
    mask = draw(hnp.arrays(bool, shape))
    spacing = tuple(draw(st.sampled_from([0.3, 1.0, 2.5])) for _ in range(ndim))
    return mask, spacing


def directions(ndim: int) -> np.ndarray:
    if ndim == 2:
        angles = np.linspace(0, np.pi, 720, endpoint=False)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = np.random.default_rng(0).normal(size=(6000, 3))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@settings(max_examples=150, deadline=None)
@given(bodies())
def test_extents_of_anything(body):
    """The longest of all pairs; no direction narrower than the least width; a ball that holds."""
    mask, spacing = body
    if not mask.any():
        return
    table = measure_regions(mask.astype(np.int32), spacing=spacing, unit="nm", settings=EXTENT)
    points = np.argwhere(mask) * spacing
    longest = pdist(points).max(initial=0)
    assert table["feret_max"][0] == pytest.approx(longest, rel=1e-9, abs=1e-9)
    along = points @ directions(mask.ndim).T
    widths = np.ptp(along, axis=0)
    assert table["feret_min"][0] <= widths.min() + 1e-9
    assert table["feret_min"][0] >= widths.min() - 0.12 * longest
    ball = table["enclosing_diameter"][0]
    assert longest - 1e-9 <= ball <= longest * np.sqrt(2 * mask.ndim / (mask.ndim + 1)) + 1e-9


def smallest_disc(points: np.ndarray) -> float:
    """Return the diameter of the smallest disc around points: carried by two or three."""
    best = np.inf
    for one, other in combinations(points, 2):
        middle, radius = (one + other) / 2, np.linalg.norm(one - other) / 2
        if np.linalg.norm(points - middle, axis=1).max() <= radius + 1e-9:
            best = min(best, 2 * radius)
    for three in combinations(points, 3):
        a, b, c = map(np.array, three)
        system = 2 * np.array([b - a, c - a])
        if abs(np.linalg.det(system)) < 1e-9:
            continue
        middle = np.linalg.solve(system, [b @ b - a @ a, c @ c - a @ a])
        radius = np.linalg.norm(a - middle)
        if np.linalg.norm(points - middle, axis=1).max() <= radius + 1e-9:
            best = min(best, 2 * radius)
    return best


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(bool, (4, 5)))
def test_the_enclosing_disc_is_the_smallest(mask):
    points = np.argwhere(mask) * (1.0, 1.7)
    if len(points) < 2:
        return
    table = measure_regions(mask.astype(np.int32), spacing=(1.0, 1.7), unit="nm", settings=EXTENT)
    assert table["enclosing_diameter"][0] == pytest.approx(smallest_disc(points), rel=1e-7)


def test_feret_of_a_ball_is_a_tenth_of_a_pixel_too_short():
    """Over placements: -0.09 px for a ball of radius 5, -0.3 px for a disc."""
    rng = np.random.default_rng(1)
    for ndim, wanted in ((3, -0.09), (2, -0.3)):
        masks = np.array([ellipsoid((5,) * ndim, rng) for _ in range(150)])
        found = measure_regions(masks.astype(np.int32), spacing=(1,) * ndim, unit="nm",
                                settings=EXTENT)["feret_max"]  # fmt: skip
        assert found.mean() - 10 == pytest.approx(wanted, abs=0.05)


def test_a_box_in_space_is_as_narrow_as_its_shortest_edge():
    mask = np.zeros((12, 14, 16), np.int32)
    mask[3:7, 2:11, 1:14] = 1
    table = measure_regions(mask, spacing=(1.5, 1, 1), unit="nm", settings=EXTENT)
    assert table["feret_min"][0] == pytest.approx(3 * 1.5)
    assert table["feret_max"][0] == pytest.approx(np.sqrt(4.5**2 + 8**2 + 12**2))


@st.composite
def neighbours(draw):
    ndim = draw(st.sampled_from([2, 3]))
    shape = draw(hnp.array_shapes(min_dims=ndim, max_dims=ndim, min_side=3, max_side=24))
    spacing = tuple(draw(st.sampled_from([0.4, 1.0, 1.7])) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    labels = np.zeros(shape, np.int32)
    for number in range(1, draw(st.integers(2, 9))):
        low = rng.integers(0, shape)
        high = low + rng.integers(1, 5, ndim)
        labels[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = number
    return labels, spacing


@settings(max_examples=150, deadline=None)
@given(neighbours())
def test_gaps_are_those_of_all_pairs_of_pixels(scene):
    labels, spacing = scene
    table = measure_regions(labels, spacing=spacing, unit="nm", settings=GAPS)
    pixels = {number: np.argwhere(labels == number) for number in table["label"].tolist()}
    for number, gap, nearest in zip(
        table["label"], table["neighbour_gap"], table["neighbour_label"], strict=True
    ):
        best = {
            other: gap_of(pixels[number], points, spacing)
            for other, points in pixels.items()
            if other != number
        }
        if not best:
            assert np.isnan(gap)
            assert nearest == 0
            continue
        assert gap == pytest.approx(min(best.values()), abs=1e-9)
        assert best[nearest] == pytest.approx(gap, abs=1e-9)


def gap_of(one: np.ndarray, other: np.ndarray, spacing: tuple[float, ...]) -> float:
    distance = cdist(one * spacing, other * spacing)
    return float((distance * (1 - 1 / cdist(one, other))).min())


def test_gap_of_spheres_on_a_lattice():
    """r 5 on a cubic lattice of 20: gap 10; the outer ones are nearer to the frame."""
    cell = np.stack(np.meshgrid(*[np.arange(20)] * 3, indexing="ij"), axis=-1)
    mask = np.tile(((cell - 9.6) ** 2).sum(axis=-1) <= 25, (3, 3, 3))
    table = measure_regions(mask, settings=GAPS)
    assert table["neighbour_gap"] == pytest.approx(10, abs=0.6)
    assert np.count_nonzero(~table["neighbour_censored"]) == 1


def test_objects_alone_have_no_neighbour():
    labels = np.zeros((3, 5, 5), np.int32)
    labels[0, 2, 2] = labels[1, 1, 1] = 7
    table = measure_regions(labels, spacing=(1, 1), unit="nm", settings=GAPS)
    assert np.isnan(table["neighbour_gap"]).all()
    assert table["neighbour_label"].tolist() == [0, 0]
    assert table["neighbour_censored"].all()
