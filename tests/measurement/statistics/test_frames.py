"""Border rules without bias: weights and the counting frame."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.frames import frame_weights, in_frame


def test_the_worked_weights():
    boxes = np.array([(10, 10), (20, 30), (60, 40)])
    found = frame_weights((100, 80), boxes)
    assert found == pytest.approx([1.587302e-4, 2.5e-4, 6.25e-4], rel=1e-6)
    assert found.sum() == pytest.approx(1.0337302e-3, rel=1e-7)
    size = np.sqrt(boxes.prod(axis=1))
    assert (found @ size) / found.sum() == pytest.approx(37.078968, abs=1e-6)


def test_two_windows_share_the_objects():
    assert frame_weights([(10, 10), (10, 10)], [(2, 2)]) == pytest.approx([1 / 128])


def test_as_wide_as_the_window_has_no_weight():
    with pytest.raises(MeasurementError, match="as wide as the window"):
        frame_weights((10, 10), [(10, 2)])


def test_both_rules_find_number_and_mean_size_of_discs():
    """1500 windows of 60 × 60 with discs of diameter 4 and 24; density and mean must hold."""
    rng = np.random.default_rng(3)
    side, density = 60.0, 0.004
    by_weight, top, by_frame, naive = [], [], [], []
    for _ in range(1500):
        number = rng.poisson(density * 120**2)
        d = rng.choice([4.0, 24.0], number)
        low = rng.uniform(-30, 90, (number, 2)) - d[:, None] / 2
        high = low + d[:, None]
        whole = (low > 0).all(axis=1) & (high < side).all(axis=1)
        weights = frame_weights((side, side), np.repeat(d[whole, None], 2, axis=1))
        by_weight.append(weights.sum())
        top.append(weights @ d[whole])
        seen = (high > 0).all(axis=1) & (low < side).all(axis=1)
        by_frame.append(in_frame(low[seen], (0, 0)).sum() / side**2)
        naive.append(seen.sum() / side**2)
    assert np.mean(by_weight) == pytest.approx(density, rel=0.02)
    assert np.mean(by_frame) == pytest.approx(density, rel=0.02)
    assert np.sum(top) / np.sum(by_weight) == pytest.approx(14, rel=0.02)
    assert np.mean(naive) > 1.3 * density
