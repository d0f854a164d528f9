"""Differences of groups are SciPy's; effects and intervals hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

from napari_defectseg.measurement.estimate import Estimate
from napari_defectseg.measurement.statistics.nested import difference, hedges, specimen_mean

values = st.lists(st.floats(-100, 100), min_size=2, max_size=8)


@given(values, values)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_welch_is_that_of_scipy(first: list[float], second: list[float]) -> None:
    a, b = np.array(first), np.array(second)
    found = difference(a, b)
    if min(a.var(), b.var()) < 1e-6:
        return
    truth = stats.ttest_ind(b, a, equal_var=False)
    span = truth.confidence_interval()
    assert found.p == pytest.approx(truth.pvalue, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((span.low, span.high), rel=1e-6, abs=1e-6)


def test_the_interval_of_a_difference_and_of_the_effect_hold() -> None:
    """1,000 seeded sets of 5 and 4 specimens, effect 1.2."""
    rng = np.random.default_rng(4)
    held, effects = [], []
    for _ in range(1000):
        a, b = rng.normal(0, 1, 5), rng.normal(1.2, 1, 4)
        found = difference(a, b)
        held.append((found.low <= 1.2 <= found.high, found.effect_low <= 1.2 <= found.effect_high))
        effects.append(found.effect)
    assert np.mean(held, axis=0).min() > 0.93
    assert np.mean(effects) == pytest.approx(1.2, abs=0.08)


def test_one_specimen_has_no_interval_and_no_test() -> None:
    found = difference([1.0], [2.0, 3.0])
    assert found.value == 1.5
    assert np.isnan([found.low, found.p, found.effect]).all()
    assert specimen_mean([Estimate(2.0, "nm")]).low is None
    assert specimen_mean([Estimate(None, "nm", reason="none")]).value is None
    assert np.isnan(hedges(np.ones(3), np.ones(3))).all()
