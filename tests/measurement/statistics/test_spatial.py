"""K, nearest neighbours, reshuffling and envelopes, on points and discs with known order."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.envelopes import global_envelope
from napari_defectseg.measurement.statistics.nearest import nearest
from napari_defectseg.measurement.statistics.reshuffle import reshuffled, shapes_of
from napari_defectseg.measurement.statistics.ripley import (
    box_covariance,
    longest,
    mask_covariance,
    pair_functions,
)
from napari_defectseg.measurement.statistics.spatial import arrangement


def test_k_of_points_at_random_in_a_box():
    """The page's case: 400 points in 100³, K(5, 10, 15), mean of 60 runs."""
    rng = np.random.default_rng(0)
    r = np.array([5.0, 10.0, 15.0])
    box = box_covariance((100, 100, 100))
    found = [pair_functions(rng.uniform(0, 100, (400, 3)), r, 1e6, box) for _ in range(60)]
    mean = np.mean([item.k for item in found], axis=0)
    truth = np.array([523.599, 4188.79, 14137.2])
    assert mean[0] == pytest.approx(truth[0], rel=0.06)
    assert mean[1:] == pytest.approx(truth[1:], rel=0.02)
    assert np.mean([item.l for item in found], axis=0) == pytest.approx(r, rel=0.03)
    assert np.mean([item.g for item in found], axis=0) == pytest.approx(1, rel=0.06)
    assert longest((100, 80)) == 20


def test_the_covariance_of_a_mask_is_that_of_its_box():
    h = np.array([[0.0, 0.0], [3.0, -4.0], [-10.0, 6.0]])
    by_mask = mask_covariance(np.ones((20, 30)), (1.0, 2.0))(h)
    assert by_mask == pytest.approx(box_covariance((20, 60))(h), rel=1e-4)


def test_k_in_a_mask_with_a_hole_has_no_bias():
    rng = np.random.default_rng(1)
    mask = np.ones((80, 80), bool)
    mask[30:55, 20:60] = False
    covariance = mask_covariance(mask, (1.0, 1.0))
    r = np.array([5.0, 10.0, 15.0])
    found = []
    for _ in range(60):
        points = rng.uniform(0, 80, (300, 2))
        points = points[mask[tuple(points.astype(int).T)]]
        found.append(pair_functions(points, r, mask.sum(), covariance).k)
    assert np.mean(found, axis=0) == pytest.approx(np.pi * r**2, rel=0.03)


@pytest.mark.parametrize(("ndim", "factor"), [(2, 0.5), (3, 0.55396)])
def test_nearest_neighbours_of_points_at_random(ndim, factor):
    """Hanisch's mean is that of an endless pattern; the naive one is too large."""
    rng = np.random.default_rng(2)
    room = rng.uniform(0, 1, (20_000, ndim))
    to_border = np.minimum(room, 1 - room).min(axis=1)
    mean, naive = [], []
    for _ in range(150):
        points = rng.uniform(0, 1, (60, ndim))
        found = nearest(points, np.minimum(points, 1 - points).min(axis=1), to_border, 1.0)
        mean.append(found.mean)
        naive.append(found.distance.mean())
    assert found.expected == pytest.approx(factor * 60 ** (-1 / ndim))
    assert np.mean(mean) == pytest.approx(found.expected, rel=0.03)
    assert np.mean(naive) > 1.02 * found.expected
    with pytest.raises(MeasurementError, match="no neighbour"):
        nearest([[0.0, 0.0]], [1.0], [1.0], 1.0)


def test_the_envelope_rejects_one_in_twenty():
    rng = np.random.default_rng(3)
    rejected = 0
    for _ in range(400):
        curves = rng.normal(size=(60, 15)).cumsum(axis=1)
        found = global_envelope(curves[0], curves[1:])
        outside = bool(((curves[0] < found.low) | (curves[0] > found.high)).any())
        assert outside == (found.p <= 0.05)
        rejected += outside
    assert 8 <= rejected <= 34
    with pytest.raises(MeasurementError, match="too few"):
        global_envelope(curves[0], curves[:10])


def discs(middles: np.ndarray, radius: float, side: int) -> np.ndarray:
    labels = np.zeros((side, side), np.int32)
    y, x = np.ogrid[:side, :side]
    for number, (row, column) in enumerate(middles, start=1):
        labels[(y - row) ** 2 + (x - column) ** 2 <= radius**2] = number
    return labels


def test_reshuffled_objects_keep_their_shape_and_do_not_overlap():
    rng = np.random.default_rng(4)
    labels = discs(np.array([[20, 20], [20, 60], [60, 20], [60, 60]]), 9, 80)
    shapes = shapes_of(labels)
    assert len(shapes) == 4
    inside = np.ones((80, 80), bool)
    inside[:, :10] = False
    for _ in range(20):
        middles = reshuffled(shapes, inside, rng)
        apart = np.linalg.norm(middles[:, None] - middles[None], axis=-1)
        whole = (middles > [9, 19]).all(axis=1) & (middles < 70).all(axis=1)
        pairs = apart[np.ix_(whole, whole)]
        assert (pairs[~np.eye(len(pairs), dtype=bool)] > 17).all()
        assert (middles[:, 1] >= 10).all()


def test_what_is_too_dense_is_said():
    rows, columns = np.divmod(np.arange(1600), 40)
    labels = (1 + rows // 8 * 5 + columns // 8).reshape(40, 40).astype(np.int32)
    with pytest.raises(MeasurementError, match="too close"):
        reshuffled(shapes_of(labels), np.ones((40, 40), bool), np.random.default_rng(0))
    with pytest.raises(MeasurementError, match="Nothing is counted"):
        reshuffled(shapes_of(labels), np.zeros((40, 40), bool), np.random.default_rng(0))


def test_random_discs_are_random_and_clusters_and_lattices_are_not():
    rng = np.random.default_rng(6)
    side = 160
    lattice = np.stack(np.meshgrid(np.arange(10, 160, 20), np.arange(10, 160, 20)), -1)
    regular = discs(lattice.reshape(-1, 2) + rng.uniform(-2, 2, (64, 2)), 3, side)
    found = arrangement(regular, (1.0, 1.0), runs=59)
    assert found.verdict == "regular"
    assert found.neighbours.mean > found.neighbour_mean
    parents = rng.uniform(20, 140, (6, 2))
    near = parents[rng.integers(6, size=60)] + rng.normal(0, 9, (60, 2))
    found = arrangement(discs(np.clip(near, 2, 157), 1, side), (1.0, 1.0), runs=59)
    assert found.verdict == "clustered"
    assert found.l_band.p <= 0.05
    plain = found.as_dict()
    assert len(plain["g"]["value"]) == len(plain["r"])
    assert plain["verdict"] == "clustered"


def test_the_null_model_is_kept_under_itself():
    """Discs put down by the null model are rejected about as often as the level says."""
    rng = np.random.default_rng(8)
    shapes = shapes_of(discs(rng.uniform(10, 110, (30, 2)), 4, 120))
    inside = np.ones((120, 120), bool)
    rejected = 0
    for seed in range(24):
        middles = reshuffled(shapes, inside, rng)
        labels = discs(middles, 4, 120)
        rejected += arrangement(labels, (1.0, 1.0), runs=39, seed=seed).l_band.p <= 0.05
    assert rejected <= 5


def test_two_objects_have_no_arrangement():
    with pytest.raises(MeasurementError, match="no arrangement"):
        arrangement(discs(np.array([[5, 5], [20, 20]]), 2, 30), (1.0, 1.0))


def test_balls_in_a_volume_are_compared_with_themselves_anew():
    rng = np.random.default_rng(9)
    labels = np.zeros((40, 40, 40), np.int32)
    grid = np.stack(np.meshgrid(*[np.arange(4, 40, 8)] * 3, indexing="ij"), -1).reshape(-1, 3)
    z, y, x = np.ogrid[:40, :40, :40]
    for number, (a, b, c) in enumerate(grid + rng.integers(-1, 2, grid.shape), start=1):
        labels[(z - a) ** 2 + (y - b) ** 2 + (x - c) ** 2 <= 4] = number
    roi = np.ones(labels.shape, bool)
    roi[:4] = False
    found = arrangement(labels, (1.0, 0.5, 0.5), "µm", roi=roi, runs=39)
    assert found.objects == 125
    assert found.verdict == "regular"
    assert found.pairs.r[-1] == pytest.approx(20 / 4)
