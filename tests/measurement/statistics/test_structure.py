"""S2 and chords of a Boolean model of balls, against their exact values."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.structure import (
    boundary_density,
    chords,
    two_point,
)

RADIUS, INTENSITY = 5.0, 8e-4


def boolean_model(seed: int, side: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros((side,) * 3, bool)
    margin = RADIUS + 1
    count = rng.poisson(INTENSITY * (side + 2 * margin) ** 3)
    for centre in rng.uniform(-margin, side + margin, (count, 3)):
        low = np.maximum(np.ceil(centre - RADIUS), 0).astype(int)
        high = np.minimum(np.floor(centre + RADIUS) + 1, side).astype(int)
        if (low >= high).any():
            continue
        grid = np.ogrid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        ball = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= RADIUS**2
        mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] |= ball
    return mask


@pytest.fixture(scope="module")
def models() -> list[np.ndarray]:
    return [boolean_model(seed, 96) for seed in range(8)]


def test_two_point_correlation_of_the_boolean_model(models):
    s2 = np.mean([two_point(mask, 12) for mask in models], axis=0)
    assert s2[0] == pytest.approx(0.3422162, rel=0.03)
    assert s2[[5, 8, 12]] == pytest.approx([0.177624, 0.127381, 0.117112], rel=0.05)
    assert boundary_density(s2, 1.0, 3) == pytest.approx(0.165319, rel=0.05)


def test_background_chords_of_the_boolean_model(models):
    found = [chords(~mask, axis, 1.0) for mask in models for axis in range(3)]
    mean = np.average([c.mean for c in found], weights=[c.starts for c in found])
    assert mean == pytest.approx(15.9155, rel=0.03)
    one = found[0]
    assert (np.diff(one.surviving) <= 0).all()
    assert 0 < one.cut < one.starts
    # Background chords of the model are exponential.
    middle = np.searchsorted(one.lengths, 11.0)
    assert one.surviving[middle] == pytest.approx(np.exp(-11.5 / 15.9), abs=0.08)


def test_a_region_limits_pairs_and_chords():
    mask = np.zeros((4, 8), bool)
    mask[:, 2:5] = True
    roi = np.ones((4, 8), bool)
    roi[:, 4:] = False
    assert two_point(mask, 1, roi=roi, axis=1) == pytest.approx([0.5, 1 / 3])
    found = chords(mask, 1, 2.0, roi=roi)
    assert (found.starts, found.cut, found.mean) == (4, 4, 4.0)
    assert chords(mask, 1).mean == 3.0


def test_lags_beyond_the_image_have_no_value_and_no_chord_is_said():
    assert np.isnan(two_point(np.ones((3, 3), bool), 3)[3])
    with pytest.raises(MeasurementError, match="begins inside"):
        chords(np.ones((3, 3), bool), 0)
