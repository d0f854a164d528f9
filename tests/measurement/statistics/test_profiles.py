"""Density with depth and the width of a denuded zone, on points with a known profile."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.profiles import denuded_zone, profile

PIXELS = np.broadcast_to(np.arange(200.0)[:, None] + 0.5, (200, 100))


def test_the_profile_follows_the_specimen():
    found = profile([10, 10, 60], PIXELS[:, :50], 1.0, [0, 50, 100, 300, 400])
    assert found.counts.tolist() == [2, 1, 0, 0]
    assert found.sizes.tolist() == [2500, 2500, 5000, 0]
    assert found.density[0] == pytest.approx(2 / 2500)
    assert found.high[2] == pytest.approx(3.6889 / 5000, rel=1e-4)
    assert np.isnan(found.density[3])


@pytest.mark.parametrize("slope", [0.0, 20.0])
def test_the_zone_is_found_and_held(slope):
    """Sharp, and rising over `slope` about the same width of 30."""
    rng = np.random.default_rng(0)
    held, widths = 0, []
    for _ in range(200):
        depth = rng.uniform(0, 200, rng.poisson(0.05 * 200 * 100))
        chance = np.clip((depth - 30) / slope + 0.5, 0, 1) if slope else depth > 30
        depth = depth[rng.uniform(size=depth.size) < chance]
        zone = denuded_zone(depth, PIXELS, 1.0, 80.0, "nm")
        widths.append(zone.value)
        held += zone.low <= 30 <= zone.high
    assert np.mean(widths) == pytest.approx(30, abs=1)
    assert held >= 185


def test_no_bulk_is_said():
    with pytest.raises(MeasurementError, match="no bulk"):
        denuded_zone([5.0], PIXELS, 1.0, 500.0)
