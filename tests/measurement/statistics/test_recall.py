"""Recall by size: the curve that made the data is found, and its bound holds."""

from __future__ import annotations

import numpy as np
import pytest

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.recall import recall_curve


def drawn(rng: np.random.Generator, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    sizes = rng.lognormal(np.log(6), 0.5, count)
    chance = 1 / (1 + np.exp(-6 * np.log(sizes / 5)))
    return sizes, rng.uniform(size=count) < chance


def test_the_curve_is_found_and_its_bound_holds():
    rng = np.random.default_rng(0)
    a90 = 5 * np.exp(np.log(9) / 6)
    held = inside = 0
    for _ in range(100):
        curve = recall_curve(*drawn(rng), unit="nm")
        held += curve.a90_95 >= a90
        inside += curve.a50.low <= 5 <= curve.a50.high
        assert curve.a90.low < curve.a90.value < curve.a90_95
    assert held >= 90
    assert inside >= 88
    many = recall_curve(*drawn(rng, 20_000))
    assert many.a50.value == pytest.approx(5, rel=0.03)
    assert many.at([5.0, a90]) == pytest.approx([0.5, 0.9], abs=0.03)


def test_what_tells_nothing_is_said():
    with pytest.raises(MeasurementError, match="too few for a curve"):
        recall_curve([1.0, 2.0], [True, False])
