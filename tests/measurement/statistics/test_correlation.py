"""Correlations of columns: right values, right p for series, false discoveries kept down."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.statistics.correlation import (
    correlate,
    correlations,
    false_discovery,
    lagged,
    linked,
)


def normal_pair(rng: np.random.Generator, rho: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=count)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=count)


def test_values_and_p_are_scipys():
    from scipy import stats

    rng = np.random.default_rng(0)
    x, y = normal_pair(rng, 0.4, 50)
    found, theirs = correlate(x, y), stats.pearsonr(x, y)
    assert (found.value, found.p) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval()), abs=1e-6)
    ranks, theirs = correlate(x, np.exp(y), method="spearman"), stats.spearmanr(x, np.exp(y))
    assert (ranks.value, ranks.p) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_intervals_hold_the_truth():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(600):
        found = correlate(*normal_pair(rng, 0.5, 30))
        held += found.low <= 0.5 <= found.high
    assert held >= 558


def test_what_a_third_column_makes_goes_away():
    rng = np.random.default_rng(2)
    z = rng.normal(size=3000)
    x, y = z + rng.normal(size=3000), z + rng.normal(size=3000)
    assert correlate(x, y).value == pytest.approx(0.5, abs=0.05)
    assert correlate(x, y, controls=[z]).value == pytest.approx(0, abs=0.05)


def series(rng: np.random.Generator, count: int, rho: float = 0.9) -> np.ndarray:
    found = np.zeros(count)
    for index in range(1, count):
        found[index] = rho * found[index - 1] + rng.normal()
    return found


def test_frames_that_resemble_one_another_are_worth_less():
    """Independent series with ρ = 0.9: taken as independent frames, most would 'correlate'."""
    rng = np.random.default_rng(3)
    naive = allowed = 0
    for _ in range(200):
        x, y = series(rng, 200), series(rng, 200)
        naive += correlate(x, y).p < 0.05
        allowed += correlate(x, y, series=True).p < 0.05
    assert naive > 80
    assert allowed < 24
    found = correlate(series(rng, 20_000), series(rng, 20_000), series=True)
    assert found.effective / 20_000 == pytest.approx(0.105, abs=0.015)


def test_a_lag_is_found():
    rng = np.random.default_rng(4)
    x = series(rng, 400, 0.5)
    y = np.concatenate([rng.normal(size=3), x[:-3]]) + 0.1 * rng.normal(size=400)
    found = lagged(x, y, 5)
    best = max(found, key=lambda item: item.value)
    assert best.second == "3"
    assert best.value > 0.95
    with pytest.raises(MeasurementError, match="follow one another"):
        correlate(x, y, lag=1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_are_scipys(values):
    from scipy.stats import false_discovery_control

    assert false_discovery(values) == pytest.approx(false_discovery_control(values))


def test_false_discoveries_are_kept_down_and_linked_pairs_left_out():
    rng = np.random.default_rng(5)
    columns = {f"c{index}": rng.normal(size=40) for index in range(12)}
    found = correlations(columns)
    assert len(found) == 66
    assert sum(item.adjusted < 0.05 for item in found) <= 1
    area = rng.uniform(1, 9, 40)
    found = correlations(
        {"area": area, "equivalent_diameter_area": np.sqrt(area), "c": columns["c1"]}
    )
    pair = next(item for item in found if item.linked)
    assert (pair.first, pair.second) == ("area", "equivalent_diameter_area")
    assert pair.as_dict()["adjusted"] is None
    assert linked("area", "equivalent_diameter_area")
    assert not linked("area", "aspect")


def test_controls_are_taken_out_of_all_pairs():
    rng = np.random.default_rng(6)
    z = rng.normal(size=500)
    columns = {"x": z + rng.normal(size=500), "y": z + rng.normal(size=500), "z": z}
    (found,) = correlations(columns, controls=["z"])
    assert abs(found.value) < 0.15
    with pytest.raises(MeasurementError, match="no column 'w'"):
        correlations(columns, controls=["w"])


def test_what_does_not_vary_is_undefined_and_nan_rows_go():
    found = correlate([1, 1, 1, 1, 1], [1, 2, 3, 4, 5])
    assert np.isnan(found.value)
    assert found.as_dict()["value"] is None
    x = np.array([1, 2, np.nan, 4, 5, 6.0])
    assert correlate(x, 2 * x).count == 5
    assert correlate(x, 2 * x).value == pytest.approx(1)
    with pytest.raises(MeasurementError, match="too few"):
        correlate([1, 2], [1, 2])
